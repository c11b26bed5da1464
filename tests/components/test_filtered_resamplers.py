"""Pooling with a filter, subpixel and stretch against reference operations, tones and constants."""

import math

import numpy as np
import pytest
import torch
from scipy import signal as scipy_signal
from torch import nn
from torch.nn import functional

from flowvae.testing import downsampler, upsampler
from flowvae_components.blocks.low_pass import low_pass_taps
from flowvae_components.convolutions.causal import causal
from flowvae_components.downsamplers.pool_conv import PoolConv
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm
from flowvae_components.upsamplers.stretch_conv import StretchConv
from flowvae_components.upsamplers.subpixel_conv import SubpixelConv
from flowvae_components.upsamplers.transposed_conv import TransposedConv


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


UPSAMPLERS = {
    "subpixel": lambda i, o, f: SubpixelConv(i, o, f, normalization=weight_norm),
    "icnr": lambda i, o, f: SubpixelConv(i, o, f, start="icnr", normalization=weight_norm),
    "stretch": lambda i, o, f: StretchConv(i, o, f, normalization=weight_norm),
}
factors = pytest.mark.parametrize("factor", [2, 3, 4, 5, 8])


def noise(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("check", upsampler.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", UPSAMPLERS.values(), ids=UPSAMPLERS)
def test_upsampler_conforms(make, check):
    check(make)


@pytest.mark.parametrize("check", downsampler.CHECKS, ids=lambda check: check.__name__)
def test_downsampler_conforms(check):
    check(lambda i, o, f: PoolConv(i, o, f, normalization=weight_norm))


@pytest.mark.parametrize("attenuation_db", [30.0, 47.0, 51.0, 80.0])
@pytest.mark.parametrize("n_taps", [12, 69])
def test_low_pass_taps_are_those_of_scipy(n_taps, attenuation_db):
    window = ("kaiser", scipy_signal.kaiser_beta(attenuation_db))
    expected = scipy_signal.firwin(n_taps, 0.2, window=window, fs=1.0)
    # torch holds the window's beta in float32.
    assert np.allclose(low_pass_taps(n_taps, 0.2, attenuation_db), expected, atol=1e-7)


def passing(factor, convolution=None):
    """A pool_conv whose convolution does nothing: what is left is the filter and the step."""
    layer = PoolConv(1, 1, factor, kernel_size=1, normalization=none, convolution=convolution).double()
    nn.init.ones_(layer.conv.weight)
    return layer


def tone_after(factor, share_of_new_nyquist):
    """(level in dB, the tone that came out without its ends, the same tone at the middle of each step)"""
    omega = math.pi * share_of_new_nyquist / factor
    tone = torch.sin(omega * torch.arange(400 * factor, dtype=torch.float64))
    out = passing(factor)(tone[None, None])[0, 0, 40:-40].detach()
    middles = torch.arange(40, 360, dtype=torch.float64) * factor + (factor - 1) / 2
    return 20 * math.log10(out.square().mean().sqrt() / math.sqrt(0.5)), out, torch.sin(omega * middles)


@factors
@pytest.mark.parametrize("share", [1.01, 1.1, 1.37, 1.9])
def test_a_tone_above_the_new_nyquist_frequency_dies(factor, share):
    assert tone_after(factor, share)[0] < -40


@factors
@pytest.mark.parametrize("share", [0.05, 0.31, 0.57, 0.79])
def test_a_tone_below_the_new_nyquist_frequency_passes_undelayed(factor, share):
    level, out, expected = tone_after(factor, share)
    assert abs(level) < 1
    gain = (out * expected).sum() / expected.square().sum()
    assert (out - gain * expected).norm() / out.norm() < 0.01


@factors
@pytest.mark.parametrize("convolution", [None, causal])
def test_a_constant_stays_one_up_to_the_ends(factor, convolution):
    x = torch.full((1, 1, 6 * factor), 0.7, dtype=torch.float64)
    assert torch.allclose(passing(factor, convolution)(x), torch.full((1, 1, 6), 0.7).double(), atol=1e-6)


@factors
def test_pool_conv_equals_filtering_all_and_keeping_some(factor):
    layer, x = PoolConv(2, 3, factor, normalization=none).double(), noise(2, 2, 60 * factor)
    taps = low_pass_taps(23 * factor, 0.44 / factor, 47.0).numpy()
    low = [[np.convolve(np.pad(c, 11 * factor, mode="edge"), taps, "valid")[::factor] for c in s] for s in x]
    assert torch.allclose(layer(x), layer.conv(torch.tensor(np.array(low))), atol=1e-6)


@factors
def test_subpixel_conv_is_its_formula(factor):
    layer, x = SubpixelConv(3, 4, factor, normalization=weight_norm).double(), noise(2, 3, 9)
    y, phases = layer(x), layer.conv(x)
    for c in range(4):
        for p in range(factor):
            assert torch.equal(y[:, c, p::factor], phases[:, c * factor + p])


@pytest.mark.parametrize("factor", [2, 4])
def test_subpixel_conv_orders_samples_as_torch_orders_pixels(factor):
    layer, x = SubpixelConv(3, 4, factor, normalization=none).double(), noise(2, 3, 9)
    # Pixels in a row: the rows of an image that gets `factor` times as high, with its width made of copies, are samples.
    phases = layer.conv(x).unflatten(1, (4, factor)).repeat_interleave(factor, 2).flatten(1, 2)
    image = functional.pixel_shuffle(phases.unsqueeze(-1), factor)
    assert torch.equal(layer(x), image[..., 0])


@factors
@pytest.mark.parametrize("normalization", [none, weight_norm])
def test_a_layer_that_starts_by_icnr_repeats_the_samples_of_one_convolution(factor, normalization):
    layer, x = SubpixelConv(3, 4, factor, start="icnr", normalization=normalization).double(), noise(2, 3, 9)
    one = functional.conv1d(x, layer.conv.weight[::factor], padding=1)
    assert torch.allclose(layer(x), one.repeat_interleave(factor, -1), atol=1e-12)
    assert not torch.allclose(layer(x)[:, 0], layer(x)[:, 1], atol=1e-3)


@factors
def test_phases_that_start_independently_differ(factor):
    y = SubpixelConv(3, 4, factor, normalization=none).double()(noise(2, 3, 9))
    assert (y[..., ::factor] - y[..., 1::factor]).abs().max() > 0.1


@factors
@pytest.mark.parametrize("convolution", [None, causal, lambda missing: (0, missing)])
def test_stretch_conv_equals_inserting_zeros_then_filtering(factor, convolution):
    layer = StretchConv(3, 4, factor, normalization=weight_norm, convolution=convolution).double()
    nn.init.normal_(layer.conv.bias)
    x = noise(2, 3, 9)
    stretched = x.new_zeros(2, 3, 9 * factor)
    stretched[..., ::factor] = x
    assert torch.allclose(layer(x), layer.conv(stretched), atol=1e-12)


@factors
def test_stretch_conv_and_a_transposed_conv_of_as_many_taps_compute_the_same_functions(factor):
    stretch = StretchConv(3, 4, factor, normalization=none).double()
    transposed = TransposedConv(3, 4, factor, extra=1, normalization=none).double()
    with torch.no_grad():
        transposed.conv.weight.copy_(stretch.conv.weight.flip(-1).transpose(0, 1))
    x = functional.pad(noise(2, 3, 9), (3, 3))
    a, b = stretch(x), transposed(x)
    # They are cut at other places: the kernel of one is centred on the sample, that of the other on its step.
    shift = factor - (factor + 2) // 2
    assert torch.allclose(a[..., factor:-factor], b.roll(-shift, -1)[..., factor:-factor], atol=1e-12)


@factors
@pytest.mark.parametrize("make", UPSAMPLERS.values(), ids=UPSAMPLERS)
def test_a_new_upsampler_keeps_the_level_of_white_noise(make, factor):
    y = make(64, 32, factor)(torch.randn(4, 64, 500))
    assert y.std().item() == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("part", [SubpixelConv, StretchConv, PoolConv])
def test_a_layer_without_a_bias_keeps_silence_silent(part):
    layer = part(2, 3, 4, bias=False, normalization=weight_norm)
    assert layer.conv.bias is None
    assert not layer(torch.zeros(1, 2, 16)).any()


@pytest.mark.parametrize("part", [SubpixelConv, PoolConv])
def test_kernels_without_a_middle_are_refused(part):
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        part(2, 3, 4, kernel_size=4, normalization=none)
