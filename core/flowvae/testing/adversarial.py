"""What every pair of losses of two players must do."""

import math

import torch
from torch import Tensor

from flowvae.contracts import Adversarial, BuiltAdversarial
from flowvae.testing import checks_in
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.properties import gradients_of, noise

SHAPES = ((24,), (2, 12), (2, 1, 12), (2, 1, 3, 4))
"""Of logits, all of them 24."""
STEP = 0.25
"""How far to either side of the boundary a logit is moved."""


def _values(losses: BuiltAdversarial, real: Tensor, estimate: Tensor) -> dict[str, Tensor]:
    """What each player pays."""
    return {
        "the discriminator's": losses.discriminator(real, estimate),
        "the generator's": losses.generator(estimate),
    }


def the_values_are_scalars(make: Adversarial) -> None:
    """One finite number for each player, in single precision."""
    for whose, value in _values(make(), noise(2, 1, 50), noise(2, 1, 50, seed=1)).items():
        assert value.shape == (), (
            f"{whose} loss has the shape {tuple(value.shape)}; expected a scalar: take the mean over all logits"
        )
        assert value.isfinite(), f"{whose} loss is {value}; expected a finite number"
        assert value.dtype == torch.float32, (
            f"{whose} loss is {value.dtype}; expected float32, as the logits are"
        )


def logits_of_any_shape_are_averaged(make: Adversarial) -> None:
    """The same logits cost the same in every shape, and twice over."""
    real, estimate = noise(24), noise(24, seed=1)
    expected = _values(make(), real, estimate)
    for shape in SHAPES:
        for times in (1, 2):
            pair = [torch.cat([logits.reshape(shape)] * times) for logits in (real, estimate)]
            for whose, value in _values(make(), *pair).items():
                assert torch.allclose(value, expected[whose], rtol=1e-5), (
                    f"{times} times the same logits, as {shape}: {whose} loss is {value}, expected {expected[whose]:.5f}: "
                    "the mean over all logits, however many there are and whatever their axes mean"
                )


def huge_logits_stay_finite(make: Adversarial) -> None:
    """Logits of 0 and of great size, on either side, give finite values and gradients."""
    for size in (0.0, 1e2, 1e4, 1e6):
        for sign in (-1, 1):
            real, estimate = (torch.full((2, 1, 5), s * size, requires_grad=True) for s in (sign, -sign))
            for whose, value in _values(make(), real, estimate).items():
                assert value.isfinite(), (
                    f"logits of {sign * size:.0f} (real) and {-sign * size:.0f} (estimate): {whose} loss is {value}; expected "
                    "a finite number; usually a logarithm of a sigmoid: use logsigmoid or softplus"
                )
                for gradient in gradients_of(value, real, estimate):
                    assert gradient.isfinite().all(), (
                        f"logits of {size:.0f}: the gradient of {whose} loss is not finite"
                    )


def the_boundary_is_a_number(make: Adversarial) -> None:
    """The boundary is a finite float, known without a tensor."""
    boundary = make().boundary
    assert isinstance(boundary, float), f"the boundary is a {type(boundary).__name__}; expected a float"
    assert math.isfinite(boundary), f"the boundary is {boundary}; expected a finite number"


def telling_apart_costs_the_discriminator_less(make: Adversarial) -> None:
    """Its loss falls where real logits rise over the boundary, and where those of estimates fall below it."""
    losses = make()
    below, above = (torch.full((2, 1, 5), losses.boundary + step) for step in (-STEP, STEP))
    confused = losses.discriminator(below, above)
    for what, told in (("real logits rise", (above, above)), ("estimates' logits fall", (below, below))):
        value = losses.discriminator(*told)
        assert value < confused, (
            f"{what} across {losses.boundary}, and the discriminator's loss goes from {confused:.3f} to {value:.3f}; "
            "expected less; usually a sign, swapped arguments, or a boundary that is somewhere else"
        )


def being_taken_for_real_costs_the_generator_less(make: Adversarial) -> None:
    """Its loss falls where the logits of estimates rise over the boundary."""
    losses = make()
    below, above = (losses.generator(torch.full((2, 1, 5), losses.boundary + step)) for step in (-STEP, STEP))
    assert above < below, (
        f"the estimate's logits rise across {losses.boundary}, and the generator's loss goes from {below:.3f} to {above:.3f}; "
        "expected less; usually a sign"
    )


def every_logit_is_pulled_at_the_boundary(make: Adversarial) -> None:
    """Where nothing is decided, each logit has a gradient: real ones up, estimates down and, for the generator, up."""
    losses = make()
    real, estimate = (torch.full((2, 1, 5), losses.boundary, requires_grad=True) for _ in range(2))
    up, down = gradients_of(losses.discriminator(real, estimate), real, estimate)
    (fooling,) = gradients_of(losses.generator(estimate), estimate)
    for what, pull in (("real logits up", up), ("estimates' down", -down), ("estimates' up", fooling)):
        assert (pull < 0).all(), (
            f"at the boundary of {losses.boundary} something does not pull {what}; usually a margin that ends there, a mean over "
            "a part of the logits, or a detach()"
        )


def inputs_are_untouched(make: Adversarial) -> None:
    """The logits are as they were, and a second call gives the same values."""
    losses, real, estimate = make(), noise(2, 1, 50), noise(2, 1, 50, seed=1)
    first = _values(losses, real, estimate)
    for given, seed in ((real, 0), (estimate, 1)):
        assert torch.equal(given, noise(2, 1, 50, seed=seed)), (
            "logits were changed in place; expected a new tensor"
        )
    for whose, value in _values(losses, real, estimate).items():
        assert torch.equal(value, first[whose]), (
            f"{whose} loss differs from call to call; expected the same bits: it draws nothing and keeps nothing"
        )


def no_value_is_read_back(make: Adversarial) -> None:
    """Neither loss waits for the device."""
    losses, real, estimate = make(), noise(2, 1, 50), noise(2, 1, 50, seed=1)
    with NoDeviceReads():
        _values(losses, real, estimate)


CHECKS = checks_in(globals())
