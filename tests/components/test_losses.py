"""Spectral losses: nothing for equal sounds, ln 2 for a doubled one, sense on silence."""

import math

import numpy as np
import pytest
import torch
from scipy import signal

from counting import Operators, kept_bytes
from flowvae.testing import loss as conformance
from flowvae.testing.loss import plain_stft
from flowvae_components.bands.pqmf import PQMF
from flowvae_components.losses.mid_side_stft import MidSideSTFT
from flowvae_components.losses.multi_resolution_stft import MultiResolutionSTFT
from flowvae_components.losses.multi_scale_mel import MultiScaleMel
from flowvae_components.losses.onset_weighted import OnsetWeighted
from flowvae_components.losses.rave_spectral import RaveSpectral
from flowvae_components.losses.rms_level import RMSLevel
from flowvae_components.losses.subband_stft import SubbandSTFT
from flowvae_components.losses.waveform_l1 import WaveformL1
from flowvae_components.spectra.differences import differences
from flowvae_components.spectra.mel_filters import mel_filters
from flowvae_components.spectra.soft_magnitude import soft_magnitude

RATE = 44100
LOSSES = {
    "rms_level": lambda sample_rate, stft: RMSLevel(),
    "mid_side_stft": lambda sample_rate, stft: MidSideSTFT(stft),
    "multi_resolution_stft": lambda sample_rate, stft: MultiResolutionSTFT(stft),
    "multi_scale_mel": MultiScaleMel,
    "onset_weighted": OnsetWeighted,
    "rave_spectral": lambda sample_rate, stft: RaveSpectral(stft),
    "subband_stft": lambda sample_rate, stft: SubbandSTFT(stft, bands=lambda: PQMF(n_bands=4)),
    "waveform_l1": lambda sample_rate, stft: WaveformL1(),
}
SPECTRAL = {name: make for name, make in LOSSES.items() if name not in {"rms_level", "waveform_l1"}}


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("make", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_losses_do_what_a_loss_must(make, check):
    check(make)


@pytest.mark.parametrize("make", LOSSES.values(), ids=LOSSES)
def test_any_sound_of_any_length_has_a_finite_price_and_gradient(make):
    loss = make(RATE, plain_stft)
    for n_samples in (4099, 4100):
        click = torch.zeros(1, 2, n_samples)
        click[..., 7] = 1
        sounds = (0 * click, 0 * click + 1, click, 1e5 * noise(1, 2, n_samples).float(), -1e-30 * click)
        for target in sounds:
            for estimate in sounds:
                heard = estimate.clone().requires_grad_()
                price = loss(target, heard)
                price.backward()
                assert price.isfinite()
                assert heard.grad.isfinite().all()


@pytest.mark.parametrize("n_fft", [2048, 512, 128])
def test_a_full_scale_sine_has_the_magnitude_one_at_every_window(n_fft):
    tone = torch.sin(2 * torch.pi * torch.arange(8192).double() / 16)[None, None]
    magnitude = soft_magnitude(plain_stft(tone, n_fft, n_fft // 4), full_scale=n_fft / 4, floor=1e-4)
    middle = magnitude[0, :, magnitude.shape[2] // 2]
    assert middle.max().item() == pytest.approx(1.0, abs=1e-3)
    assert middle.argmax().item() == n_fft // 16


def test_magnitudes_rest_on_their_floor():
    silence = torch.zeros(1, 65, 3, dtype=torch.complex128, requires_grad=True)
    magnitude = soft_magnitude(silence, full_scale=32.0, floor=1e-3)
    assert torch.allclose(magnitude, torch.full_like(magnitude, 1e-3))
    magnitude.log().sum().backward()
    assert silence.grad.abs().sum() == 0


def test_the_own_gradient_of_magnitudes_is_that_of_their_formula():
    spectrum = torch.complex(noise(2, 5, 3), noise(2, 5, 3, seed=1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: soft_magnitude(s, full_scale=3.0, floor=0.2), (spectrum,))


def test_the_own_gradient_of_differences_is_that_of_their_formula():
    x, y = (noise(3, 4, 5, seed=seed).abs().add(0.1).requires_grad_() for seed in (0, 1))
    assert torch.autograd.gradcheck(differences, (x, y))
    norm, logarithm = differences(x, y)
    assert torch.allclose(norm, (y - x).square().sum((1, 2)).sqrt())
    assert torch.allclose(logarithm, (y.log() - x.log()).abs().mean())


def test_differences_of_equal_magnitudes_pull_at_nothing():
    x = noise(2, 4, 5).abs().add(0.1)
    y = x.clone().requires_grad_()
    norm, logarithm = differences(x, y)
    (norm.sum() + logarithm).backward()
    assert not y.grad.any()


def test_the_way_back_from_differences_is_ten_operators_and_keeps_no_third_spectrum():
    x, y = noise(2, 4, 5).abs(), noise(2, 4, 5, seed=1).abs().requires_grad_()
    with kept_bytes() as kept:
        norm, logarithm = differences(x, y)
    assert kept(x, y) == norm.nbytes
    with Operators() as counter:
        torch.autograd.grad((norm, logarithm), y, (norm, logarithm))
    assert counter.total <= 10, counter.found


def test_stft_loss_follows_its_formula():
    x, y = 0.1 * noise(2, 1, 4096), 0.1 * noise(2, 1, 4096, seed=1)
    total = 0.0
    for n_fft in (1024, 256):
        window = signal.get_window("hann", n_fft)
        padded = [np.pad(a.numpy()[:, 0], ((0, 0), (n_fft // 2, n_fft // 2)), mode="reflect") for a in (x, y)]
        spectra = []
        for audio in padded:
            frames = np.lib.stride_tricks.sliding_window_view(audio, n_fft, axis=1)[:, :: n_fft // 4]
            power = np.abs(np.fft.rfft(frames * window)) ** 2 * (4 / n_fft) ** 2
            spectra.append(np.sqrt(power + 1e-8))
        real, other = spectra
        size = np.sqrt((real**2 + 1e-6).sum((1, 2)))
        total += (np.sqrt(((other - real) ** 2).sum((1, 2))) / size).mean()
        total += np.abs(np.log(other / real)).mean()
    loss = MultiResolutionSTFT(plain_stft, n_ffts=(1024, 256))(x, y)
    assert loss.item() == pytest.approx(total / 2, rel=1e-9)


def test_twice_the_amplitude_costs_one_and_ln_2():
    loss = MultiResolutionSTFT(plain_stft, floor=1e-9)
    assert loss(100 * noise(2, 1, 8192), 200 * noise(2, 1, 8192)).item() == pytest.approx(
        1 + math.log(2), abs=1e-4
    )


def test_samples_cost_their_mean_distance():
    x, y = noise(3, 2, 4096), noise(3, 2, 4096, seed=1)
    assert WaveformL1()(x, y).item() == pytest.approx(np.abs(y.numpy() - x.numpy()).mean(), rel=1e-12)
    assert WaveformL1()(x, -x).item() == pytest.approx(2 * x.abs().mean().item(), rel=1e-12)


def rave(x, y, n_fft):
    """AudioDistanceV1 for one item at one window, both parts, by SciPy."""
    hop = n_fft // 4
    transform = signal.ShortTimeFFT(signal.get_window("hann", n_fft), hop, RATE)
    padded = [np.pad(audio.numpy(), n_fft // 2, mode="reflect") for audio in (x, y)]
    # SciPy's frame 2 of a hop of a quarter is the first that lies wholly within what it is given.
    real, other = (np.abs(transform.stft(a, p0=2, p1=3 + len(x) // hop)) * 4 / n_fft for a in padded)
    return ((other - real) ** 2).mean() / (real**2).mean(), np.abs(np.log(other) - np.log(real)).mean()


def test_the_distance_of_rave_follows_its_formula_with_each_item_for_itself():
    x, y = noise(2, 2, 4096), noise(2, 2, 4096, seed=1)
    gain = torch.tensor([[1.0, 300.0], [0.5, 20.0]]).double()[..., None]
    apart = [[rave(x[i, c], y[i, c], n_fft) for i in range(2) for c in range(2)] for n_fft in (1024, 256)]
    loss = RaveSpectral(plain_stft, n_ffts=(1024, 256), floor=1e-12)
    assert loss(gain * x, gain * y).item() == pytest.approx(np.mean(apart, axis=1).sum(), rel=1e-3)


def test_twice_the_amplitude_costs_one_and_ln_2_a_window_of_rave():
    price = RaveSpectral(plain_stft)(1e4 * noise(2, 1, 8192), 2e4 * noise(2, 1, 8192))
    assert price.item() == pytest.approx(5 * (1 + math.log(2)), abs=1e-4)


def test_missed_noise_costs_what_it_costs_rave():
    """97 with RAVE's 1e-7 of an unscaled transform, of which 92 are logarithms; a floor here is of full scale."""
    floor = 1e-9
    scale = sum(math.log(1e-7 / (floor * n_fft / 4)) for n_fft in (2048, 1024, 512, 256, 128))
    price = RaveSpectral(plain_stft, floor=floor)(noise(1, 1, 65536), torch.zeros(1, 1, 65536).double())
    assert price.item() - scale == pytest.approx(97, abs=0.5)


def test_a_silent_sound_is_not_divided_by_its_silence():
    silence, faint = torch.zeros(1, 1, 4096).double(), 1e-2 * noise(1, 1, 4096)
    assert RaveSpectral(plain_stft)(silence, faint) < 50  # 700 relative to the floor alone


def test_a_loss_that_breaks_on_one_channel_is_told_from_one_that_refuses_it():
    class Difference(torch.nn.Module):
        def forward(self, target, estimate):
            return (target[:, 1] - estimate[:, 1]).abs().mean()

    conformance.one_channel_is_heard_or_refused(LOSSES["mid_side_stft"])
    with pytest.raises(AssertionError, match="IndexError"):
        conformance.one_channel_is_heard_or_refused(lambda sample_rate, stft: Difference())


def test_twice_the_amplitude_costs_log10_2_a_mel_scale():
    loss = MultiScaleMel(RATE, plain_stft).double()
    value = loss(1e4 * noise(2, 1, 8192), 2e4 * noise(2, 1, 8192)).item()
    assert value == pytest.approx(7 * math.log10(2), abs=1e-5)


@pytest.mark.parametrize("overlap", [2, 4])
def test_mel_loss_follows_its_formula(overlap):
    x, y = noise(2, 1, 4096), noise(2, 1, 4096, seed=1)
    filters = mel_filters(RATE, 1024, 40).double()
    log_mels = [(filters @ plain_stft(a, 1024, 1024 // overlap).abs()).clamp_min(0.1).log10() for a in (x, y)]
    loss = MultiScaleMel(RATE, plain_stft, n_ffts=(1024,), n_mels=(40,), floor=0.1, overlap=overlap).double()
    assert torch.isclose(loss(x, y), (log_mels[0] - log_mels[1]).abs().mean(), rtol=1e-3)


@pytest.mark.parametrize("make", SPECTRAL.values(), ids=SPECTRAL)
def test_polarity_costs_nothing(make):
    loss = make(RATE, plain_stft).double()
    assert loss(noise(1, 2, 4096), -noise(1, 2, 4096)).abs() < 1e-12


@pytest.mark.parametrize("make", LOSSES.values(), ids=LOSSES)
def test_swapping_the_channels_of_both_sounds_costs_the_same(make):
    loss, x, y = make(RATE, plain_stft).double(), noise(1, 2, 4096), noise(1, 2, 4096, seed=1)
    assert torch.isclose(loss(x, y), loss(x.flip(1), y.flip(1)), rtol=1e-12)


def test_each_item_is_weighed_by_its_own_loudness():
    x, y = noise(2, 1, 4096), noise(2, 1, 4096, seed=1)
    loss = MultiResolutionSTFT(plain_stft)
    gain = torch.tensor([1.0, 100.0]).double()[:, None, None]
    apart = (loss(x[:1], y[:1]) + loss(100 * x[1:], 100 * y[1:])) / 2
    assert torch.isclose(loss(gain * x, gain * y), apart, rtol=1e-9)


def test_rounding_noise_in_a_silent_tail_costs_next_to_nothing():
    hit = 0.5 * noise(1, 1, 8192) * (torch.arange(8192) < 1000)
    tail = hit + 2.0**-15 * (
        torch.rand(1, 1, 8192, generator=torch.Generator().manual_seed(2)).double() - 0.5
    )
    assert MultiResolutionSTFT(plain_stft)(hit, tail) < 1e-3


def test_a_faint_tail_that_can_be_heard_costs_something():
    hit = 0.5 * noise(1, 1, 8192) * (torch.arange(8192) < 1000)
    assert MultiResolutionSTFT(plain_stft)(hit, hit + 3e-3 * noise(1, 1, 8192, seed=2)) > 0.1


def test_mel_filters_have_no_empty_band_at_44100():
    for n_fft, n_mels in zip((32, 64, 128, 256, 512, 1024, 2048), (5, 10, 20, 40, 80, 160, 320), strict=True):
        assert (mel_filters(RATE, n_fft, n_mels).sum(1) > 0).all()


def test_empty_filters_at_48000_are_no_warning():
    loss = MultiScaleMel(48000, plain_stft)  # warnings are errors here
    assert loss(torch.zeros(1, 1, 4096), torch.zeros(1, 1, 4096)) == 0


def test_mel_filters_rise_and_fall_where_slaney_says():
    """Below 1000 Hz Slaney's scale is a line of 200 / 3 Hz a mel: evenly spaced triangles, area 1 over hertz."""
    rate, n_fft = 2000, 20000
    filters = mel_filters(rate, n_fft, 4)  # 0 .. 1000 Hz: centres at 200, 400, 600, 800
    assert (filters.argmax(1) * rate / n_fft).tolist() == pytest.approx([200, 400, 600, 800], abs=0.2)
    assert (filters.sum(1) * rate / n_fft).tolist() == pytest.approx([1.0] * 4, abs=1e-3)


def test_silence_pulls_at_nothing_in_the_mel_loss():
    estimate = torch.full((1, 1, 4096), 1e-9, requires_grad=True)
    MultiScaleMel(RATE, plain_stft)(torch.zeros(1, 1, 4096), estimate).backward()
    assert estimate.grad.abs().sum() == 0


def test_mel_loss_ignores_half_precision():
    loss, x, y = MultiScaleMel(RATE, plain_stft), noise(1, 1, 4096).float(), noise(1, 1, 4096, seed=1).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(loss(x, y), MultiScaleMel(RATE, plain_stft)(x, y))
        value = loss(x, y)
    assert torch.equal(value, loss(x, y))


def test_every_transform_goes_through_the_given_one():
    asked = []

    def counting(audio, n_fft, hop_length):
        asked.append((n_fft, hop_length))
        return plain_stft(audio, n_fft, hop_length)

    x = noise(1, 1, 4096).float()
    MultiResolutionSTFT(counting)(x, x)
    MultiScaleMel(RATE, counting)(x, x)
    assert set(asked) == {(2**k, 2**k // 4) for k in range(5, 12)}
    assert len(asked) == 2 * 3 + 2 * 7


@pytest.mark.parametrize("wrong", [{"n_ffts": ()}, {"overlap": 0}, {"floor": 0.0}], ids=str)
@pytest.mark.parametrize(
    "make", [MultiResolutionSTFT, MidSideSTFT, RaveSpectral], ids=lambda make: make.__name__
)
def test_stft_losses_refuse_values_without_meaning_by_name(make, wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        make(plain_stft, **wrong)


@pytest.mark.parametrize(
    "wrong", [{"n_mels": (5,)}, {"n_ffts": (30,) * 7}, {"floor": 0.0}, {"overlap": 0}], ids=str
)
def test_mel_loss_refuses_values_without_meaning_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        MultiScaleMel(RATE, plain_stft, **wrong)


@pytest.mark.parametrize(("gains", "price"), [((0, 0), 0), ((-20, 0), 0.5), ((6, -6), 0.3), ((-3, -3), 0.15)])
def test_a_level_costs_a_decade_for_20_db_and_errors_do_not_cancel(gains, price):
    x = noise(2, 2, 4000)
    gain = 10 ** (torch.tensor(gains, dtype=torch.float64) / 20)
    assert RMSLevel(floor=1e-6)(x, gain[:, None, None] * x).item() == pytest.approx(price, abs=1e-6)


def test_a_level_does_not_hear_where_the_energy_lies():
    x = noise(1, 1, 4000)
    assert RMSLevel()(x, x.flip(-1)).item() == pytest.approx(0, abs=1e-12)


def test_spectra_of_noise_are_least_wrong_for_a_faint_estimate_and_a_level_is_not():
    """Of other noise of the same kind, which is all that a model can give, the price is least below its true level."""
    targets, others = noise(8, 1, 8000), noise(8, 1, 8000, seed=1)
    gains = torch.linspace(-6, 3, 37)

    def best(loss):
        prices = [loss(targets, 10 ** (gain / 20) * others).item() for gain in gains.tolist()]
        return gains[prices.index(min(prices))].item()

    assert best(RMSLevel()) == pytest.approx(0, abs=0.26)
    assert best(MultiResolutionSTFT(plain_stft)) < -1
