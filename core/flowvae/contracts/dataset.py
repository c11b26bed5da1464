from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import field, frozen

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
    """Sounds of one group stay on one side of the split: a kit, a pack, an author; or the folder that holds the sound.
    Of a folder the split then tells whether it is a kit, or a class such as kicks."""
    audio: NDArray[np.float32]
    """(channels, t), any length."""
    start: int = 0
    """The sample at which the clip begins: shortly before the onset."""
    note: str = ""
    """What was unusual but is in order now."""
    label: str = ""
    """The class of the sound, such as kick, where the data set knows it; without one its name may say it."""
    weight: float = 1.0
    """How often it is drawn in training, beside the others: weight 2 twice as often as weight 1. Above 0."""
    whole: str = ""
    """The name of the recording that it is a piece of; pieces of one recording stay on one side of the split."""


@frozen
class Skipped:
    """A sound that cannot be used, and the reason in plain words."""

    name: str
    reason: str
    lost: bool = field(default=True, repr=False, eq=False)
    """Whether a sound was lost: no for what never was one, and for what is used under another name."""


@runtime_checkable
class BuiltDataset(Protocol):
    """A set of sounds that can be read once, in an order that depends on nothing but the set.

    A class may say `exchangeable = True`: its groups are all drawn in one way, so that any of them stand for the rest,
    and their names alone decide which are held out. Of other groups those are held out that have all classes.
    A set that is made of several may say `apart`, the first folders of its names: kits are sought in each of them apart.
    """

    def fingerprint(self) -> str:
        """A hash over all that the sounds are made from; not over where they lie."""

    def read(self) -> Iterator[Sound | Skipped]:
        """Every sound or the reason why not."""


@runtime_checkable
class BuiltNamedDataset(BuiltDataset, Protocol):
    """A source that knows its sounds by name before it reads them: `flowvae check` can then foretell the split."""

    def names(self) -> Iterator[tuple[str, str] | tuple[str, str, str]]:
        """Name and group of every sound that read() will try, in its order and at no cost to speak of; and its label,
        where it has one. A recording that may be cut into pieces is named as a whole.
        """


@runtime_checkable
class Dataset(Protocol):
    """Where sounds come from. Needs numpy, not torch."""

    def __call__(self, sample_rate: int, channels: int, n_samples: int) -> BuiltDataset: ...
