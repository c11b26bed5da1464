"""Augmentations of level, dynamics, phase and sides change what they say and nothing else."""

import math

import numpy as np
import pytest
import torch
from scipy import signal

from flowvae.testing.streams import SeededStream
from flowvae_components.augmentations.channel_swap import ChannelSwap
from flowvae_components.augmentations.compress import Compress, decaying_sum
from flowvae_components.augmentations.gain import Gain
from flowvae_components.augmentations.mute import Mute
from flowvae_components.augmentations.normalize import Normalize
from flowvae_components.augmentations.phase_rotation import PhaseRotation

RATE = 44100


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def decibels(ratio):
    return 20 * np.log10(np.asarray(ratio))


class Fixed(SeededStream):
    """A stream that draws what it is told, one word a draw."""

    def __init__(self, *values):
        super().__init__(0)
        self.values = list(values)

    def uniform(self, low, high, size, device):
        return torch.full(size, self.values.pop(0), device=device)


@pytest.mark.parametrize("phi", [0.0, 0.7, -2.1, math.pi])
def test_rotated_sound_is_that_of_scipys_hilbert_transform(phi):
    x = noise(2, 2, 1501)
    hilbert = signal.hilbert(x.numpy(), 3072, axis=-1).imag[..., :1501]
    expected = math.cos(phi) * x.numpy() - math.sin(phi) * hilbert
    assert np.abs(PhaseRotation()(x, Fixed(phi, 0.5)).numpy() - expected).max() < 1e-6


def test_rotation_by_pi_is_a_flip_of_the_sign():
    x = noise(3, 1, 4001)
    turned = PhaseRotation()(x, Fixed(math.pi, 0.5))
    assert (turned + x).abs().max() < 1e-6


def test_a_rotated_cosine_is_a_cosine_with_the_angle_added():
    t = torch.arange(8000, dtype=torch.float64)
    phase = 2 * math.pi * 441 / RATE * t
    turned = PhaseRotation()(torch.cos(phase)[None, None], Fixed(1.0, 0.5))[0, 0]
    assert (turned - torch.cos(phase + 1.0))[3000:5000].abs().max() < 0.01


def test_what_is_rotated_at_the_end_does_not_come_in_at_the_start():
    click = torch.zeros(1, 1, 4096).double()
    click[..., -1] = 1
    turned = PhaseRotation()(click, Fixed(math.pi / 2, 0.5))
    # The Hilbert transform of a click falls as 2 / (pi n).
    assert turned[..., :100].abs().max() < 2 / (math.pi * 3996)


def test_angles_are_even_up_to_the_largest_either_way():
    click = torch.zeros(4000, 1, 64, dtype=torch.float64)
    click[..., 32] = 1.0
    turned = PhaseRotation(max_radians=1.0)(click, SeededStream(0))[:, 0]
    # The Hilbert transform of a click is 0 where it stands, and 2 / pi right after it.
    angles = torch.atan2(-turned[:, 33] * math.pi / 2, turned[:, 32])
    assert angles.min().item() == pytest.approx(-1, abs=0.01)
    assert angles.max().item() == pytest.approx(1, abs=0.01)
    assert angles.mean().item() == pytest.approx(0, abs=0.04)
    assert angles.std().item() == pytest.approx(2 / 12**0.5, rel=0.05)


def test_gain_is_the_drawn_ratio_of_levels():
    x = 0.1 * noise(50, 2, 300).clamp(-4, 4)
    for gain_db in (-6.0, 0.5, 3.0):
        louder = Gain(probability=1.0, low_db=gain_db, high_db=gain_db)(x, SeededStream(0))
        ratio = (louder.square().mean((1, 2)) / x.square().mean((1, 2))).sqrt()
        assert np.abs(decibels(ratio) - gain_db).max() < 1e-5


def test_gain_leaves_no_sound_above_full_scale():
    x = noise(50, 2, 300, seed=1).float()
    louder = Gain(probability=1.0, low_db=3.0, high_db=3.0)(x, SeededStream(0))
    assert louder.abs().max() <= 1
    assert torch.allclose(louder, x / x.abs().amax((1, 2), keepdim=True))


def test_gains_are_even_in_decibels():
    gains = decibels(Gain(probability=1.0)(torch.full((4000, 1, 1), 0.1), SeededStream(0)) / 0.1)
    assert gains.min() == pytest.approx(-6, abs=0.05)
    assert gains.max() == pytest.approx(3, abs=0.05)
    assert gains.mean() == pytest.approx(-1.5, abs=0.15)
    assert gains.std() == pytest.approx(9 / 12**0.5, rel=0.05)


def test_muted_sounds_are_silent_and_the_others_as_they_were():
    x = noise(2000, 2, 8)
    out = Mute()(x, SeededStream(0))
    silent = (out == 0).all(-1).all(-1)
    assert silent.double().mean().item() == pytest.approx(0.1, abs=0.02)
    assert torch.equal(out[~silent], x[~silent])


def test_swapped_channels_are_each_other():
    x = noise(200, 2, 8)
    out = ChannelSwap()(x, SeededStream(0))
    swapped = (out != x).any(-1).any(-1)
    assert swapped.double().mean().item() == pytest.approx(0.5, abs=0.1)
    assert torch.equal(out[swapped], x[swapped].flip(1))
    assert torch.equal(out[~swapped], x[~swapped])


