from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class BuiltEncoder(Protocol):
    """Maps (b, c, t) to (b, features): one vector a sound."""

    features: int

    def __call__(self, audio: Tensor) -> Tensor: ...


@runtime_checkable
class Encoder(Protocol):
    """From a sound of fixed length to one vector (an nn.Module). Items of a batch do not mix."""

    def __call__(self, channels: int, n_samples: int) -> BuiltEncoder: ...
