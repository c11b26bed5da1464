"""A shifted sound is the same sound at another speed, begun at the same sample."""

import math

import numpy as np
import pytest
import torch
from scipy import signal

from flowvae.testing.streams import SeededStream
from flowvae_components.augmentations.pitch_shift import CROSSINGS, SLOPE, PitchShift

RATE, N_SAMPLES, SLACK = 44100, 4000, 300
T = N_SAMPLES + 2 * SLACK


def shift(semitones):
    return PitchShift(N_SAMPLES, probability=1.0, low_semitones=semitones, high_semitones=semitones)


def ratio_of(semitones):
    return round(256 * 2 ** (semitones / 12)) / 256


def noise(*size):
    return torch.randn(*size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def tone(frequency, ratio=1.0):
    place = SLACK + (torch.arange(T, dtype=torch.float64) - SLACK) * ratio
    return torch.sin(2 * math.pi * frequency / RATE * place + 0.3)[None, None]


def decibels(out, of):
    return 20 * math.log10((out.square().mean() / of.square().mean()).sqrt().item())


@pytest.mark.parametrize("semitones", [-12.0, -1.3, 0.0, 0.7, 12.0])
def test_shifted_sound_is_the_windowed_sinc_of_its_formula(semitones):
    slack, t = 90, 780
    shifted = PitchShift(t - 2 * slack, probability=1.0, low_semitones=semitones, high_semitones=semitones)
    x, ratio = noise(2, t), ratio_of(semitones)
    cutoff = (1 - SLOPE / 2) * min(1, 1 / ratio)
    u = cutoff * (slack + (np.arange(t) - slack)[:, None] * ratio - np.arange(t))
    window = np.interp(u, np.linspace(-CROSSINGS, CROSSINGS, 100_001), signal.windows.blackman(100_001))
    expected = x.numpy() @ (cutoff * np.sinc(u) * window * (np.abs(u) < CROSSINGS)).T
    out = shifted(x[None], SeededStream(0))[0]
    assert np.abs(out.numpy() - expected).max() < 1e-7
    single = shifted(x[None].float(), SeededStream(0))[0]
    assert np.abs(single.numpy() - expected).max() < 2e-5


@pytest.mark.parametrize("semitones", [-7.0, -2.0, 2.0, 7.0])
@pytest.mark.parametrize("frequency", [60.0, 1000.0, 5000.0])
def test_a_tone_has_the_new_pitch_and_its_level(semitones, frequency):
    ratio = ratio_of(semitones)
    out, expected = shift(semitones)(tone(frequency), SeededStream(0)), tone(frequency, ratio)
    middle = slice(200, min(T, int(T / ratio)) - 300)
    assert (out - expected)[..., middle].abs().max() < 1e-3


def test_ratio_is_within_four_cents_of_what_was_drawn():
    for semitones in np.linspace(-2, 2, 200):
        assert abs(12 * math.log2(ratio_of(semitones)) - semitones) < 0.04


@pytest.mark.parametrize("semitones", [3.0, 12.0])
def test_what_would_fold_down_is_gone(semitones):
    for above in (1.01, 1.2):
        high = tone(above * RATE / 2 / ratio_of(semitones))
        middle = shift(semitones)(high, SeededStream(0))[..., 200:1500]
        assert decibels(middle, high) < -70


@pytest.mark.parametrize("semitones", [-12.0, -2.0, 2.0, 12.0])
def test_the_onset_stays_where_it_is(semitones):
    click = torch.zeros(1, 1, T).double()
    click[..., SLACK] = 1
    out = shift(semitones)(click, SeededStream(0))[0, 0]
    assert out.abs().argmax() == SLACK
    # The click is as wide on both sides.
    assert torch.allclose(out[SLACK - 60 : SLACK + 1], out[SLACK : SLACK + 61].flip(0), atol=1e-12)


def test_beyond_the_material_is_silence():
    up = shift(12.0)(torch.ones(1, 2, T), SeededStream(0))
    assert (up[..., T // 2 + SLACK // 2 + 60 :] == 0).all()
    down = shift(-12.0)(torch.ones(1, 2, T), SeededStream(0))
    assert torch.allclose(down[..., 100:-100], torch.ones(()), atol=1e-3)


def test_shifts_are_even_between_the_ends():
    seen = []

    class Spy(PitchShift):
        def weights(self, steps, slack, dtype):
            seen.append(12 * torch.log2(steps / 256))
            return super().weights(steps, slack, dtype)

    Spy(64)(torch.zeros(500, 1, 64), SeededStream(0))
    assert seen[0].min() == pytest.approx(-2, abs=0.07)
    assert seen[0].max() == pytest.approx(2, abs=0.07)
    assert seen[0].std() == pytest.approx(4 / 12**0.5, rel=0.1)


def test_shifting_keeps_the_stereo_image():
    left = noise(3, 1, T)
    out = PitchShift(N_SAMPLES, probability=1.0)(torch.cat((left, -0.5 * left), dim=1), SeededStream(0))
    assert torch.allclose(out[:, 1], -0.5 * out[:, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"probability": 1.1}, "probability"),
        ({"low_semitones": 3.0}, "low_semitones"),
        ({"high_semitones": 25.0}, "high_semitones"),
    ],
)
def test_values_without_meaning_are_refused_by_name(keys, name):
    with pytest.raises(ValueError, match=f"^{name} must"):
        PitchShift(N_SAMPLES, **keys)
