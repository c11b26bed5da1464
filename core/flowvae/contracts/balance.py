from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class BuiltBalance(Protocol):
    """How the pulls of several losses on one estimate become one. What it keeps between steps is in its state_dict."""

    def __call__(self, gradients: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
        """The gradient of the estimate, (b, c, t), from that of each loss; both mappings have the same names."""


@runtime_checkable
class Balance(Protocol):
    """What weighs the losses of an estimate against each other."""

    def __call__(self) -> BuiltBalance: ...
