"""Augmentations change what they say and nothing else."""

import numpy as np
import pytest
import torch
from scipy import signal
from torch.utils._python_dispatch import TorchDispatchMode

from flowvae.testing import augmentation as conformance
from flowvae.testing.streams import SeededStream
from flowvae_components.augmentations import phase_mangle
from flowvae_components.augmentations.all_pass import all_pass
from flowvae_components.augmentations.dequantize import Dequantize
from flowvae_components.augmentations.phase_mangle import PhaseMangle
from flowvae_components.augmentations.polarity import Polarity
from flowvae_components.augmentations.random_crop import RandomCrop

RATE, CPU = 44100, torch.device("cpu")
AUGMENTATIONS = {
    "random_crop": RandomCrop,
    "phase_mangle": lambda sample_rate, n_samples: PhaseMangle(sample_rate),
    "dequantize": lambda sample_rate, n_samples: Dequantize(),
    "polarity": lambda sample_rate, n_samples: Polarity(),
}


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("make", AUGMENTATIONS.values(), ids=AUGMENTATIONS)
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_augmentations_do_what_an_augmentation_must(make, check):
    check(make)


def test_crop_of_a_ramp_is_a_ramp_from_near_the_slack():
    slack, n = 400, 1000
    ramp = torch.arange(n + 2 * slack).float().expand(200, 2, -1)
    cut = RandomCrop(RATE, n, jitter_ms=5.0)(ramp, SeededStream(0))
    starts = cut[:, 0, 0]
    assert torch.equal(cut, (starts[:, None, None] + torch.arange(n)).expand_as(cut))
    assert starts.min() >= slack - 220  # 5 ms are 220.5 samples
    assert starts.max() <= slack + 220
    assert starts.min() < slack - 150 < slack + 150 < starts.max()


