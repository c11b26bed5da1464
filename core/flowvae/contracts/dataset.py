from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray


@frozen(eq=False)
class Sound:
    """One sound, at the rate and with the channels that were asked for."""

    name: str
    """What the sound is called, with forward slashes; no absolute path."""
    group: str
    """Sounds of one group stay on one side of the split: a kit, a pack, an author."""
    audio: NDArray[np.float32]
    """(channels, t), any length."""
    start: int = 0
    """The sample at which the clip begins: shortly before the onset."""
    note: str = ""
    """What was unusual but is in order now."""


@frozen
class Skipped:
    """A sound that cannot be used, and the reason in plain words."""

    name: str
    reason: str


@runtime_checkable
class SoundSource(Protocol):
    """A set of sounds that can be read once, in an order that depends on nothing but the set."""

    def fingerprint(self) -> str:
        """A hash over all that the sounds are made from; not over where they lie."""

    def read(self) -> Iterator[Sound | Skipped]:
        """Every sound or the reason why not."""


@runtime_checkable
class Dataset(Protocol):
    """Where sounds come from. Needs numpy, not torch."""

    def __call__(self, sample_rate: int, channels: int, n_samples: int) -> SoundSource: ...
