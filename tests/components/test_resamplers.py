"""Up- and downsamplers against sums written out, reference operations and constants."""

import pytest
import torch
from torch.nn import functional

from flowvae.testing import downsampler, upsampler
from flowvae_components.downsamplers.strided_conv import StridedConv
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm
from flowvae_components.upsamplers.resize_conv import ResizeConv
from flowvae_components.upsamplers.transposed_conv import TransposedConv


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


UPSAMPLERS = {
    "transposed": lambda i, o, f: TransposedConv(i, o, f, normalization=weight_norm),
    "nearest": lambda i, o, f: ResizeConv(i, o, f, normalization=weight_norm),
    "linear": lambda i, o, f: ResizeConv(i, o, f, mode="linear", normalization=weight_norm),
}
factors = pytest.mark.parametrize("factor", [2, 3, 4, 5, 8])


def signal(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("check", upsampler.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", UPSAMPLERS.values(), ids=UPSAMPLERS)
def test_upsampler_conforms(make, check):
    check(make)


@pytest.mark.parametrize("check", downsampler.CHECKS, ids=lambda check: check.__name__)
def test_downsampler_conforms(check):
    check(lambda i, o, f: StridedConv(i, o, f, normalization=weight_norm))


@factors
def test_resize_conv_equals_repeating_then_filtering(factor):
    layer, x = ResizeConv(3, 4, factor, normalization=weight_norm).double(), signal(2, 3, 9)
    assert torch.allclose(layer(x), layer.conv(x.repeat_interleave(factor, -1)), atol=1e-12)


@factors
def test_linear_resize_conv_equals_interpolating_then_filtering(factor):
    layer, x = ResizeConv(3, 4, factor, mode="linear", normalization=weight_norm).double(), signal(2, 3, 9)
    high = functional.interpolate(functional.pad(x, (4, 4)), scale_factor=float(factor), mode="linear")
    assert torch.allclose(layer(x), layer.conv(high)[..., 4 * factor : -4 * factor], atol=1e-6)


@factors
def test_resize_conv_has_the_gradients_of_repeating_then_filtering(factor):
    layer, x = ResizeConv(3, 4, factor, normalization=weight_norm).double(), signal(2, 3, 9).requires_grad_()
    variables = (x, *layer.parameters())
    folded = torch.autograd.grad(layer(x).sin().sum(), variables)
    plain = torch.autograd.grad(layer.conv(x.repeat_interleave(factor, -1)).sin().sum(), variables)
    assert all(torch.allclose(f, p, atol=1e-11) for f, p in zip(folded, plain, strict=True))


@factors
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_constant_comes_out_of_a_resize_conv_as_a_constant(factor, mode):
    layer = ResizeConv(3, 4, factor, mode=mode, normalization=none).double()
    y = layer(torch.ones(1, 3, 12, dtype=torch.float64))[..., 2 * factor : -2 * factor]
    assert y.std(-1).max() < 1e-6


@factors
def test_constant_comes_out_of_a_transposed_conv_with_a_tone(factor):
    layer = TransposedConv(3, 4, factor, normalization=none).double()
    y = layer(torch.ones(1, 3, 12, dtype=torch.float64))[..., 2 * factor : -2 * factor]
    assert y.std(-1).min() > 1e-2


@factors
def test_all_inputs_of_a_strided_conv_have_the_same_number_of_taps(factor):
    layer = StridedConv(1, 1, factor, normalization=none).double()
    torch.nn.init.ones_(layer.conv.weight)
    x = signal(1, 1, 12 * factor).requires_grad_()
    layer(x).sum().backward()
    assert (x.grad[..., factor:-factor] == 2).all()


@factors
def test_all_outputs_of_a_transposed_conv_have_the_same_number_of_taps(factor):
    layer = TransposedConv(1, 1, factor, normalization=none).double()
    torch.nn.init.ones_(layer.conv.weight)
    torch.nn.init.zeros_(layer.conv.bias)
    y = layer(torch.ones(1, 1, 12, dtype=torch.float64))
    assert (y[..., factor:-factor] == 2).all()


UNEVEN = pytest.mark.parametrize(
    ("factor", "overlap", "extra", "taps"),
    [
        (2, 1, 1, {1, 2}),
        (4, 2, 0, {2}),
        (4, 2, 1, {2, 3}),
        (4, 6, 1, {6, 7}),
        (4, 1, 0, {1}),
        (3, 1, 2, {1, 2}),
    ],
)


@UNEVEN
def test_taps_beyond_the_overlap_meet_some_outputs_of_a_transposed_conv_and_not_others(
    factor, overlap, extra, taps
):
    layer = TransposedConv(
        1, 1, factor, overlap=overlap, extra=extra, bias=False, normalization=none
    ).double()
    torch.nn.init.ones_(layer.conv.weight)
    y = layer(torch.ones(1, 1, 24, dtype=torch.float64))[0, 0, 8 * factor : -8 * factor]
    assert set(y.tolist()) == taps
    assert torch.equal(y[:-factor], y[factor:])


@UNEVEN
def test_taps_beyond_the_overlap_meet_some_inputs_of_a_strided_conv_and_not_others(
    factor, overlap, extra, taps
):
    layer = StridedConv(1, 1, factor, overlap=overlap, extra=extra, bias=False, normalization=none).double()
    torch.nn.init.ones_(layer.conv.weight)
    x = signal(1, 1, 24 * factor).requires_grad_()
    layer(x).sum().backward()
    assert set(x.grad[0, 0, 8 * factor : -8 * factor].tolist()) == taps


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("overlap", [1, 2, 3, 6])
@pytest.mark.parametrize("extra", [0, 1, 2, 5])
def test_lengths_are_exact_for_every_kernel(factor, overlap, extra):
    keys = {"overlap": overlap, "extra": extra, "normalization": none}
    assert StridedConv(1, 2, factor, **keys)(torch.zeros(1, 1, 7 * factor)).shape == (1, 2, 7)
    assert TransposedConv(1, 2, factor, **keys)(torch.zeros(1, 1, 7)).shape == (1, 2, 7 * factor)


@pytest.mark.parametrize("part", [StridedConv, TransposedConv, ResizeConv])
def test_a_layer_without_a_bias_keeps_silence_silent(part):
    layer = part(2, 3, 4, bias=False, normalization=weight_norm)
    assert layer.conv.bias is None
    assert not layer(torch.zeros(1, 2, 16)).any()


@pytest.mark.parametrize("part", [StridedConv, TransposedConv])
@pytest.mark.parametrize(
    ("keys", "message"), [({"overlap": 0}, "overlap must be"), ({"extra": -1}, "extra must")]
)
def test_impossible_kernels_are_refused_by_name(part, keys, message):
    with pytest.raises(ValueError, match=message):
        part(2, 3, 4, normalization=none, **keys)


@pytest.mark.parametrize("factor", [41, 47, 61])
def test_resize_conv_repeats_rightly_where_a_rounded_ratio_would_not(factor):
    layer, x = ResizeConv(1, 1, factor, normalization=none).double(), signal(1, 1, 5)
    assert torch.allclose(layer(x), layer.conv(x.repeat_interleave(factor, -1)), atol=1e-12)


@factors
def test_strided_conv_is_the_sum_of_its_docstring(factor):
    layer, x = StridedConv(1, 1, factor, normalization=none).double(), signal(1, 1, 6 * factor)
    m, start = 3, 3 * factor - (factor + 1) // 2
    by_hand = layer.conv.bias + (layer.conv.weight[0, 0] * x[0, 0, start : start + 2 * factor]).sum()
    assert torch.allclose(layer(x)[0, 0, m], by_hand)


@factors
def test_transposed_conv_is_the_sum_of_its_docstring(factor):
    layer, x = TransposedConv(1, 1, factor, normalization=none).double(), signal(1, 1, 6)
    n, y = 3 * factor + 1, layer(x)
    taps = ((n + (factor + 1) // 2 - m * factor, m) for m in range(6))
    by_hand = layer.conv.bias + sum(
        layer.conv.weight[0, 0, j] * x[0, 0, m] for j, m in taps if 0 <= j < 2 * factor
    )
    assert torch.allclose(y[0, 0, n], by_hand)


def test_nearest_and_linear_droop_as_published_at_the_old_nyquist():
    alternating = torch.ones(1, 1, 64, dtype=torch.float64)
    alternating[..., 1::2] = -1
    droops = []
    for mode in ("nearest", "linear"):
        layer = ResizeConv(1, 1, 2, mode=mode, normalization=none).double()
        with torch.no_grad():
            layer.conv.weight.zero_()[..., 2] = 1  # passes the resized signal on
            layer.conv.bias.zero_()
        spectrum = torch.fft.rfft(layer(alternating)[0, 0, 32:96]).abs()
        droops.append(20 * torch.log10(spectrum[16] / 64).item())
    assert droops == pytest.approx([-3.01, -9.03], abs=0.02)


def test_strided_conv_at_factor_one_keeps_the_length():
    assert StridedConv(2, 3, 1, normalization=none)(torch.zeros(1, 2, 10)).shape == (1, 3, 10)