class Written(TorchDispatchMode):
    """How many numbers are written, views left out."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.numbers += 0 if func.is_view else result.numel()
        return result


def test_crop_copies_each_sound_and_writes_no_index_a_sample():
    batch, crop = noise(4, 2, 1100), RandomCrop(RATE, 1000, jitter_ms=1.0)
    with Written() as written:
        cut = crop(batch, SeededStream(0))
    assert cut.numel() <= written.numbers < cut.numel() + 100


def test_crop_without_jitter_is_the_clip():
    batch = noise(3, 2, 50)
    assert torch.equal(RandomCrop(RATE, 40, jitter_ms=0.0)(batch, SeededStream(0)), batch[..., 5:45])


def test_crop_refuses_a_slack_that_is_too_small():
    with pytest.raises(ValueError, match=r"^jitter_ms must fit the slack of 5 samples"):
        RandomCrop(RATE, 40, jitter_ms=5.0)(noise(1, 1, 50), SeededStream(0))


@pytest.mark.parametrize("frequency", [20.0, 150.0, 2000.0])
def test_mangled_sound_is_that_of_scipys_all_pass(frequency):
    mangle = PhaseMangle(RATE, probability=1.0, low_hz=frequency, high_hz=frequency)
    x, theta, radius = noise(2, 2, 4000), 2 * np.pi * frequency / RATE, 0.99
    # The stream draws in single precision: 1e-6 of the frequency is lost.
    a = np.array([1, -2 * radius * np.cos(theta), radius**2])
    expected = signal.lfilter(a[::-1], a, x.numpy(), axis=-1)
    assert np.abs(mangle(x, SeededStream(0)).numpy() - expected).max() < 1e-4


@pytest.mark.parametrize("frequency", [1e-3, 20.0, 150.0, 2000.0, RATE / 2])
@pytest.mark.parametrize("radius", [0.5, 0.99, 0.999_999])
def test_filtering_in_blocks_is_the_recursion(radius, frequency):
    x, theta = noise(2, 2, 5000), 2 * np.pi * frequency / RATE
    a = np.array([1, -2 * radius * np.cos(theta), radius**2])
    expected = signal.lfilter(a[::-1], a, x.numpy(), axis=-1)
    ours = all_pass(x, torch.full((2,), theta, dtype=torch.float64), radius).numpy()
    # The recursion itself loses digits where both poles are nearly one: no more than these.
    assert np.abs(ours - expected).max() < 1e-7 * np.abs(expected).max()


@pytest.mark.parametrize("n_samples", [1, 15, 16, 17, 255, 256, 257, 4095, 4096, 4097])
def test_filtering_in_blocks_takes_every_length(n_samples):
    x, theta = noise(3, 1, n_samples), torch.tensor([0.003, 0.1, 3.0]).double()
    for item, (sound, angle) in enumerate(zip(x, theta.tolist(), strict=True)):
        a = np.array([1, -2 * 0.99 * np.cos(angle), 0.99**2])
        expected = signal.lfilter(a[::-1], a, sound.numpy())
        assert np.allclose(all_pass(x, theta, 0.99)[item].numpy(), expected, atol=1e-11)


@pytest.mark.parametrize("frequency", [20.0, 150.0, 2000.0])
@pytest.mark.parametrize("radius", [0.9, 0.99, 0.9999])
def test_single_precision_is_enough(radius, frequency):
    """Beside a product of spectra in double precision; in single precision the recursion is wrong by 4e-5 at 20 Hz."""
    x, theta = noise(2, 1, 44100), torch.full((2,), 2 * np.pi * frequency / RATE, dtype=torch.float64)
    click = torch.zeros(1, 1, 1 << 18).double()
    click[..., 0] = 1
    response = torch.fft.rfft(all_pass(click, theta[:1], radius))
    expected = torch.fft.irfft(torch.fft.rfft(x, 1 << 18) * response, 1 << 18)[..., :44100]
    error = all_pass(x.float(), theta, radius).double() - expected
    assert error.abs().max() < 2.4e-7 * expected.abs().max()


def test_the_all_pass_leaves_every_magnitude():
    click = torch.zeros(2, 1, 1 << 14).double()
    click[..., 0] = 1
    response = torch.fft.rfft(all_pass(click, torch.tensor([0.003, 1.0]).double(), 0.99))
    assert (response.abs() - 1).abs().max() < 1e-10


def test_mangling_keeps_the_energy_of_an_impulse():
    click = torch.zeros(1, 1, 4096).double()
    click[..., 0] = 1
    out = PhaseMangle(RATE, probability=1.0)(click, SeededStream(1))
    assert out.square().sum().item() == pytest.approx(1, abs=1e-5)
    assert out[..., 0].item() == pytest.approx(0.9801, abs=1e-5)
    assert out[..., 800:].abs().max() < 1e-3


def test_mangling_keeps_the_stereo_image():
    left = noise(4, 1, 2000)
    out = PhaseMangle(RATE, probability=1.0)(torch.cat((left, 0.5 * left), dim=1), SeededStream(0))
    assert torch.allclose(out[:, 1], 0.5 * out[:, 0], atol=1e-12)


def test_frequencies_are_even_in_the_logarithm(monkeypatch):
    draws = SeededStream(0).uniform(np.log(20), np.log(2000), (4000,), CPU).exp()
    assert draws.median().item() == pytest.approx(200, rel=0.1)  # the geometric mean of 20 and 2000
    seen = []
    monkeypatch.setattr(phase_mangle, "all_pass", lambda x, theta, radius: seen.append(theta) or x)
    PhaseMangle(RATE)(torch.zeros(2000, 1, 8), SeededStream(0))
    assert (seen[0] * RATE / (2 * np.pi)).median().item() == pytest.approx(200, rel=0.15)


@pytest.mark.parametrize(
    "make", [lambda p: PhaseMangle(RATE, probability=p), lambda p: Polarity(probability=p)]
)
def test_probability_is_the_share_of_changed_sounds(make):
    batch = noise(1000, 1, 16)
    for probability in (0.0, 0.3, 1.0):
        share = (make(probability)(batch, SeededStream(0)) != batch).any(-1).double().mean().item()
        assert share == pytest.approx(probability, abs=0.05)
    assert torch.equal(make(0.0)(batch, SeededStream(0)), batch)


def test_polarity_flips_all_channels_of_a_sound_alike():
    batch = noise(50, 2, 16)
    ratio = Polarity()(batch, SeededStream(0)) / batch
    assert set(ratio.unique().tolist()) == {-1.0, 1.0}
    assert torch.equal(ratio, ratio[:, :1, :1].expand_as(ratio))


def test_dequantizing_noise_fills_one_step_around_zero():
    added = Dequantize(bits=16)(torch.zeros(100, 1, 10000), SeededStream(0)).double()
    step = 2.0**-15
    assert added.abs().max() <= step / 2
    assert added.abs().max() > 0.499 * step
    assert abs(added.mean().item()) < 5 * step / 12**0.5 / 1e6**0.5
    assert 20 * np.log10(added.square().mean().sqrt().item()) == pytest.approx(-101.1, abs=0.1)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: RandomCrop(RATE, 8, jitter_ms=-1.0), "jitter_ms"),
        (lambda: PhaseMangle(RATE, probability=1.5), "probability"),
        (lambda: PhaseMangle(RATE, low_hz=0.0), "low_hz"),
        (lambda: PhaseMangle(2000), "high_hz"),
        (lambda: PhaseMangle(RATE, radius=1.0), "radius"),
        (lambda: Polarity(probability=-0.1), "probability"),
        (lambda: Dequantize(bits=0), "bits"),
    ],
)
def test_values_without_meaning_are_refused_by_name(make, name):
    with pytest.raises(ValueError, match=f"^{name} must"):
        make()
