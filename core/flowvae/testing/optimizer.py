"""What every optimizer must do."""

import torch
from torch import nn, optim

from flowvae.contracts import Optimizer
from flowvae.testing import checks_in
from flowvae.testing.properties import noise
from flowvae.testing.resumption import optimizer_taken_up


def parameters_of_a_layer() -> list[tuple[str, nn.Parameter]]:
    """A weight, a bias and a rate, as models have them."""
    shapes = {"layer.weight": (4, 3), "layer.bias": (4,), "activation.rate": (4, 1)}
    return [(name, nn.Parameter(noise(*shape, seed=len(name)))) for name, shape in shapes.items()]


def step(optimizer: optim.Optimizer, parameters: list[tuple[str, nn.Parameter]]) -> float:
    """One step towards 1 in every parameter. Gives the loss before it."""
    optimizer.zero_grad()
    loss = torch.stack([(parameter - 1).square().sum() for _, parameter in parameters]).sum()
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    optimizer.step()
    return float(loss.detach())


def every_parameter_is_held_once(make: Optimizer) -> None:
    """The groups hold each parameter exactly once."""
    parameters = parameters_of_a_layer()
    held = [id(parameter) for group in make(parameters).param_groups for parameter in group["params"]]
    assert sorted(held) == sorted(id(parameter) for _, parameter in parameters), (
        f"the groups hold {len(held)} parameters, {len(set(held))} of them different; expected {len(parameters)}, each once"
    )


def steps_lower_a_parabola(make: Optimizer) -> None:
    """Two hundred steps on a parabola come nearer to its bottom."""
    parameters = parameters_of_a_layer()
    optimizer = make(parameters)
    losses = [step(optimizer, parameters) for _ in range(200)]
    assert losses[-1] < losses[0], f"the loss goes from {losses[0]:.3f} to {losses[-1]:.3f}; expected less"


def a_parameter_without_gradient_stays(make: Optimizer) -> None:
    """What was frozen (no gradient) keeps its bits, though it moved before."""
    parameters = parameters_of_a_layer()
    optimizer = make(parameters)
    step(optimizer, parameters)
    frozen = parameters[0][1]
    frozen.requires_grad = False
    before = frozen.detach().clone()
    step(optimizer, parameters)
    assert torch.equal(frozen, before), (
        "a parameter without a gradient moved; expected none; usually momentum or decay that does not look at the gradient"
    )


def state_survives_a_checkpoint(make: Optimizer) -> None:
    """A second optimizer that takes up a checkpoint of the first makes the same steps, as it would in a resumed run."""
    first, second = parameters_of_a_layer(), parameters_of_a_layer()
    one, two = make(first), make(second)
    for _ in range(3):
        step(one, first)
    for (_, source), (_, target) in zip(first, second, strict=True):
        target.data.copy_(source.data)
    optimizer_taken_up(one, two)
    for _ in range(2):
        step(one, first)
        step(two, second)
    for (name, left), (_, right) in zip(first, second, strict=True):
        assert torch.equal(left, right), (
            f"{name} differs after two steps from a checkpoint; expected the same bits; usually state outside state_dict"
        )


CHECKS = checks_in(globals())
