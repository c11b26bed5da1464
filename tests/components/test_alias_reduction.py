"""Activations that fold less: by a higher rate, and by their antiderivative."""

import math

import numpy as np
import pytest
import torch
from scipy import signal as scipy_signal
from torch import nn

from flowvae.testing import activation
from flowvae_components.activations.anti_aliased import (
    ATTENUATION_DB,
    CUTOFF,
    N_TAPS,
    AntiAliased,
    doubled,
    halved,
)
from flowvae_components.activations.anti_derivative import AntiDerivative
from flowvae_components.activations.elu import ELU
from flowvae_components.activations.leaky_relu import LeakyReLU
from flowvae_components.activations.ripple import ripple, ripple_mean
from flowvae_components.activations.snake import Snake
from flowvae_components.activations.snake_beta import SnakeBeta
from flowvae_components.blocks.low_pass import low_pass_taps

TAPS = low_pass_taps(N_TAPS, CUTOFF, ATTENUATION_DB)
N = 4096


def leaky(channels):
    return LeakyReLU()


def plain(channels):
    return nn.Identity()


class Line(nn.Module):
    """The identity as an activation with a mean."""

    def mean_between(self, a, b):
        return (a + b) / 2


def snake(channels, alpha=3.0):
    return Snake(channels, alpha=alpha).double()


def snake_beta(channels):
    return SnakeBeta(channels, alpha=2.0, beta=0.7).double()


