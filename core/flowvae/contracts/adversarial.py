from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class BuiltAdversarial(Protocol):
    """What both players minimise, from the logits of one sub-discriminator, which may have any shape."""

    @property
    def boundary(self) -> float:
        """The logit above which a sound is taken for real."""

    def discriminator(self, real: Tensor, estimate: Tensor) -> Tensor:
        """A scalar, least where real sounds and estimates are told apart."""

    def generator(self, estimate: Tensor) -> Tensor:
        """A scalar that falls where the estimate is taken for real."""


@runtime_checkable
class Adversarial(Protocol):
    """The pair of losses of the two players."""

    def __call__(self) -> BuiltAdversarial: ...
