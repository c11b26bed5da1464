"""The activations against their formulas."""

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from counting import kept_bytes
from flowvae.testing import activation
from flowvae_components.activations.elu import ELU
from flowvae_components.activations.leaky_relu import LeakyReLU
from flowvae_components.activations.silu import SiLU
from flowvae_components.activations.snake import Snake
from flowvae_components.activations.snake_beta import SnakeBeta

MAKES = {
    "snake": Snake,
    "snake_beta": SnakeBeta,
    "leaky_relu": lambda channels: LeakyReLU(),
    "elu": lambda channels: ELU(),
    "silu": lambda channels: SiLU(),
}


@pytest.mark.parametrize("check", activation.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
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


RIPPLES = {Snake: 1, SnakeBeta: 2}
"""The snakes, and the rates of each channel that they learn."""
WIDE = (3, 5, 90_000)
"""More values than are worked on at a time, and no whole number of such blocks."""


def rippling(make, shape=WIDE, dtype=torch.float32):
    """A snake of several rates, an input that asks for its gradient, and a gradient of its output."""
    generator = torch.Generator().manual_seed(0)
    layer = make(shape[1])
    with torch.no_grad():
        for rates in layer.parameters():
            rates.copy_(torch.linspace(-1, 1, shape[1]).roll(2 * len(rates)).unsqueeze(-1))
    x, pull = (torch.randn(*shape, generator=generator).to(dtype) for _ in range(2))
    return layer, x.requires_grad_(), pull


def plainly(layer, x):
    """The formula without any gradient of its own."""
    alpha, *beta = (rates.exp() for rates in layer.parameters())
    return x + (alpha * x).sin().square() / (beta[0] if beta else alpha)


def all_gradients(layer, y, x, pull):
    return torch.autograd.grad(y, (x, *layer.parameters()), pull)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(2, 3, 64), WIDE])
@pytest.mark.parametrize(("make", "n_rates"), RIPPLES.items())
def test_ripples_keep_their_input_and_their_rates_and_not_a_byte_more(make, n_rates, shape, dtype):
    layer, x, _ = rippling(make, shape, dtype)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.nbytes) or t, lambda t: t):
        layer(x)
    assert sum(kept) == x.nbytes + (n_rates + 1) * shape[1] * 4  # as logarithms, and the first as a rate


@pytest.mark.parametrize("make", RIPPLES)
def test_ripples_and_their_gradients_are_exact_in_blocks(make):
    layer, x, pull = rippling(make)
    y = layer(x)
    found = (y, *all_gradients(layer, y, x, pull))
    exact, x = layer.double(), x.detach().double().requires_grad_()
    y = plainly(exact, x)
    for mine, theirs in zip(found, (y, *all_gradients(exact, y, x, pull.double())), strict=True):
        assert (mine - theirs).abs().max() <= 4e-7 * theirs.abs().max()


@pytest.mark.parametrize("make", RIPPLES)
def test_ripples_work_in_memory_that_does_not_grow_with_their_input(make):
    layer, x, pull = rippling(make)
    with BytesMade() as made:
        y = layer(x)
        assert made.largest() == [y.nbytes]
        (grad_x, *_) = all_gradients(layer, y, x, pull)
        assert made.largest() == [y.nbytes, grad_x.nbytes]


