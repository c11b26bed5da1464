"""Randomness: one stream a purpose, so that swapping one component leaves every other draw as it was.

There is no global seed and no generator state to save: a stream is a function of the run's seed, a purpose and
a step, so a resumed run draws what the uninterrupted one would have drawn.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from attrs import frozen
from torch import Tensor


def stream_key(seed: int, *purpose: str | int) -> int:
    """A 63-bit key that belongs to one seed and one purpose.

    >>> stream_key(0, "batch", 1) == stream_key(0, "batch", 1), stream_key(0, "batch", 1) == stream_key(0, "batch", 2)
    (True, False)
    """
    # The length of each word goes in, so that ("ab", "c") and ("a", "bc") are two purposes.
    text = "".join(f"{len(str(word))}:{word}" for word in (seed, *purpose))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


@frozen
class SeededStream:
    """Random numbers of one key. They are drawn on the CPU: a device then sees what every other device sees."""

    generator: torch.Generator

    @classmethod
    def of(cls, seed: int, *purpose: str | int) -> "SeededStream":
        """The stream of a purpose."""
        return cls(torch.Generator().manual_seed(stream_key(seed, *purpose)))

    def uniform(self, low: float, high: float, size: tuple[int, ...], device: torch.device) -> Tensor:
        """Float numbers in [low, high)."""
        return torch.rand(size, generator=self.generator).mul_(high - low).add_(low).to(device)

    def normal(self, size: tuple[int, ...], device: torch.device) -> Tensor:
        """Float numbers of mean 0 and standard deviation 1."""
        return torch.randn(size, generator=self.generator).to(device)

    def integers(self, low: int, high: int, size: tuple[int, ...], device: torch.device) -> Tensor:
        """Whole numbers from low to high, both included."""
        return torch.randint(low, high + 1, size, generator=self.generator).to(device)


def initialisation(seed: int | None) -> Callable[[str], AbstractContextManager[None]] | None:
    """What gives every key path a stream for its initial weights; without a seed torch draws them as it stands."""
    return None if seed is None else lambda path: torch_seeded(seed, "initialisation", path)


def seed_torch(key: int) -> None:
    """Sets torch's own generators, of the processor and of the accelerators that are in use.

    torch.manual_seed also leaves a note for each kind of device that is not there, with a trace of who asked: a step asks
    three times, and each took 0.2 ms.
    """
    torch.default_generator.manual_seed(key)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.cuda.manual_seed_all(key)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(key)


def turn_to(purpose: str) -> None:
    """From here on torch's own generators follow a stream that belongs to a purpose and to the seed that was set last.

    However much was drawn in between: what a posterior draws does not move what a decoder draws after it.
    """
    seed_torch(stream_key(torch.initial_seed(), purpose))


@contextmanager
def torch_seeded(seed: int, *purpose: str | int) -> Iterator[None]:
    """Within, torch's own generators follow a stream; afterwards they are as before.

    For code that draws from torch directly: the initialisation of a module, dropout, a distribution's sample.
    """
    started = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    devices = range(torch.cuda.device_count()) if started else []
    with torch.random.fork_rng(devices):
        seed_torch(stream_key(seed, *purpose))
        yield
