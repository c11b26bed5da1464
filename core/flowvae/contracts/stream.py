from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@runtime_checkable
class Stream(Protocol):
    """Random numbers that belong to one purpose and one step.

    Two streams of one key give the same numbers on every device; a stream is read once and thrown away.
    """

    def uniform(self, low: float, high: float, size: tuple[int, ...], device: torch.device) -> Tensor:
        """Float numbers in [low, high)."""

    def normal(self, size: tuple[int, ...], device: torch.device) -> Tensor:
        """Float numbers of mean 0 and standard deviation 1."""

    def integers(self, low: int, high: int, size: tuple[int, ...], device: torch.device) -> Tensor:
        """Whole numbers from low to high, both included (int64)."""
