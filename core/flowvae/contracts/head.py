from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class Head(Protocol):
    """The last layers of a decoder: the module maps (b, in, t) to the signal (b, out, t)."""

    def __call__(self, in_channels: int, out_channels: int) -> nn.Module: ...
