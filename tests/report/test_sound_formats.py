"""Sounds that cannot be a FLAC file as they are: the page has them all the same, or says what was done."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile

from flowvae.report import listening, sounds
from flowvae.report.write import write_report
from pretended_runs import BASE, WORSE, strike


@pytest.fixture
def folder(runs):
    return runs([BASE[:1], WORSE[:1]], n_clips=1)


def replace(folder, audio, rate, subtype="FLOAT"):
    """Target and reconstructions are others than the engine wrote."""
    for path in folder.glob("runs/*/*/audio/*/00-drum-0.wav"):
        soundfile.write(path, audio, rate, subtype=subtype)


def heard(page):
    """The kind and the samples of every sound of a page."""
    found = re.findall(r"data:audio/(\w+);base64,([^\"]+)", page)
    assert found
    return [
        (kind, *soundfile.read(io.BytesIO(base64.b64decode(text)), dtype="int16", always_2d=True))
        for kind, text in found
    ]


def test_without_flac_in_the_library_every_sound_is_a_wav_of_the_same_samples(folder, monkeypatch):
    with_flac = heard(write_report(folder).read_text(encoding="utf-8"))
    assert {kind for kind, *_ in with_flac} == {"flac"}
    write = soundfile.write

    def without(file, samples, rate, *, format, subtype):  # noqa: A002 - soundfile's own word
        if format == "FLAC":
            raise soundfile.LibsndfileError(1, "Error: ")
        write(file, samples, rate, format=format, subtype=subtype)

    monkeypatch.setattr(sounds.soundfile, "write", without)
    # Not what another test has remembered.
    monkeypatch.setattr(listening, "sound_address", sounds.sound_address)
    page = write_report(folder).read_text(encoding="utf-8")
    alike = heard(page)
    assert {kind for kind, *_ in alike} == {"wav"}
    assert "data:audio/flac" not in page
    for (_, ours, rate), (_, theirs, its_rate) in zip(with_flac, alike, strict=True):
        assert rate == its_rate
        assert np.array_equal(ours, theirs)


def test_a_rate_that_flac_does_not_know_is_a_wav_and_the_others_stay_flac(folder):
    rate = 705_600
    replace(folder, strike(90, 0.06, 0.1, 1), rate, "PCM_16")
    kinds = {
        (kind, its_rate) for kind, _, its_rate in heard(write_report(folder).read_text(encoding="utf-8"))
    }
    assert kinds == {("wav", rate), ("flac", 22_050)}  # the samples of the prior are the engine's


def test_of_ten_channels_the_first_two_are_heard(folder):
    rng = np.random.default_rng(0)
    replace(folder, rng.uniform(-0.5, 0.5, (8000, 10)), 22_050, "PCM_16")
    shapes = {samples.shape for _, samples, _ in heard(write_report(folder).read_text(encoding="utf-8"))}
    assert (8000, 2) in shapes
    assert {channels for _, channels in shapes} == {1, 2}


def test_what_lies_beyond_full_scale_is_lowered_and_nothing_is_cut(folder):
    loud = 2 * strike(90, 0.06, 0.0, 1) / 0.5
    replace(folder, loud, 22_050)
    page = write_report(folder).read_text(encoding="utf-8")
    assert "cut there" not in page
    told = [samples for _, samples, _ in heard(page) if np.abs(samples).max() >= 32766]
    assert told
    assert all(np.sum(np.abs(samples) >= 32766) == 1 for samples in told)


def test_a_float_file_below_full_scale_is_heard_as_it_is_and_nothing_is_said(folder):
    audio = 0.5 * strike(90, 0.06, 0.0, 1)
    replace(folder, audio, 22_050)
    page = write_report(folder).read_text(encoding="utf-8")
    assert "beyond full scale" not in page
    wanted = np.rint(audio.astype(np.float32).astype(np.float64) * 32768)
    assert any(np.array_equal(samples[:, 0], wanted) for _, samples, _ in heard(page))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sound_that_is_not_finite_is_no_sound_and_stops_nothing(folder, value):
    audio = strike(90, 0.06, 0.0, 1)
    audio[100] = value
    for path in folder.glob("runs/leaky_relu/*/audio/step-*/00-drum-0.wav"):
        soundfile.write(path, audio, 22_050, subtype="FLOAT")
    assert heard(write_report(folder).read_text(encoding="utf-8"))


def test_what_was_lowered_until_it_fits_is_not_called_cut():
    assert sounds.beyond_full_scale(np.array([[1.0000001, -0.5]])) == ""
    assert sounds.beyond_full_scale(np.array([[1.2, -0.5]])).startswith("1.6 dB beyond full scale")
