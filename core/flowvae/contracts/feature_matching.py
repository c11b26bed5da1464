from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class BuiltFeatureMatching(Protocol):
    """How far the features of estimates are from those of their targets, for one sub-discriminator."""

    def __call__(self, real: Sequence[Tensor], estimate: Sequence[Tensor]) -> Tensor:
        """A scalar, 0 where both are equal. The real features carry no gradient."""


@runtime_checkable
class FeatureMatching(Protocol):
    """A distance between what a discriminator sees in a target and in its estimate. Its own weight is 1."""

    def __call__(self) -> BuiltFeatureMatching: ...
