from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class BuiltReference(Protocol):
    """What is measured beside the arms and never trained: (b, c, t) to a reconstruction of the same shape.

    One sound always gives the same reconstruction, whatever stands beside it in the batch.
    """

    def __call__(self, audio: Tensor) -> Tensor: ...


@runtime_checkable
class Reference(Protocol):
    """A floor or a ceiling for the figures of reconstructions."""

    def __call__(self, sample_rate: int, channels: int, n_samples: int) -> BuiltReference: ...
