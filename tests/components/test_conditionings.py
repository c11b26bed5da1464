"""What a discriminator hears: the sound as it is, or at one level."""

import pytest
import torch

from flowvae.testing import conditioning as conformance
from flowvae_components.conditionings.jointly import PeakScaledJointly
from flowvae_components.conditionings.peak_scaled import PeakScaled


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [PeakScaled, PeakScaledJointly])
def test_it_does_what_a_conditioning_must(make, check):
    check(make)


def test_scaled_jointly_the_balance_of_the_channels_is_heard():
    x = noise(3, 2, 999)
    panned = torch.tensor([1.0, 0.25]).double()[:, None] * x
    heard = PeakScaledJointly(floor=1e-12)(panned)
    levels = heard.square().mean(-1) / x.square().mean(-1)
    assert torch.allclose((levels[:, 0] / levels[:, 1]).sqrt(), torch.full((3,), 4.0).double(), rtol=1e-2)
    assert torch.allclose(heard.abs().amax((1, 2)), torch.full((3,), 0.8).double())
    assert torch.allclose(PeakScaledJointly(floor=1e-12)(3 * panned + 0.5), heard, atol=1e-9)


def test_of_one_channel_both_scalings_are_one():
    x = noise(3, 1, 999)
    assert torch.equal(PeakScaledJointly()(x), PeakScaled()(x))


def test_peaks_follow_their_formula():
    x = noise(3, 2, 99) + 0.3
    centred = x.numpy() - x.numpy().mean(-1, keepdims=True)
    expected = 0.8 * centred / (abs(centred).max(-1, keepdims=True) + 1e-4)
    assert torch.allclose(PeakScaled()(x), torch.from_numpy(expected), rtol=1e-12)


def test_the_gradient_is_that_of_the_formula_with_the_mean_and_the_peak_in_it():
    assert torch.autograd.gradcheck(PeakScaled(), (noise(2, 2, 9).requires_grad_(),))


@pytest.mark.parametrize("level", [1e-3, 0.1, 1.0, 30.0])
@pytest.mark.parametrize("peak", [0.8, 0.3])
def test_every_item_and_channel_comes_to_the_peak_up_to_the_floor(level, peak):
    x = level * noise(3, 2, 999)
    own = (x - x.mean(-1, keepdim=True)).abs().amax(-1)
    peaks = PeakScaled(peak=peak)(x).abs().amax(-1)
    assert torch.allclose(peaks, peak * own / (own + 1e-4), rtol=1e-12)
    assert (PeakScaled(peak=peak, floor=1e-12)(x).abs().amax(-1) - peak).abs().max() < 1e-8


def test_no_channel_keeps_an_offset():
    assert PeakScaled()(noise(3, 2, 999) + 5).mean(-1).abs().max() < 1e-12


def test_gain_offset_and_balance_are_not_heard():
    x = noise(1, 2, 999)
    changed = torch.tensor([3.0, 0.2]).double()[:, None] * x + 0.5
    assert torch.allclose(PeakScaled(floor=1e-12)(changed), PeakScaled(floor=1e-12)(x), atol=1e-8)


def test_exact_silence_stays_0_and_rounding_noise_stays_faint():
    assert not PeakScaled()(torch.zeros(1, 2, 999)).any()
    constant = torch.full((1, 1, 44100), 0.3)
    assert PeakScaled()(constant).abs().max() < 1e-2
    assert PeakScaled(floor=1e-9)(constant).abs().max() > 0.1  # what the floor is for


def test_silence_has_a_gradient_of_peak_over_floor_at_most():
    x = torch.zeros(1, 1, 999, requires_grad=True)
    PeakScaled()(x)[0, 0, 7].backward()
    assert 0 < x.grad.abs().max() <= 0.8 / 1e-4


def test_half_precision_is_scaled_in_more_digits():
    x = noise(2, 1, 999).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        heard = PeakScaled()(x)
    assert heard.dtype == torch.float32
    assert torch.equal(heard, PeakScaled()(x.float()))


@pytest.mark.parametrize("wrong", [{"peak": 0.0}, {"floor": 0.0}], ids=str)
def test_values_without_meaning_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        PeakScaled(**wrong)