def test_swap_leaves_one_channel_and_those_after_the_second():
    mono, many = noise(8, 1, 9), noise(8, 4, 9)
    swap = ChannelSwap(probability=1.0)
    assert torch.equal(swap(mono, SeededStream(0)), mono)
    assert torch.equal(swap(many, SeededStream(0)), many[:, [1, 0, 2, 3]])


def test_normalized_sounds_share_a_peak_that_no_gain_above_the_cap_brings():
    x = torch.tensor([0.5, 4.0, 0.04, 1e-3, 0.0])[:, None, None] * torch.tensor([[0.25, -1.0], [0.5, 0.0]])
    peaks = Normalize(peak_db=-6.0)(x, SeededStream(0)).abs().amax((1, 2))
    level, cap = 10 ** (-6 / 20), 10 ** (30 / 20)
    assert peaks.tolist() == pytest.approx([level, level, level, 1e-3 * cap, 0.0])


def test_normalizing_keeps_the_stereo_image():
    left = noise(4, 1, 200)
    out = Normalize()(torch.cat((left, 0.5 * left), dim=1), SeededStream(0))
    assert torch.allclose(out[:, 1], 0.5 * out[:, 0])


@pytest.mark.parametrize(
    ("level_db", "a", "expected_db"),
    [
        (-40, -10, -10),
        (-40, -60, -60),
        (-20, -20, -10),
        (-60, -20, -50),
        (-60, -60, -70),
        (-90, -10, -90),
        (0, -10, 0),
    ],
)
def test_a_constant_level_settles_at_the_level_of_the_curve(level_db, a, expected_db):
    compress = Compress(RATE, probability=1.0, low_db=float(a), high_db=float(a), smoothing_ms=10.0)
    out = compress(torch.full((1, 2, 20000), -(10 ** (level_db / 20))).double(), SeededStream(0))
    assert decibels(-out[..., -1]) == pytest.approx(expected_db, abs=1e-3)


@pytest.mark.parametrize("n_samples", [1, 127, 128, 129, 16384, 20001])
def test_sum_over_blocks_is_that_of_scipys_filter(n_samples):
    x, fall = noise(2, n_samples).abs(), 1 / 4410
    expected = signal.lfilter([1.0], [1.0, -math.exp(-fall)], x.numpy(), axis=-1)
    assert np.abs(decaying_sum(x, fall).numpy() / expected - 1).max() < 1e-10
    assert np.abs(decaying_sum(x.float(), fall).numpy() / expected - 1).max() < 1e-5


def test_compressed_sound_is_that_of_scipys_filter_and_numpys_curve():
    x = 0.5 * noise(3, 2, 6000) * torch.exp(-torch.arange(6000) / 900.0)
    pole = math.exp(-1 / (0.1 * RATE))
    loudest = np.abs(x.numpy()).max(axis=1)
    follow, _ = signal.lfilter([1 - pole], [1, -pole], loudest, axis=-1, zi=np.full((3, 1), pole))
    level = decibels(follow)
    gain_db = np.interp(level, [-99, -80, -40, 0, 99], [-99, -80, -12, 0, 99]) - level
    expected = x.numpy() * 10 ** (gain_db / 20)[:, None]
    expected /= np.maximum(1, np.abs(expected).max(axis=(1, 2), keepdims=True))
    out = Compress(RATE, probability=1.0, low_db=-12.0, high_db=-12.0)(x, SeededStream(0))
    assert np.abs(out.numpy() - expected).max() < 1e-6


def test_compressing_lifts_a_tail_more_than_its_attack():
    x = torch.exp(-torch.arange(RATE) / 4000.0)[None, None] * noise(1, 1, RATE).sign()
    gain_db = decibels(Compress(RATE, probability=1.0, low_db=-20.0, high_db=-20.0)(x, SeededStream(0)) / x)
    assert abs(gain_db[..., :50]).max() < 0.2
    assert gain_db[..., 17000] > 10  # the sound is at -37 dB, and its envelope still at -21


def test_a_hit_after_a_silence_is_not_blown_above_full_scale():
    x = torch.zeros(1, 1, RATE)
    x[..., 30000:31000] = 0.9
    out = Compress(RATE, probability=1.0, low_db=0.0, high_db=0.0)(x, SeededStream(0))
    assert out.abs().max().item() == pytest.approx(1, abs=1e-6)


def test_compressing_keeps_the_stereo_image():
    left = 0.2 * noise(4, 1, 2000)
    out = Compress(RATE, probability=1.0)(torch.cat((left, -0.01 * left), dim=1), SeededStream(0))
    assert torch.allclose(out[:, 1], -0.01 * out[:, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: PhaseRotation(probability=1.5), "probability"),
        (lambda: PhaseRotation(max_radians=4.0), "max_radians"),
        (lambda: Gain(probability=-1.0), "probability"),
        (lambda: Gain(low_db=4.0), "low_db"),
        (lambda: Mute(probability=math.nan), "probability"),
        (lambda: ChannelSwap(probability=2.0), "probability"),
        (lambda: Normalize(peak_db=1.0), "peak_db"),
        (lambda: Normalize(max_gain_db=-1.0), "max_gain_db"),
        (lambda: Compress(RATE, probability=2.0), "probability"),
        (lambda: Compress(RATE, high_db=1.0), "high_db"),
        (lambda: Gain(high_db=121.0), "high_db"),
        (lambda: Compress(RATE, smoothing_ms=0.0), "smoothing_ms"),
    ],
)
def test_values_without_meaning_are_refused_by_name(make, name):
    with pytest.raises(ValueError, match=f"^{name} must"):
        make()
