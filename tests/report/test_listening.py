"""What is heard on the page: decoded from it, beside the files that the runs have left."""

import base64
import io
import re
import shutil

import numpy as np
import pytest
import soundfile

from flowvae.report.listening import listening
from flowvae.report.reading import read_folder
from flowvae.report.sounds import MOST_GAIN, NEARLY_SILENT, Reference, peak, rms
from flowvae.report.write import write_report

RATE = 22_050
LAST = "audio/step-000000500"


def heard(take):
    return soundfile.read(io.BytesIO(base64.b64decode(take.sound.partition(",")[2])), always_2d=True)[0]


def takes_of(row):
    return [take for cell in row.cells for take in cell.takes]


def in_db(factor):
    return 20 * np.log10(factor)


def lowered_by(row):
    return float(row.lowered.removesuffix(" dB") or 0)


def put(folder, name, audio, runs="*/seed-*"):
    for run in (folder / "runs").glob(runs):
        soundfile.write(run / name, audio, RATE, subtype="PCM_16")


def spike(height, hum=0.0):
    audio = hum * np.sin(np.arange(RATE // 3) / 9)
    audio[100] = height
    return audio


@pytest.fixture
def folder(runs):
    return runs([[3.0, 3.1], [3.2, 3.3]], n_clips=3)


def test_every_row_is_at_one_level_and_nothing_in_it_clips(folder):
    put(folder, f"{LAST}/01-drum-1.wav", spike(0.9, hum=0.05), "snake/seed-1")
    put(folder, f"{LAST}/prior-01.wav", spike(0.99, hum=0.02), "leaky_relu/seed-0")
    found = listening(read_folder(folder))
    assert len(found.rows + found.prior_rows) == 5
    for row in found.rows + found.prior_rows:
        sounds = [heard(take) for take in [*filter(None, [row.target]), *takes_of(row)]]
        assert np.ptp([in_db(rms(sound)) for sound in sounds]) < 0.01
        assert max(peak(sound) for sound in sounds) < 0.9995
        assert not any(take.obstacle for take in takes_of(row))


def test_a_row_is_lowered_as_far_as_its_spikiest_sound_needs_and_says_by_how_much(folder):
    put(folder, f"{LAST}/01-drum-1.wav", spike(0.9, hum=0.05), "snake/seed-1")
    first, second, _ = listening(read_folder(folder)).rows
    assert not first.lowered
    target, _ = soundfile.read(folder / "runs/snake/seed-0/audio/target/01-drum-1.wav", always_2d=True)
    said = lowered_by(second)
    assert said > 3
    assert in_db(rms(target) / rms(heard(second.target))) == pytest.approx(said, abs=0.06)
    assert float(second.target.gain.removesuffix(" dB").replace("\N{MINUS SIGN}", "-")) == -said
    # No further than needed: the spike stands at full scale.
    assert max(peak(heard(take)) for take in takes_of(second)) == pytest.approx(0.999, abs=1e-3)
    assert f"drum-1 0.333 s, lowered by {second.lowered}" in text_of(write_report(folder))


def test_an_arm_that_has_no_sound_yet_says_so_beside_those_that_have(folder):
    """A run that failed before its first step leaves an arm without a single sound."""
    for run in (folder / "runs" / "leaky_relu").glob("seed-*"):
        shutil.rmtree(run / "audio")
    assert "no sound from seed 0" in text_of(write_report(folder))


def text_of(page):
    """The words of the section; the first screen shows one of its rows again."""
    section = re.search(r'<section id="listen">.*?</section>', page.read_text("utf-8"), re.DOTALL)[0]
    without = re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", " ", section, flags=re.DOTALL)
    return " ".join(without.split()).replace(" ,", ",")


def test_choosing_a_seed_changes_no_level(folder):
    put(folder, f"{LAST}/01-drum-1.wav", spike(0.9, hum=0.05), "snake/seed-1")
    row = listening(read_folder(folder)).rows[1]
    levels = {take.seed: in_db(rms(heard(take))) for take in row.cells[0].takes}
    assert levels[0] == pytest.approx(levels[1], abs=0.01)


@pytest.mark.parametrize("name", ["00-drum-0", "prior-00"])
@pytest.mark.parametrize("level", [0.0, 1e-5, 0.005, 0.02])
def test_what_is_nearly_silent_says_so_and_keeps_its_level(folder, name, level):
    hiss = np.random.default_rng(0).uniform(-level, level, RATE // 3)
    put(folder, f"{LAST}/{name}.wav", hiss, "snake/seed-0")
    found = listening(read_folder(folder))
    row = found.prior_rows[0] if name.startswith("prior") else found.rows[0]
    quiet, *others = takes_of(row)
    assert "silent" in quiet.obstacle
    assert quiet.gain == ""
    assert peak(heard(quiet)) <= level + 1e-4
    assert not any(take.obstacle for take in others)
    assert text_of(write_report(folder)).count(quiet.obstacle) == 1


def test_a_quiet_drum_is_no_silence(folder):
    path = folder / "runs/snake/seed-0" / LAST / "00-drum-0.wav"
    audio, _ = soundfile.read(path)
    put(folder, f"{LAST}/00-drum-0.wav", 0.15 * audio, "snake/seed-0")
    quiet = takes_of(listening(read_folder(folder)).rows[0])[0]
    assert not quiet.obstacle
    assert quiet.gain.startswith("+")


def test_what_is_too_quiet_by_more_than_the_most_gain_says_how_far_it_stays_below(folder):
    put(folder, f"{LAST}/00-drum-0.wav", spike(0.06, hum=0.0005), "snake/seed-0")
    row = listening(read_folder(folder)).rows[0]
    quiet, *others = takes_of(row)
    missing = float(re.search(r"still (\S+) dB too quiet", quiet.obstacle)[1])
    assert quiet.gain == "+24 dB"
    assert in_db(rms(heard(others[0])) / rms(heard(quiet))) == pytest.approx(missing, rel=0.05)
    assert not any(take.obstacle for take in others)


def test_beside_a_silent_target_every_sound_is_as_loud_as_it_came(folder):
    put(folder, "audio/target/00-drum-0.wav", np.zeros(RATE // 3))
    row = listening(read_folder(folder)).rows[0]
    assert row.target.obstacle == "silent"
    came, _ = soundfile.read(folder / "runs/snake/seed-0" / LAST / "00-drum-0.wav", always_2d=True)
    np.testing.assert_allclose(heard(takes_of(row)[0]), came, atol=1e-4)
    assert "no target sets a level: every sound as loud as it came" in text_of(write_report(folder))


def test_quiet_beside_a_quiet_target_is_no_silence():
    reference = Reference.of(np.full((100, 1), 0.01))
    assert not reference.silence(np.full((100, 1), 0.002))
    assert reference.silence(np.full((100, 1), 0.9 * NEARLY_SILENT * 0.01))
    assert reference.gain_for(np.full((100, 1), 0.002)).factor == pytest.approx(5.0)


def test_nothing_gets_more_than_the_most_gain():
    audio = np.zeros((10_000, 1))
    audio[0] = 0.1
    gain = Reference(0.5, 1.0).gain_for(audio)
    assert gain.factor == MOST_GAIN
    assert gain.obstacle
