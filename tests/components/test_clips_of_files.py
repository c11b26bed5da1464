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


def test_a_clip_without_its_hit_is_told(tmp_path):
    assert "the hit is not in the clip: it comes 1." in read(written(tmp_path, at(1, 2, 0.003))).note
    click = at(1, 2)
    click[100:140] = 0.02
    assert "the hit is not in the clip" in read(written(tmp_path, click)).note
    swell = noise(2 * RATE, 0.25) * np.exp((np.arange(2 * RATE) / RATE - 2) * 4)
    assert "the hit is not in the clip" in read(written(tmp_path, swell)).note
    assert read(written(tmp_path, at(1, 2))).note == ""


def test_a_recording_of_many_hits_is_told(tmp_path):
    session = np.concatenate([np.pad(drum(hertz=40 + i), (0, RATE - 13230)) for i in range(8)])
    assert "% of the sound is in its clip, of 8.0 s" in read(written(tmp_path, session)).note


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
