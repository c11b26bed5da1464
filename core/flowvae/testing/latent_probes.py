"""What the checks of flows, posteriors and priors share."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def noise(*size: int, seed: int = 0) -> Tensor:
    """Normal numbers that depend on nothing but the seed."""
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def unsettled(module: nn.Module, size: float = 0.1) -> nn.Module:
    """The module after a small random change of every parameter: away from a start at zero, nothing can hide."""
    with torch.no_grad():
        for seed, parameter in enumerate(module.parameters()):
            parameter.add_(size * noise(*parameter.shape, seed=seed).to(parameter))
    return module


def assert_gradients_reach_all(module: nn.Module, scalar: Tensor) -> None:
    """Every parameter gets a finite gradient that is not zero throughout."""
    module.zero_grad()
    scalar.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, (
            f"{name} gets no gradient; expected one for each parameter; usually a detach() or a part that is never used"
        )
        assert parameter.grad.isfinite().all(), (
            f"{name} gets a gradient that is not finite; usually a logarithm, a root or a division at 0"
        )
        assert parameter.grad.abs().sum() > 0, (
            f"{name} gets a gradient of 0 throughout; usually a clamp that has closed or a part that is multiplied by 0"
        )


def assert_state_round_trip(make: Callable[[], nn.Module], read: Callable[[nn.Module], Tensor]) -> None:
    """A second instance that takes over the state_dict computes the same."""
    first, second = unsettled(make()), make()
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        assert torch.equal(read(first), read(second)), (
            "a second instance with the same state_dict computes something else; expected the same bits; usually an "
            "attribute that changes or is drawn at random and is no parameter and no buffer"
        )
