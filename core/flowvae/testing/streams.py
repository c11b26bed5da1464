"""A stream of random numbers for checks."""

import torch
from torch import Tensor


class SeededStream:
    """The numbers of one seed, drawn on the CPU so that every device gets the same.

    >>> SeededStream(3).integers(1, 1, (2,), torch.device("cpu"))
    tensor([1, 1])
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def uniform(self, low: float, high: float, size: tuple[int, ...], device: torch.device) -> Tensor:
        """Float numbers in [low, high)."""
        return (low + (high - low) * torch.rand(size, generator=self._generator)).to(device)

    def normal(self, size: tuple[int, ...], device: torch.device) -> Tensor:
        """Float numbers of mean 0 and standard deviation 1."""
        return torch.randn(size, generator=self._generator).to(device)

    def integers(self, low: int, high: int, size: tuple[int, ...], device: torch.device) -> Tensor:
        """Whole numbers from low to high, both included."""
        return torch.randint(low, high + 1, size, generator=self._generator).to(device)