@pytest.mark.parametrize("check", activation.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("part", [AntiAliased, AntiDerivative])
@pytest.mark.parametrize("inner", [leaky, Snake, SnakeBeta])
def test_conforms(part, inner, check):
    check(lambda channels: part(channels, activation=inner))


def tone(share_of_rate):
    """A sine of a whole number of periods in N samples, near the share that is asked for."""
    cycles = round(share_of_rate * N)
    return torch.sin(2 * torch.pi * cycles * torch.arange(N, dtype=torch.float64) / N)[None, None]


def beside_the_tone_db(y, share_of_rate):
    """The energy of all that is not the tone against that of the tone, without the ends and the mean."""
    middle = (y - y.mean())[0, 0, 512:-512].detach().numpy()
    energy = np.abs(np.fft.rfft(middle * scipy_signal.windows.blackmanharris(len(middle)))) ** 2
    near = np.abs(np.arange(len(energy)) - round(share_of_rate * N) / N * len(middle)) <= 6
    return 10 * math.log10(energy[~near].sum() / energy[near].sum())


def test_taps_are_those_of_bigvgan():
    expected = [0.00203, 0.00939, -0.02554, -0.05766, 0.12857, 0.44321]
    assert np.allclose(TAPS[:6], expected, atol=1e-5)
    assert torch.equal(TAPS, TAPS.flip(0))


def test_doubling_and_halving_agree_with_scipy():
    x, taps = torch.randn(1, 1, 64, dtype=torch.float64), TAPS.expand(1, 1, -1)
    up = scipy_signal.upfirdn(2 * TAPS.numpy(), np.pad(x[0, 0], 5, mode="edge"), up=2)[15:-15]
    down = np.convolve(np.pad(x[0, 0], (5, 6), mode="edge"), TAPS, "valid")[::2]
    assert np.allclose(doubled(x, taps)[0, 0], up[:128], atol=1e-12)
    assert np.allclose(halved(x, taps)[0, 0], down, atol=1e-12)


@pytest.mark.parametrize("t", [1, 2, 3, 17])
def test_gradients_of_doubling_are_those_of_finite_differences(t):
    x, taps = torch.randn(2, 3, t, dtype=torch.float64, requires_grad=True), TAPS.expand(3, 1, -1)
    assert torch.autograd.gradcheck(lambda x: doubled(x, taps), x)
    assert torch.autograd.gradgradcheck(lambda x: doubled(x, taps), x)


@pytest.mark.parametrize(
    ("share", "gain_db"), [(0.2, 0.04), (0.3, -0.77), (0.35, -1.9), (0.4, -3.5), (0.45, -5.2)]
)
def test_small_signals_lose_what_the_filters_take_and_are_not_delayed(share, gain_db):
    x = tone(share)
    y = AntiAliased(1, activation=plain).double()(x)[..., 512:-512]
    x = x[..., 512:-512]
    gain = float((x * y).sum() / x.square().sum())
    assert 20 * math.log10(gain) == pytest.approx(gain_db, abs=0.06)
    # Nothing is left beside the scaled input: no delay. Near the Nyquist frequency an image is left, of the filter's skirt.
    assert float((y - gain * x).norm() / x.norm()) < (0.1 if share <= 0.4 else 0.5)


@pytest.mark.parametrize("part", [AntiAliased, AntiDerivative])
@pytest.mark.parametrize("inner", [snake, snake_beta, leaky])
@pytest.mark.parametrize("value", [0.7, -1.3, 0.0])
def test_a_constant_becomes_what_the_activation_makes_of_it(part, inner, value):
    x = torch.full((1, 1, 33), value, dtype=torch.float64)
    assert torch.allclose(part(1, activation=inner).double()(x), inner(1)(x), atol=1e-6)


@pytest.mark.parametrize("part", [AntiAliased, AntiDerivative])
@pytest.mark.parametrize("t", [1, 2, 7, 33, 64])
def test_every_length_is_kept(part, t):
    assert part(3, activation=Snake)(torch.randn(2, 3, t)).shape == (2, 3, t)


# The square of a sine has even harmonics: of a tone at 0.27 of the rate they lie at 0.54 and 1.08, and fold to
# 0.46 and 0.08. By sections 3.2 and 4 of the two papers they should be weaker; the figures are those of the formula.
@pytest.mark.parametrize(("part", "at_most_db"), [(AntiAliased, -22.0), (AntiDerivative, -20.0)])
def test_folded_overtones_of_snake_are_weaker(part, at_most_db):
    assert beside_the_tone_db(snake(1)(tone(0.27)), 0.27) == pytest.approx(-15.6, abs=0.1)
    assert beside_the_tone_db(part(1, activation=snake).double()(tone(0.27)), 0.27) < at_most_db


@pytest.mark.parametrize("part", [AntiAliased, AntiDerivative])
def test_folded_overtones_of_a_leaky_relu_are_weaker(part):
    weaker = beside_the_tone_db(part(1, activation=leaky).double()(tone(0.27)), 0.27)
    assert weaker < beside_the_tone_db(leaky(1)(tone(0.27)), 0.27) - 5


def test_the_two_ways_add_up_where_one_stands_in_the_other():
    both = AntiAliased(1, activation=lambda channels: AntiDerivative(channels, activation=snake)).double()
    assert beside_the_tone_db(both(tone(0.27)), 0.27) < -30


CURVES = {"snake": snake, "snake_beta": snake_beta, "leaky_relu": leaky}
curves = pytest.mark.parametrize("inner", CURVES.values(), ids=CURVES)


@curves
@pytest.mark.parametrize(
    ("a", "b"), [(-0.3, 1.1), (1.1, -0.3), (0.2, 0.3), (-2.0, -1.0), (0.0, 2.0), (-1e-3, 1e-3)]
)
def test_the_mean_between_two_values_is_the_integral(inner, a, b):
    curve = inner(1)
    along = torch.linspace(a, b, 100_001, dtype=torch.float64)
    expected = torch.trapezoid(curve(along[None, None]), dx=1 / 100_000)
    ends = (torch.tensor(v, dtype=torch.float64).reshape(1, 1, 1) for v in (a, b))
    assert torch.allclose(curve.mean_between(*ends).flatten(), expected.flatten(), atol=1e-8)


@curves
@pytest.mark.parametrize("step", [0.0, 1e-12, 1e-7, 1e-4, 1e-2, 1.0])
def test_float32_keeps_its_digits_where_samples_are_near_each_other(inner, step):
    a = torch.linspace(-3, 3, 301).reshape(1, 1, -1)
    b = a + step
    exact = inner(1).mean_between(a.double(), b.double())
    assert (inner(1).float().mean_between(a, b) - exact).abs().max() < 1e-6


@curves
def test_gradients_are_finite_and_right_where_samples_are_the_same(inner):
    a = torch.tensor([[[-1.0, 0.0, 0.7, 0.7, -1e-40, 1e-25, 2e3]]], requires_grad=True)
    b = torch.tensor([[[-1.0, 0.0, 0.7, 0.7 + 1e-7, 1e-40, -1e-25, 2e3]]], requires_grad=True)
    curve = inner(1).float()
    curve.mean_between(a, b).sum().backward()
    x = a.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(curve(x).sum(), x)
    # At a zero of leaky_relu any slope between its two is one.
    away = a.detach().abs() > 0.1
    for gradient in (a.grad, b.grad):
        assert gradient.isfinite().all()
        assert torch.allclose(gradient[away], slope[away] / 2, atol=2e-3)


def test_gradients_of_the_ripples_mean_are_those_of_finite_differences():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(2, 3, 5, dtype=torch.float64, generator=generator)
    b = a + torch.tensor([0.0, 1e-9, 0.1, 0.7, 5.0], dtype=torch.float64)
    log_alpha = torch.tensor([[-1.0], [0.3], [1.2]], dtype=torch.float64)
    for rates in ((log_alpha,), (log_alpha, log_alpha.flip(0))):
        inputs = tuple(x.clone().requires_grad_() for x in (a, b, *rates))
        assert torch.autograd.gradcheck(ripple_mean, inputs)
        assert torch.autograd.gradgradcheck(ripple_mean, inputs)


def test_a_slow_ripple_is_nearly_the_identity_in_its_mean_too():
    x, rate = torch.linspace(-1, 1, 11).reshape(1, 1, -1), torch.full((1, 1), math.log(1e-6))
    assert torch.allclose(ripple_mean(x, x.flip(-1), rate), torch.zeros(1, 1, 11), atol=2e-6)
    assert torch.allclose(ripple_mean(x, x, rate), ripple(x, rate), atol=1e-7)


@pytest.mark.parametrize(("share", "gain_db"), [(0.1, -0.44), (0.2, -1.84), (0.25, -3.01), (0.4, -10.2)])
def test_a_line_is_late_by_half_a_sample_and_loses_the_top_of_the_band(share, gain_db):
    y = AntiDerivative(1, activation=lambda channels: Line())(tone(share))[..., 1:]
    cycles = round(share * N)
    late = torch.sin(2 * torch.pi * cycles * (torch.arange(1, N, dtype=torch.float64) - 0.5) / N)
    assert torch.allclose(y[0, 0], 10 ** (gain_db / 20) * late, atol=2e-3)


def test_the_antiderivative_looks_one_sample_back_and_none_ahead():
    layer, x = AntiDerivative(1, activation=snake), torch.randn(1, 1, 9, dtype=torch.float64).requires_grad_()
    (gradient,) = torch.autograd.grad(layer(x)[0, 0, 5], x)
    assert gradient.flatten().nonzero().flatten().tolist() == [4, 5]


def test_an_activation_without_a_closed_antiderivative_is_refused():
    with pytest.raises(ValueError, match=r"activation must have a closed antiderivative .* got ELU"):
        AntiDerivative(3, activation=lambda channels: ELU())
