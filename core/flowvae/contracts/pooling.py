from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class Pooling(Protocol):
    """From the frames of an encoder to one vector: the module maps (b, channels, n_frames) to (b, features)."""

    def __call__(self, channels: int, n_frames: int, features: int) -> nn.Module: ...
