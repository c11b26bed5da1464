"""Which sounds are held out: whole groups, near the share that was asked for, of all classes alike."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.data.copies import Pair, copies, joined
from flowvae.data.kits import Member, units
from flowvae.errors import DataError

WORTH = 0.15
"""The part of the misfit that an exchange of groups must save. If any gain would do, there would be a near tie in every
set, and one sound more would turn it: then two sounds less changed the split of real kits in 2 cases of 5, now in fewer
than 1 of 20."""
SIZE_WEIGHT = 4.0
"""So that a large group of one class, which nothing can balance, does not leave next to nothing held out."""
ABSENT = 16.0
"""What a class in one part only adds to the misfit: a class that is there adds about 1 in a draw by lot. With 4, kits of
which three have shakers were left with none held out."""

Vector = NDArray[np.float64]


@frozen
class Split:
    """The two sides of a set of sounds, and what the sides were made from."""

    members: tuple[Member, ...]
    units: tuple[str, ...]
    """What each sound was held out with, or not: sounds of one unit are on one side."""
    held: tuple[bool, ...]
    share: float
    """What was asked for."""
    split_by: str
    copies: tuple[Pair, ...] = ()
    """Sounds of two kits, or sounds that stand for themselves, of which one is a copy of the other."""

    @property
    def goal(self) -> float:
        """How many sounds were asked for: at least one."""
        return max(self.share * len(self.members), 1.0)


def split_sounds(
    members: Sequence[Member],
    share: float,
    split_by: str = "auto",
    *,
    alike: bool = False,
    apart: Sequence[str] = (),
    prints: Sequence[NDArray[np.float32]] = (),
) -> Split:
    """Decides by names and labels, so that the order of reading does not matter; and by the fingerprints of the sounds,
    where they are known: what holds copies of one sound is held out as one, unless nothing else would be left.

    Of groups that are `alike`, any stand for all: their names alone decide. Kits are sought in each of the folders
    `apart` for itself.
    """
    side = units(members, split_by, apart)
    names = [member.name for member in members]
    pairs = copies(prints, side, names) if len(prints) and not alike else []
    if split_by != "class":  # who holds out a class asks for the whole of it and for nothing else
        side = joined(side, pairs, names, len(side) - max(share * len(side), 1.0))
    if len(set(side)) < 2:
        raise DataError(
            f"all {len(side)} sounds are of one group, {side[0]}: none is left to hold out",
            do='data.split_by = "file", or more sounds',
        )
    held = held_units(members, side, share, alike=alike, balanced=split_by != "class")
    return Split(
        tuple(members), tuple(side), tuple(unit in held for unit in side), share, split_by, tuple(pairs)
    )


def held_units(
    members: Sequence[Member], side: Sequence[str], share: float, *, alike: bool, balanced: bool
) -> set[str]:
    """The units that are kept for validation; at least one is held out and one is trained on."""
    kinds: dict[str, Counter[str]] = {}
    for member, unit in zip(members, side, strict=True):
        kinds.setdefault(unit, Counter())[member.kind if balanced else ""] += 1
    order = sorted(kinds, key=lambda unit: hashlib.sha256(unit.encode()).digest())
    sizes = Counter(side)
    held = _by_name(order, sizes, share * len(side))
    if alike:
        return held
    balance = _Balance.of(order, kinds, held, max(share * len(side), 1.0))
    everything = np.arange(len(balance.counts))
    balance.exchange(everything, until=balance.limit, worth=WORTH)
    # Then only what brings in a class that is missing: to go on to the best of all would make every sound count.
    balance.exchange(everything, least=ABSENT / 2)
    # Single sounds fit anywhere: with them the rest is made up for, as far as it goes.
    balance.exchange(np.flatnonzero(balance.counts[:, 0] == 1))
    return balance.held()


def _by_name(order: Sequence[str], sizes: Counter[str], goal: float) -> set[str]:
    """Units in an order that only their names decide, as long as they fit; where none fits, the smallest."""
    held: set[str] = set()
    count = 0
    for unit in order:
        if count + sizes[unit] <= goal and len(held) < len(order) - 1:
            held.add(unit)
            count += sizes[unit]
    return held or {min(order, key=lambda unit: sizes[unit])}


@frozen(eq=False)
class _Balance:
    """How many units of each make are held out. Units of one make hold the same counts of each class.

    Misfit: (h - e)^2 / e, for all sounds together and for each class, with h the sounds held out and e those that
    the share asks for; and more for a class that is in one part only, although several units have it.
    A unit moves to the other side, or two change sides, as long as the misfit falls, the best move first. Of one
    make, those first in the order of names are held out. Moves from a start that the names decide, and not the best
    of all ways: so that a sound more in one kit leaves the others where they are.
    """

    makes: tuple[tuple[str, ...], ...]
    counts: Vector
    """(makes, 1 + classes): the sounds of one unit, in all and of each class."""
    number: Vector
    """How many units of each make are held out."""
    goal: Vector
    whole: Vector
    several: NDArray[np.bool_]

    @classmethod
    def of(
        cls, order: Sequence[str], kinds: dict[str, Counter[str]], held: set[str], goal: float
    ) -> "_Balance":
        columns = sorted({kind for unit in order for kind in kinds[unit]})
        makes: dict[tuple[int, ...], list[str]] = {}
        for unit in order:
            makes.setdefault(tuple(kinds[unit][kind] for kind in columns), []).append(unit)
        classes = np.array(list(makes), np.float64)
        counts = np.concatenate([classes.sum(axis=1, keepdims=True), classes], axis=1)
        many = np.array([len(units) for units in makes.values()], np.float64)
        number = np.array([sum(unit in held for unit in units) for units in makes.values()], np.float64)
        whole = many @ counts
        several = many @ (counts > 0) > 1
        goals = whole * goal / whole[0]
        return cls(tuple(map(tuple, makes.values())), counts, number, goals, whole, several)

    @property
    def limit(self) -> float:
        """What is near enough: each of the figures of a draw by lot has a misfit of 1 - share on average."""
        return float(self.weight.sum()) * float(1 - self.goal[0] / self.whole[0])

    def misfit(self, held: Vector) -> Vector:
        return np.asarray(((held - self.goal) ** 2 / self.goal) @ self.weight + ABSENT * self.absent(held))

    def absent(self, held: Vector) -> Vector:
        """How many classes are in one part only."""
        return np.asarray((self.several & ((held <= 0) | (held >= self.whole))).sum(axis=-1))

    @property
    def weight(self) -> Vector:
        """The size counts for several classes."""
        return np.array([SIZE_WEIGHT, *np.ones(len(self.goal) - 1)])

    def exchange(
        self, movable: NDArray[np.intp], *, until: float = 0.0, least: float = 1e-9, worth: float = 0.0
    ) -> None:
        """Moves units of the movable makes, as long as the misfit falls by enough: at least so much, or such a part.

        Until the misfit is small; a missing class does not count there, for it may be that no move brings it in.
        """
        most = np.array([len(units) for units in self.makes])
        while True:
            held = self.number @ self.counts
            now = float(self.misfit(held))
            best: tuple[float, Any] = (now - max(least, worth * now), None)
            outs = movable[self.number[movable] > 0]
            ins = movable[self.number[movable] < most[movable]]
            for out in (None, *outs):
                for taken, misfit in self._moves(out, ins):
                    if misfit < best[0] - 1e-9:
                        best = (misfit, (out, taken))
            if now - ABSENT * self.absent(held) <= until or best[1] is None:
                return
            for make, step in zip(best[1], (-1, 1), strict=True):
                if make is not None:
                    self.number[make] += step

    def _moves(self, out: Any, ins: NDArray[np.intp]) -> list[tuple[Any, float]]:
        """What the misfit would be without `out`, and with the best of `ins` instead or besides."""
        left = self.number @ self.counts - (0 if out is None else self.counts[out])
        found: list[tuple[Any, float]] = []
        n_held = self.number.sum() - (out is not None)
        if out is not None and n_held > 0:
            found.append((None, float(self.misfit(left))))
        if len(ins) and n_held + 1 < sum(map(len, self.makes)):
            misfits = self.misfit(left + self.counts[ins])
            found.append((ins[int(misfits.argmin())], float(misfits.min())))
        return found

    def held(self) -> set[str]:
        """The names of the units."""
        return {
            unit
            for units, number in zip(self.makes, self.number, strict=True)
            for unit in units[: int(number)]
        }
