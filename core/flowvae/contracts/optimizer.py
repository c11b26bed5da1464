from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn, optim


@runtime_checkable
class Optimizer(Protocol):
    """A torch optimizer over named parameters.

    Its learning rate is the highest of the run; the schedule multiplies it.
    """

    def __call__(self, parameters: list[tuple[str, nn.Parameter]]) -> optim.Optimizer: ...
