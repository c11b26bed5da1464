"""Several data sets as one."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from attrs import evolve, frozen

from flowvae.contracts import (
    BuiltDataset,
    BuiltNamedDataset,
    Dataset,
    Refused,
    Skipped,
    Sound,
    Weighed,
)

# What a fingerprint stands for; a change in which sounds are used, or how they are named or weighed, raises it.
_VERSION = 2


class Mix:
    """The sounds of several data sets, those of some heard more often than those of others.

    Formula: sound n of source s is called s/n and lies in the group s/g; its weight is multiplied with that of s. In
        training a sound of weight 2 is drawn twice as often as one of weight 1, so a source has the share
        weight * sounds of all draws, divided by the sum of that over the sources. Held-out sounds count alike.
        Of sources that hold the same sound the first is used: one that is trained on must not be held out as well.
    Shapes: as the sources give them.
    Units: weights are relative: doubling all changes nothing.
    Parameters:
        sources: data sets by name, each with a weight of its own, [data.sources.NAME] weight = 2.0.
    Source: own. Kits are sought in each source apart, and no group stands for those of another source.

    Raises FileNotFoundError where a source has no sound that can be used, and what the sources raise.

    >>> from flowvae_components.datasets.synthetic_percussion import SyntheticPercussion
    >>> both = Mix(44100, 1, 16384, sources=(Weighed("made", SyntheticPercussion, 2.0),))
    >>> first = next(both.read())
    >>> first.name, first.group, first.weight
    ('made/kick/kick-000', 'made/kit-00', 2.0)
    """

    def __init__(
        self, sample_rate: int, channels: int, n_samples: int, *, sources: tuple[Weighed[Dataset], ...]
    ) -> None:
        if not sources:
            raise Refused("sources", "sources must be at least one, got none")
        for source in sources:
            if not 0 < source.weight < float("inf"):
                raise Refused("sources", f"the weight of {source.name} must be above 0, got {source.weight}")
        self.sources = [
            _Source(source.name, source.make(sample_rate, channels, n_samples), source.weight)
            for source in sources
        ]
        self.apart = tuple(part for source in self.sources for part in source.apart)
        named = [source for source in self.sources if isinstance(source.built, BuiltNamedDataset)]
        if len(named) == len(self.sources):  # else nobody knows all names before the sounds are read
            self.names = self._names

    def fingerprint(self) -> str:
        """SHA-256 over the names, the weights and the fingerprints of the sources, in their order."""
        told = [[source.name, source.weight, source.built.fingerprint()] for source in self.sources]
        return hashlib.sha256(json.dumps([_VERSION, told]).encode()).hexdigest()

    def read(self) -> Iterator[Sound | Skipped]:
        """The sounds of one source after the other."""
        first_names: dict[bytes, str] = {}
        return chain.from_iterable(source.read(first_names) for source in self.sources)

    def _names(self) -> Iterator[tuple[str, ...]]:
        return chain.from_iterable(source.names() for source in self.sources)


@frozen(eq=False)
class _Source:
    """One of the data sets, with the names that its sounds have in the mix."""

    name: str
    built: BuiltDataset
    weight: float

    @property
    def apart(self) -> tuple[str, ...]:
        """Its name; of a mix in a mix, the names of its sources."""
        inner: tuple[str, ...] = getattr(self.built, "apart", ())
        return tuple(f"{self.name}/{part}" for part in inner) or (self.name,)

    def read(self, first_names: dict[bytes, str]) -> Iterator[Sound | Skipped]:
        """Its sounds; `first_names` is what the sounds of all sources so far are called."""
        reasons: Counter[str] = Counter()
        usable = 0
        for item in self.built.read():
            name = f"{self.name}/{item.name}"
            if isinstance(item, Skipped):
                reasons[item.reason] += 1
                yield evolve(item, name=name)
                continue
            digest = hashlib.sha256(item.audio.tobytes()).digest()
            first = first_names.setdefault(digest, name)
            if first != name:
                reasons[f"a sound of {first.partition('/')[0]}"] += 1
                yield Skipped(name, f"the same sound as {first}", lost=False)
            else:
                usable += 1
                group = f"{self.name}/{item.group}"
                whole = f"{self.name}/{item.whole}" if item.whole else ""
                weight = item.weight * self.weight
                yield evolve(item, name=name, group=group, weight=weight, whole=whole)
        if not usable:
            why = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common(3))
            raise FileNotFoundError(f"source {self.name} has no usable sound" + (f": {why}" if why else ""))

    def names(self) -> Iterator[tuple[str, ...]]:
        assert isinstance(self.built, BuiltNamedDataset)
        empty = True
        for name, group, *label in self.built.names():
            empty = False
            yield f"{self.name}/{name}", f"{self.name}/{group}", *label
        if empty:
            raise FileNotFoundError(f"source {self.name} has no usable sound")
