"""Claims of the conversion: one tone is one tone, whatever it was stored in."""

import numpy as np
import pytest
import soundfile

from flowvae.contracts import Sound
from flowvae_components.audio_files import fitting
from flowvae_components.datasets.folder import Folder
from flowvae_components.datasets.judging import sound_notes

RATE = 44_100
LOSSLESS = [
    *(("WAV", encoding) for encoding in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    *(
        (container, "PCM_16")
        for container in ("WAVEX", "AIFF", "FLAC", "CAF", "AU", "W64", "RF64", "SVX", "VOC")
    ),
    *(("FLAC", "PCM_24"), ("AIFF", "FLOAT"), ("AIFF", "PCM_S8")),
]
LOSSY = [("WAV", "ULAW"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]


def tone(rate, seconds=1.0, hz=440.0, level=0.5):
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def read_one(path, channels=1, **options):
    [item] = list(Folder(RATE, channels, 16_384, path=path, **options).read())
    assert isinstance(item, Sound), item
    return item


def assert_same_tone(audio, least):
    reference = tone(RATE)[: audio.shape[-1]]
    assert abs(audio.shape[-1] - RATE) <= 1
    for channel in audio.astype(np.float64):
        assert np.corrcoef(channel, reference)[0, 1] > least
        assert abs(10 * np.log10(np.mean(channel**2) / np.mean(reference**2))) < 0.1


@pytest.mark.parametrize(("container", "encoding"), LOSSLESS)
def test_case_36_every_lossless_kind_gives_the_same_tone(container, encoding, tmp_path):
    soundfile.write(tmp_path / "x.wav", tone(RATE), RATE, format=container, subtype=encoding)
    assert_same_tone(read_one(tmp_path, peak=None).audio, 0.999)


@pytest.mark.parametrize(("container", "encoding"), LOSSY)
def test_case_36_every_lossy_kind_gives_nearly_the_same_tone(container, encoding, tmp_path):
    rate = 48_000 if encoding == "OPUS" else RATE
    soundfile.write(tmp_path / "x.ogg", tone(rate), rate, format=container, subtype=encoding)
    assert_same_tone(read_one(tmp_path, peak=None).audio, 0.98)


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 32_000, 48_000, 88_200, 96_000, 192_000])
def test_case_36_every_rate_gives_the_same_tone(rate, tmp_path):
    soundfile.write(tmp_path / "x.wav", tone(rate), rate, subtype="PCM_24")
    assert_same_tone(read_one(tmp_path, peak=None).audio, 0.999)


@pytest.mark.parametrize(("given", "wanted"), [(1, 1), (2, 1), (6, 1), (1, 2), (2, 2), (6, 2), (2, 3)])
def test_case_36_every_number_of_channels_gives_the_same_tone(given, wanted, tmp_path):
    soundfile.write(tmp_path / "x.wav", np.repeat(tone(RATE)[:, None], given, axis=1), RATE, subtype="PCM_24")
    sound = read_one(tmp_path, channels=wanted, peak=None)
    assert sound.audio.shape[0] == wanted
    assert_same_tone(sound.audio, 0.999)
    assert ("channels" in sound.note or "mono repeated" in sound.note) == (given != wanted)


def test_channels_keep_their_order_and_the_mean_is_the_mean():
    audio = np.float32([[1, 0], [0, 1], [2, 2], [3, 5]])
    assert fitting.to_channels(audio, 2)[0].tolist() == [[1, 0], [0, 1]]
    assert fitting.to_channels(audio[:2], 3)[0].tolist() == [[1, 0], [0, 1], [1, 0]]
    assert fitting.to_channels(audio, 1)[0].tolist() == [[1.5, 2]]


def test_a_tone_above_the_new_nyquist_frequency_does_not_fold_back():
    folded = fitting.to_rate(tone(96_000, hz=30_000.0)[None].astype(np.float32), 96_000, RATE)
    # Whatever cannot be represented rings at the two ends only.
    assert np.abs(folded[:, 500:-500]).max() < 1e-5


def test_the_conversion_of_the_rate_moves_nothing():
    click = np.zeros((1, 9600), np.float32)
    click[0, 4800] = 1
    assert np.abs(fitting.to_rate(click, 96_000, 48_000)).argmax() == 2400
    assert np.abs(fitting.to_rate(click, 96_000, 192_000)).argmax() == 9600


def test_the_offset_goes_and_the_peak_is_what_was_asked_for(tmp_path):
    soundfile.write(tmp_path / "x.wav", 0.1 + tone(RATE, 0.5, level=0.25), RATE, subtype="PCM_24")
    sound = read_one(tmp_path, peak=0.8)
    assert abs(sound.audio[:, :22_000].mean()) < 1e-3
    assert np.abs(sound.audio).max() == pytest.approx(0.8)
    assert "offset 0.1" in sound.note


def test_without_a_peak_only_what_is_above_full_scale_is_scaled(tmp_path):
    soundfile.write(tmp_path / "x.wav", tone(RATE, level=3.0), RATE, subtype="FLOAT")
    assert np.abs(read_one(tmp_path, peak=None).audio).max() == pytest.approx(1.0)
    soundfile.write(tmp_path / "x.wav", tone(RATE, level=0.3), RATE, subtype="FLOAT")
    assert np.abs(read_one(tmp_path, peak=None).audio).max() == pytest.approx(0.3, abs=1e-4)


def test_the_clip_begins_two_milliseconds_before_the_hit(tmp_path):
    late = np.concatenate([np.zeros(5000), tone(RATE, 0.2, hz=5000.0)])
    late[:5000] += 1e-3 * np.sin(np.arange(5000))
    soundfile.write(tmp_path / "x.wav", late, RATE, subtype="PCM_24")
    assert abs(read_one(tmp_path).start - (5000 - 88)) <= 2
    soundfile.write(tmp_path / "x.wav", late[5000:], RATE)
    assert read_one(tmp_path).start == 0


def test_an_abrupt_end_is_faded_and_told(tmp_path):
    soundfile.write(tmp_path / "x.wav", tone(RATE, 0.1), RATE)
    sound = read_one(tmp_path)
    assert "ends abruptly" in sound.note
    assert np.abs(sound.audio[:, -4:]).max() < 1e-3
    assert np.abs(sound.audio[:, :-221]).max() > 0.9


def test_clipping_is_counted():
    clipped = np.clip(tone(RATE, 0.1, level=1.5), -1, 1)[None].astype(np.float32)
    [note] = [note for note in sound_notes(clipped, "PCM_16") if "clipped" in note]
    assert note == f"clipped: {(np.abs(clipped) >= 0.9999).sum()} samples at full scale"
    assert not any("clipped" in note for note in sound_notes(clipped * np.float32(0.9), "PCM_16"))


@pytest.mark.parametrize(
    ("rate", "wanted"), [(96_000, RATE), (RATE, 96_000), (48_000, 8_000), (8_000, 8_001)]
)
@pytest.mark.parametrize("n_samples", [1, 2, 7, 441, 1000])
def test_another_rate_has_its_share_of_samples_and_one_at_least(rate, wanted, n_samples):
    resampled = fitting.to_rate(np.ones((2, n_samples), np.float32), rate, wanted)
    assert resampled.shape == (2, max(1, round(n_samples * wanted / rate)))