class BytesMade(TorchDispatchMode):
    """Sizes of the tensors that operators made while it was on."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        fresh = not any(result.alias_info for result in func._schema.returns)
        if fresh and isinstance(made, torch.Tensor):
            self.sizes.append(made.nbytes)
        return made

    def largest(self):
        """Those of half a MiB and more."""
        return [size for size in self.sizes if size >= 1 << 19]


@pytest.mark.parametrize("make", RIPPLES)
@pytest.mark.parametrize("shape", [(2, 3, 64), WIDE])
def test_ripples_of_bf16_are_those_of_float32_rounded_once(make, shape):
    layer, x, pull = rippling(make, shape, torch.bfloat16)
    y = layer(x)
    full = x.detach().float().requires_grad_()
    found, expected = (
        all_gradients(layer, out, of, pull.to(out.dtype)) for out, of in ((y, x), (layer(full), full))
    )
    assert torch.equal(y, layer(full).bfloat16())
    assert torch.equal(found[0], expected[0].bfloat16())
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(found[1:], expected[1:], strict=True))


def test_an_exported_ripple_is_for_other_sizes_too():
    layer, x, _ = rippling(Snake)
    x = x.detach()
    time = torch.export.Dim("time")
    exported = torch.export.export(
        layer, (x[..., :60_000].clone(),), dynamic_shapes={"x": {2: time}}
    ).module()
    assert torch.allclose(exported(x), layer(x), atol=1e-6)


@pytest.mark.parametrize("make", RIPPLES)
def test_ripples_need_no_memory_on_the_meta_device(make):
    layer, x, pull = (part.to("meta") for part in rippling(make))
    x = x.detach().requires_grad_()
    assert all_gradients(layer, layer(x), x, pull)[0].shape == WIDE


def test_snake_keeps_a_quarter_of_what_its_formula_keeps_by_autograd():
    """Beside the output, which the next layer keeps."""
    layer, x = Snake(3), torch.randn(2, 3, 64, requires_grad=True)
    with kept_bytes() as kept:
        y = layer(x)
    alpha = layer.log_alpha.exp()
    with kept_bytes() as kept_by_autograd:
        plain = x + torch.sin(alpha * x).square() / alpha
    assert torch.allclose(y, plain, atol=1e-6)
    rates = 2 * alpha.nbytes  # as a logarithm and as a rate
    assert kept(y) - rates == (kept_by_autograd(plain) - alpha.nbytes) / 4 == x.nbytes


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


ALPHAS, BETAS = (0.4, 1.3, 3.0), (2.0, 1.3, 0.5)


def snake_beta(alphas=ALPHAS, betas=BETAS):
    layer = SnakeBeta(len(alphas)).double()
    with torch.no_grad():
        layer.log_alpha.copy_(torch.tensor(alphas, dtype=torch.float64).log().unsqueeze(-1))
        layer.log_beta.copy_(torch.tensor(betas, dtype=torch.float64).log().unsqueeze(-1))
    return layer


def waves():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, 5, dtype=torch.float64, generator=generator).requires_grad_()


def test_snake_beta_is_its_formula_in_every_channel():
    x = waves()
    expected = [
        [[v + math.sin(a * v) ** 2 / b for v in row] for a, b, row in zip(ALPHAS, BETAS, item, strict=True)]
        for item in x.tolist()
    ]
    assert torch.allclose(snake_beta()(x), torch.tensor(expected, dtype=torch.float64), atol=1e-13)


def test_snake_beta_with_equal_rates_is_snake_to_the_bit():
    x = torch.randn(2, 3, 64, generator=torch.Generator().manual_seed(0))
    plain, split = Snake(3, alpha=1.7), SnakeBeta(3, alpha=1.7, beta=1.7)
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    outputs = [layer(given) for layer, given in zip((plain, split), inputs, strict=True)]
    for output in outputs:
        output.sin().sum().backward()
    assert torch.equal(*outputs)
    assert torch.equal(inputs[0].grad, inputs[1].grad)
    assert torch.allclose(plain.log_alpha.grad, split.log_alpha.grad + split.log_beta.grad, atol=1e-4)


def test_snake_beta_slopes_reach_one_minus_and_one_plus_the_ratio_of_its_rates():
    x = torch.linspace(-20, 20, 40001, dtype=torch.float64).repeat(1, 3, 1).requires_grad_()
    snake_beta()(x).sum().backward()
    ratio = torch.tensor(ALPHAS, dtype=torch.float64) / torch.tensor(BETAS, dtype=torch.float64)
    assert torch.allclose(x.grad.amin(-1), 1 - ratio.unsqueeze(0), atol=1e-4)
    assert torch.allclose(x.grad.amax(-1), 1 + ratio.unsqueeze(0), atol=1e-4)


def test_snake_beta_gradients_are_those_of_finite_differences():
    layer = snake_beta()

    def of(x, log_alpha, log_beta):
        return torch.func.functional_call(layer, {"log_alpha": log_alpha, "log_beta": log_beta}, x)

    assert torch.autograd.gradcheck(of, (waves(), layer.log_alpha, layer.log_beta))
    assert torch.autograd.gradgradcheck(of, (waves(), layer.log_alpha, layer.log_beta))


@pytest.mark.parametrize("key", ["alpha", "beta"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_snake_beta_refuses_rates_that_are_not_above_zero(key, value):
    with pytest.raises(ValueError, match=f"{key} must be above 0"):
        SnakeBeta(2, **{key: value})


@pytest.mark.parametrize("alpha", [0.0, 1.0, 2.5])
def test_elu_bends_what_is_negative_towards_minus_alpha(alpha):
    x = [-50.0, -2.0, -1e-9, 0.0, 3.0]
    expected = torch.tensor([[[v if v > 0 else alpha * math.expm1(v) for v in x]]], dtype=torch.float64)
    y = ELU(alpha=alpha)(torch.tensor([[x]], dtype=torch.float64))
    assert torch.allclose(y, expected, atol=1e-15)
    assert y[0, 0, 0].item() == pytest.approx(-alpha, abs=1e-15)


def test_elu_refuses_a_bound_below_zero():
    with pytest.raises(ValueError, match="alpha must be at least 0"):
        ELU(alpha=-0.1)


def test_silu_is_the_input_times_its_logistic():
    x = [-40.0, -1.2784645427610738, -1.0, 0.0, 2.0, 40.0]
    expected = torch.tensor([[[v / (1 + math.exp(-v)) for v in x]]], dtype=torch.float64)
    y = SiLU()(torch.tensor([[x]], dtype=torch.float64))
    assert torch.allclose(y, expected, atol=1e-15)
    # At the lowest point the slope p * (1 + x * (1 - p)), with p the logistic, is 0: y = x * p = x + 1.
    assert y[0, 0, 1].item() == pytest.approx(x[1] + 1, abs=1e-12)
