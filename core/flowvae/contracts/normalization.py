from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class Normalization(Protocol):
    """A way to hold the weights of a convolution.

    It is handed a convolution or a linear layer that is initialised already, and gives back a module that
    computes the same function at the start. `weight` and `bias` stay readable: a parent may fold them.
    """

    def __call__(self, layer: nn.Module) -> nn.Module: ...
