"""Claims of the folder: a clip that is not the sound of its file is refused, or said to be one."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from flowvae.contracts import Skipped
from flowvae_components.datasets.folder import Folder

RATE = 44100


def drum(seed=0, hertz=60):
    t = np.arange(13230) / RATE
    return 0.8 * np.sin(2 * np.pi * hertz * t) * np.exp(-12 * t)


def noise(count, level, seed=0):
    return np.random.default_rng(seed).normal(0, level, count)


def at(place, seconds, under=0.0):
    whole = noise(round(seconds * RATE), under) if under else np.zeros(round(seconds * RATE))
    start = round(place * RATE)
    whole[start : start + 13230] += drum()
    return whole


def read(path: Path, channels=1):
    return next(iter(Folder(RATE, channels, 16384, path=path).read()))


def written(path, audio, rate=RATE):
    soundfile.write(path / "one.wav", audio, rate, subtype="FLOAT")
    return path


def test_channels_out_of_phase_are_no_sound_of_their_noise(tmp_path):
    both = np.stack([drum(), -drum() + noise(13230, 1e-3)], 1)
    found = read(written(tmp_path, both))
    assert isinstance(found, Skipped)
    assert found.reason == "silent: its channels cancel"
    assert "cancel" not in read(tmp_path, channels=2).note


@pytest.mark.parametrize(("other", "told"), [(0.0, False), (-0.5, True), (1.0, False)])
def test_channels_that_cancel_in_part_are_used_and_told(other, told, tmp_path):
    found = read(written(tmp_path, np.stack([drum(), other * drum()], 1)))
    assert ("cancel in part" in found.note) == told


def loudest_after(sound):
    """Seconds from the beginning of the clip to what is loudest."""
    return (int(np.abs(sound.audio).max(axis=0).argmax()) - sound.start) / RATE


def test_a_clip_begins_at_the_hit_and_not_at_a_noise_before_it(tmp_path):
    click = at(1, 2)
    click[100:140] = 0.02
    for audio in (at(1, 2, 0.003), click, at(1, 2)):
        found = read(written(tmp_path, audio))
        assert 0 <= loudest_after(found) < 0.03
        assert found.note == ""


def test_a_clip_that_would_end_in_its_hit_begins_there(tmp_path):
    edge = np.pad(drum(), (16384 - 60, RATE))
    edge[:400] += 0.02 * drum()[:400]
    found = read(written(tmp_path, edge))
    assert 0 <= loudest_after(found) < 0.03
    assert found.note == ""


def test_a_clip_without_its_hit_is_told(tmp_path):
    swell = noise(2 * RATE, 0.25) * np.exp((np.arange(2 * RATE) / RATE - 2) * 4)
    assert "the hit is not in the clip" in read(written(tmp_path, swell)).note


def test_hits_that_are_played_once_a_clip_are_all_found(tmp_path):
    n = 16384
    takes = [np.pad(drum(hertz=41 + 7 * i), (0, n - 13230)) for i in range(8)]
    found = list(Folder(RATE, 1, n, path=written(tmp_path, np.concatenate(takes))).read())
    assert len(found) == 8


def session(n=8, seconds=1.0):
    gap = round(seconds * RATE) - 13230
    return np.concatenate([np.pad(drum(hertz=40 + 4 * i) / (1 + i % 3), (0, gap)) for i in range(n)])


def test_a_recording_of_many_hits_is_a_sound_for_each(tmp_path):
    found = list(Folder(RATE, 1, 16384, path=written(tmp_path, session())).read())
    assert [sound.name for sound in found] == [f"one.wav/{i:03d}" for i in range(8)]
    assert {(sound.group, sound.whole) for sound in found} == {("one.wav", "one.wav")}
    assert all("one of 8 hits in 8.0 s" in sound.note for sound in found)
    for i, sound in enumerate(found):
        own = drum(hertz=40 + 4 * i)[:12000]
        lag = int(np.abs(sound.audio[0]).argmax()) - int(np.abs(own).argmax())
        assert np.corrcoef(own, sound.audio[0, lag : lag + 12000])[0, 1] > 0.999
        assert np.abs(sound.audio).max() == pytest.approx(0.95)


@pytest.mark.parametrize("under", [0.0, 0.004])
def test_hits_are_found_over_noise_and_none_in_a_decay(under, tmp_path):
    audio = session() + (noise(8 * RATE, under) if under else 0)
    assert len(list(Folder(RATE, 1, 16384, path=written(tmp_path, audio)).read())) == 8
    t = np.arange(6 * RATE) / RATE
    cymbal = (noise(6 * RATE, 0.2) + 0.2 * np.sin(2 * np.pi * 35 * t)) * np.exp(-t / 5)
    [found] = Folder(RATE, 1, 16384, path=written(tmp_path, cymbal)).read()
    assert (found.name, found.whole) == ("one.wav", "")
    assert "% of the sound is in its clip" in found.note


def test_hits_that_one_clip_holds_are_one_sound(tmp_path):
    loop = np.concatenate([np.pad(drum()[:4000], (0, 1512))] * 16)  # eight a second
    found = list(Folder(RATE, 1, 16384, path=written(tmp_path, loop)).read())
    assert len(found) < 8
    [flam] = Folder(RATE, 1, 16384, path=written(tmp_path, loop[:11024])).read()
    assert flam.whole == ""


def test_an_offset_is_taken_where_there_is_sound(tmp_path):
    audio = np.pad(drum() + 0.1, (4000, 40_000))
    found = read(written(tmp_path, audio))
    assert "offset" in found.note
    assert np.abs(found.audio[0, 20_000:]).max() < 1e-3
    assert np.abs(found.audio[0, :3900]).max() < 1e-3


@pytest.mark.parametrize(("rate", "told"), [(8000, True), (22050, True), (44100, False), (96000, False)])
def test_a_file_without_the_upper_frequencies_is_told(rate, told, tmp_path):
    found = read(written(tmp_path, noise(rate, 0.2) * np.exp(-np.arange(rate) / rate * 10), rate))
    assert (f"nothing above {rate // 2} Hz" in found.note) == told


def test_a_recording_whose_sizes_were_never_written_is_read_to_its_end(tmp_path):
    samples = (26000 * drum()).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    head = b"RIFF" + bytes(4) + b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + bytes(4)
    (tmp_path / "one.wav").write_bytes(head + samples)
    found = read(tmp_path)
    assert found.audio.shape == (1, 13230)
    assert "its header gives no length: read to the end" in found.note
    (tmp_path / "one.wav").write_bytes(head + b"LIST" + struct.pack("<I", 4) + b"INFO")
    assert read(tmp_path) == Skipped("one.wav", "no samples in it")
