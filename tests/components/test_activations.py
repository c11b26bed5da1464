"""Snake and leaky ReLU against their formulas."""

import math

import pytest
import torch

from flowvae.testing import activation
from flowvae_components.activations.leaky_relu import LeakyReLU
from flowvae_components.activations.snake import Snake


@pytest.mark.parametrize("check", activation.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [Snake, lambda channels: LeakyReLU()], ids=["snake", "leaky_relu"])
def test_conforms(make, check):
    check(make)


def snake(alpha, channels=1):
    return Snake(channels, alpha=alpha).double()


def test_snake_has_its_known_values():
    x = torch.tensor([[[1.0, -1.0]]], dtype=torch.float64)
    expected = torch.tensor([[[1.7080734, -0.2919266]]], dtype=torch.float64)
    assert torch.allclose(snake(1.0)(x), expected, atol=1e-7)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 7.0])
def test_snake_meets_the_identity_at_multiples_of_pi_over_alpha(alpha):
    x = (torch.arange(-4, 5, dtype=torch.float64) * math.pi / alpha).reshape(1, 1, -1)
    assert torch.allclose(snake(alpha)(x), x, atol=1e-12)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 7.0])
def test_snake_slope_is_never_negative_and_at_most_two(alpha):
    x = torch.linspace(-20, 20, 4001, dtype=torch.float64).reshape(1, 1, -1).requires_grad_()
    snake(alpha)(x).sum().backward()
    assert x.grad.min() > -1e-12
    assert x.grad.max() < 2 + 1e-12
    # The rate is stored in float32.
    assert torch.allclose(x.grad, 1 + torch.sin(2 * alpha * x.detach()), atol=1e-4)


def test_snake_becomes_the_identity_for_small_alpha():
    x = torch.linspace(-1, 1, 11, dtype=torch.float64).reshape(1, 1, -1)
    assert torch.allclose(snake(1e-6)(x), x, atol=1e-5)


def test_snake_gradients_are_those_of_finite_differences():
    layer = snake(1.7, 3)
    with torch.no_grad():
        layer.log_alpha.copy_(torch.tensor([[-1.0], [0.3], [1.2]]))
    x = torch.randn(2, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def of(x, log_alpha):
        return torch.func.functional_call(layer, {"log_alpha": log_alpha}, x)

    assert torch.autograd.gradcheck(of, (x, layer.log_alpha))
    assert torch.autograd.gradgradcheck(of, (x, layer.log_alpha))


def test_snake_keeps_nothing_but_its_input_and_output_for_the_gradient():
    x, kept = torch.randn(2, 3, 64, requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        Snake(3)(x)
    assert sum(kept) <= 2 * x.numel() + 3 * 2


def test_snake_rates_belong_to_channels():
    layer = snake(1.0, 2)
    with torch.no_grad():
        layer.log_alpha[1] = math.log(3.0)
    x = torch.full((1, 2, 1), 0.7, dtype=torch.float64)
    assert torch.allclose(
        layer(x).flatten(), torch.tensor([0.7 + math.sin(0.7) ** 2, 0.7 + math.sin(2.1) ** 2 / 3]).double()
    )


def test_snake_sees_the_phase_of_large_bf16_inputs_in_float32():
    x = torch.linspace(16, 31, 16, dtype=torch.bfloat16).reshape(1, 1, -1)
    layer = Snake(1, alpha=1.01)
    # The spacing of bf16 from 16 to 32 is 1/8: the result is rounded once, and by no more than that.
    assert (layer(x).float() - layer(x.float())).abs().max() <= 1 / 16


@pytest.mark.parametrize("alpha", [0.0, -1.0])
def test_snake_refuses_a_rate_that_is_not_above_zero(alpha):
    with pytest.raises(ValueError, match="alpha must be above 0"):
        Snake(2, alpha=alpha)


def test_leaky_relu_weakens_only_what_is_negative():
    x = torch.tensor([[[-2.0, -0.5, 0.0, 3.0]]], dtype=torch.float64)
    expected = torch.tensor([[[-0.6, -0.15, 0.0, 3.0]]], dtype=torch.float64)
    assert torch.allclose(LeakyReLU(slope=0.3)(x), expected, atol=1e-15)


@pytest.mark.parametrize("slope", [-0.1, 1.5])
def test_leaky_relu_refuses_slopes_outside_its_range(slope):
    with pytest.raises(ValueError, match="slope must lie in"):
        LeakyReLU(slope=slope)
