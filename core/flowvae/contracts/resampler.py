from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class Downsampler(Protocol):
    """Fewer samples: the module maps (b, in, t) to (b, out, t / factor).

    t is a multiple of the factor; the length is exact for even and odd factors.
    """

    def __call__(self, in_channels: int, out_channels: int, factor: int) -> nn.Module: ...


@runtime_checkable
class Upsampler(Protocol):
    """More samples: the module maps (b, in, t) to (b, out, t * factor), exact for even and odd factors."""

    def __call__(self, in_channels: int, out_channels: int, factor: int) -> nn.Module: ...
