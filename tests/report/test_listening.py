"""What is heard on the page: decoded from it, beside the files that the runs have left."""

import base64
import io
import re
import shutil

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from flowvae.folder.audio import write_wav
from flowvae.report.listening import listening
from flowvae.report.loudness import MOST_LOWERED, loudness
from flowvae.report.number_format import plain
from flowvae.report.reading import read_folder
from flowvae.report.sounds import NEARLY_SILENT, peak, silence
from flowvae.report.spectrograms import N_SHADES, RANGE_DB
from flowvae.report.write import write_report

RATE = 22_050
LAST = "audio/step-000000500"


def heard(take):
    return soundfile.read(io.BytesIO(base64.b64decode(take.sound.partition(",")[2])), always_2d=True)[0]


def takes_of(row):
    return [take for cell in row.cells for take in cell.takes]


def lufs(take):
    return loudness(heard(take), RATE)


def of_row(row):
    return [*filter(None, [row.target]), *takes_of(row)]


def came(folder, arm, name, seed=0):
    return soundfile.read(folder / f"runs/{arm}/seed-{seed}/{LAST}/{name}.wav", always_2d=True)[0]


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


def test_what_is_decoded_from_the_page_has_one_loudness_in_a_row_and_nothing_clips(folder):
    put(folder, f"{LAST}/01-drum-1.wav", spike(0.9, hum=0.05), "snake/seed-1")
    put(folder, f"{LAST}/prior-01.wav", spike(0.99, hum=0.02), "leaky_relu/seed-0")
    found = listening(read_folder(folder))
    assert len(found.rows + found.prior_rows) == 5
    for row in found.rows + found.prior_rows:
        assert np.ptp([lufs(take) for take in of_row(row)]) < 0.1
        assert max(peak(heard(take)) for take in of_row(row)) < 0.9995
        assert not any(take.obstacle for take in of_row(row))


def test_a_row_is_lowered_to_its_quietest_and_no_sound_is_lifted(folder):
    quiet = 0.2 * came(folder, "snake", "01-drum-1", 1)
    put(folder, f"{LAST}/01-drum-1.wav", quiet, "snake/seed-1")
    row = listening(read_folder(folder)).rows[1]
    assert lufs(row.target) == pytest.approx(loudness(quiet, RATE), abs=0.05)
    assert [take.gain for take in row.cells[0].takes][1] == ""
    assert all(take.gain.startswith("\N{MINUS SIGN}") for take in (row.target, row.cells[0].takes[0]))
    target, _ = soundfile.read(folder / "runs/snake/seed-0/audio/target/01-drum-1.wav", always_2d=True)
    assert row.lowered == f"{plain(loudness(target, RATE) - lufs(row.target), 2)} dB"
    assert f"drum-1 0.333 s, lowered by {row.lowered}" in text_of(write_report(folder))


def test_what_lies_too_far_below_the_target_is_not_matched_says_so_and_pulls_nobody_down(folder):
    hiss = np.random.default_rng(0).standard_normal(RATE // 3)
    hiss *= 10 ** (-(MOST_LOWERED + 5) / 20) * 0.05
    hiss[100] = 0.05  # no silence by its peak
    put(folder, f"{LAST}/00-drum-0.wav", hiss, "snake/seed-0")
    row = listening(read_folder(folder)).rows[0]
    far, *others = takes_of(row)
    missing = float(re.fullmatch(r"(\S+) LU quieter, not matched", far.obstacle)[1])
    assert far.gain == ""
    assert np.ptp([lufs(take) for take in (row.target, *others)]) < 0.1
    assert lufs(row.target) - lufs(far) == pytest.approx(missing, abs=0.3)


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
    assert lufs(row.cells[0].takes[0]) == pytest.approx(lufs(row.cells[0].takes[1]), abs=0.1)


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


def test_beside_a_silent_target_every_sound_is_as_loud_as_it_came(folder):
    put(folder, "audio/target/00-drum-0.wav", np.zeros(RATE // 3))
    row = listening(read_folder(folder)).rows[0]
    assert row.target.obstacle == "silent"
    sound = came(folder, "snake", "00-drum-0")
    np.testing.assert_allclose(heard(takes_of(row)[0]), sound, atol=1e-4)
    assert "no target sets a level: every sound as loud as it came" in text_of(write_report(folder))


def test_quiet_beside_a_quiet_target_is_no_silence():
    assert not silence(np.full((100, 1), 0.002), 0.01)
    assert silence(np.full((100, 1), 0.9 * NEARLY_SILENT * 0.01), 0.01)


def shades_of(address):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))), dtype=int)


def test_the_residual_is_target_minus_estimate_at_its_true_level(folder):
    """An estimate of half the target leaves the picture of the target, 6 dB lower; the target itself leaves nothing."""
    target, _ = soundfile.read(folder / "runs/snake/seed-0/audio/target/00-drum-0.wav")
    put(folder, f"{LAST}/00-drum-0.wav", 0.5 * target, "snake/seed-*")
    put(folder, f"{LAST}/00-drum-0.wav", target, "leaky_relu/seed-*")
    found = listening(read_folder(folder))
    half, same = (cell.takes[0] for cell in found.rows[0].cells)
    whole = shades_of(found.rows[0].target.picture)
    loud = whole > 20
    lower = 20 * np.log10(2) / RANGE_DB * (N_SHADES - 1)
    assert np.abs(whole - lower - shades_of(half.residual))[loud].max() <= 1
    assert shades_of(same.residual).max() == 0
    assert found.rows[0].target.residual == ""
    assert not any(take.residual for row in found.prior_rows for take in takes_of(row))
    page = write_report(folder).read_text("utf-8")
    assert page.count('class="residual"') == 3 * 2 * 2 + 2


def test_a_row_with_a_sound_beyond_full_scale_is_lowered_until_nothing_is_cut(folder):
    """Its neighbours go along, so that all are as loud; a file of 16 bits would have cut it before anybody read it."""
    name = f"{LAST}/01-drum-1.wav"
    audio = torch.from_numpy(spike(1.5, hum=0.05))[None]
    assert (
        write_wav(folder / "runs/snake/seed-1" / name, audio, RATE)
        == "1 sample beyond full scale, highest 1.50"
    )
    [row] = [row for row in listening(read_folder(folder)).rows if row.title == "drum-1"]
    assert not any("full scale" in take.obstacle for take in of_row(row))
    sounds = [heard(take) for take in of_row(row)]
    assert all(np.abs(sound).max() < 1 for sound in sounds)
    assert np.abs(heard(row.cells[0].takes[1])).max() > 0.99
