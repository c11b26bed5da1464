from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@runtime_checkable
class Conditioning(Protocol):
    """What is done to a sound before a discriminator hears it, to real ones and estimates alike.

    The result is called with (b, c, t) and gives the same shape; it is finite on silence, and treats each sound by itself.
    """

    def __call__(self) -> Callable[[Tensor], Tensor]: ...
