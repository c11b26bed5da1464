from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class BuiltFlow(Protocol):
    """An invertible map of (b, features) onto itself, with the logarithm of its volume change.

    `forward` is the fast direction and is used for both densities and samples: a posterior maps base to latent
    with it, a prior maps latent to base with it and samples by `inverse`. `log_abs_det` is (b,).
    """

    def __call__(self, x: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]: ...
    def inverse(self, y: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]: ...


@runtime_checkable
class Flow(Protocol):
    """A normalizing flow over vectors (an nn.Module): the identity at the start, in fp32.

    `context` is the width of a vector (b, context) that steers the map; 0 means that there is none.
    """

    def __call__(self, features: int, context: int) -> BuiltFlow: ...
