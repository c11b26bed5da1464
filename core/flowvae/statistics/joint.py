"""Several arms beside one baseline, tested together and looked at more than once: a joint sign-flip with max-T step-down.

Where an arm does not differ, a seed's difference is as likely of one sign as of the other. One sign a seed, the same for all
arms, keeps what the arms have in common; and six seeds can show something among any number of arms.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.statistics.level import EXACT_UP_TO, LEVEL, MONTE_CARLO_DRAWS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Stage = tuple[Floats, float | None]
"""Of a look, the sizes of all arms under each pattern, (patterns, arms), that of the data first; and its level."""

DIGITS = 12
"""Sums of the same numbers in another order differ in their last digits: those are ties, and ties count."""


@frozen
class Look:
    """A look at the runs: at which seeds, and the false claims that are allowed until then.

    Without a level, half of what the looks before it have left of 0.05: however often one looks, it is never all.
    """

    seeds: frozenset[int]
    level: float | None = None


@frozen
class Joint:
    """What the family says of one arm; it is told apart from the baseline where p is at most the level."""

    p: float
    """The chance of so large a difference in any arm that is tested with it, or of a claim at an earlier look."""
    level: float
    """The false claims that are allowed until this look."""
    reachable: float
    """The smallest p that these seeds could have given."""
    exact: bool
    """Whether every sign pattern was counted, or a seeded sample of them."""


def joint_sign_flip(
    differences: Sequence[Mapping[int, float]], looks: Sequence[Look] = (), level: float | None = LEVEL
) -> tuple[Joint, ...]:
    """Tests all arms as one family, after some earlier looks; `differences` are those of each arm by seed.

    Formula: with one sign for each seed, t_j(s) = |mean(s * d_j)| / (sd(s * d_j) / sqrt(n_j)). In the order of the t_j
        that were seen, the largest first, p_j is the share of the sign patterns in which the largest t of this arm and of those
        after it is at least t_j, and never less than that of the arm before. A seed that an arm lacks counts
        as nothing in its mean. After earlier looks, the patterns that one of them would have claimed count as well; an arm
        that a look could claim keeps the p that it had there, and is in no family of a later look.
    Units: `level` is the share of false claims that is allowed until now; None is half of what is left.
    Source: Westfall and Young 1993, Resampling-Based Multiple Testing; Lan and DeMets 1983, doi.org/10.2307/2336502. That a
        claimed arm leaves the later families is closed testing where the t to be passed does not rise as a family shrinks;
        at one look that is so, over several it is held by simulation (tests/report/test_joint.py).

    >>> [arm.p for arm in joint_sign_flip([{0: 1.0, 1: 2.0, 2: 1.5}, {0: 0.1, 1: -0.2, 2: 0.1}])]
    [0.25, 1.0]
    """
    seeds = sorted({seed for arm in differences for seed in arm})
    if not seeds:
        raise ValueError("differences must hold at least one seed, got none")
    table = np.array([[arm.get(seed, 0.0) for arm in differences] for seed in seeds])
    counted = np.array([[seed in arm for arm in differences] for seed in seeds])
    signs = _signs(len(seeds))
    stages = []
    for look in looks:
        rows = np.array([seed in look.seeds for seed in seeds])
        stages.append((_studentised(signs[:, rows], table[rows], counted[rows]), look.level))
    stages.append((_studentised(signs, table, counted), level))
    return _look_by_look(stages, exact=len(seeds) <= EXACT_UP_TO)


def _signs(n_seeds: int) -> Floats:
    """The sign patterns, (patterns, seeds), that of the data first.

    A pattern and its opposite give the same t, so the first seed keeps its sign.
    """
    if n_seeds <= EXACT_UP_TO:
        bits = np.arange(2 ** (n_seeds - 1))[:, None] >> np.arange(n_seeds - 1) & 1
    else:
        bits = np.random.default_rng(0).integers(0, 2, (MONTE_CARLO_DRAWS, n_seeds - 1))
        bits[0] = 0
    return np.concatenate([np.ones((len(bits), 1)), 1.0 - 2.0 * bits], axis=1)


def _studentised(signs: Floats, table: Floats, counted: Bools) -> Floats:
    """The size of each arm's mean in units of its standard error, (patterns, arms); 0 below two seeds."""
    counts = counted.sum(0)
    # The sum of squares is the same under all signs, so t is a function of this share; 1 where all differences are alike.
    whole = np.sqrt(counts * np.square(table).sum(0))
    share = np.abs(signs @ table) / np.where(whole > 0, whole, 1.0)
    share = np.round(share, DIGITS).clip(max=1.0)
    with np.errstate(divide="ignore"):
        sizes = share / np.sqrt(1 - np.square(share))
    return np.where(counts > 1, sizes * np.sqrt(np.maximum(counts - 1, 1)), 0.0)


def _look_by_look(stages: Sequence[Stage], *, exact: bool) -> tuple[Joint, ...]:
    """What each look could claim of the arms that no look before it has claimed; the last stage is the look of now."""
    found: dict[int, Joint] = {}
    for i in range(1, len(stages) + 1):
        until, sizes = stages[:i], stages[i - 1][0][0]
        left = [int(arm) for arm in np.argsort(-sizes, kind="stable") if int(arm) not in found]
        # Each arm with those that are no larger than it, in turn; p is never less than that of the arm before.
        before = Joint(0.0, 1.0, 0.0, exact)
        for rank, arm in enumerate(left):
            step = _intersection(until, left[rank:], exact=exact)
            before = Joint(
                max(before.p, step.p),
                min(before.level, step.level),
                max(before.reachable, step.reachable),
                exact,
            )
            if i < len(stages) and before.p > before.level:
                break  # the arms that are left are looked at again
            found[arm] = before
    return tuple(found[arm] for arm in range(len(found)))


def _intersection(stages: Sequence[Stage], arms: Sequence[int], *, exact: bool) -> Joint:
    """The test of the first of some arms together with the others, at the last of some looks."""
    claimed = np.zeros(len(stages[0][0]), bool)
    for sizes, level in stages[:-1]:
        largest = sizes[:, arms].max(1)
        claimed |= largest >= _critical(largest, claimed, _allowed(claimed, level))
    sizes, level = stages[-1]
    as_large = claimed | (sizes[:, arms].max(1) >= sizes[0, arms[0]])
    reachable = float(claimed.mean()) + 1 / len(claimed)
    return Joint(float(as_large.mean()), _allowed(claimed, level), reachable, exact)


def _allowed(claimed: Bools, level: float | None) -> float:
    """The false claims until a look, those of the looks before it included."""
    if level is not None:
        return level
    spent = float(claimed.mean())
    return spent + (LEVEL - spent) / 2


def _critical(largest: Floats, claimed: Bools, allowed: float) -> float:
    """The least t that a look may claim, so that no more than is allowed of the patterns are claimed until then."""
    room = math.floor(allowed * len(claimed) + 1e-9) - int(claimed.sum())
    values = np.sort(largest[~claimed])[::-1]
    if room <= 0:
        return math.nan
    if room >= len(values) or values[room - 1] > values[room]:
        return float(values[min(room, len(values)) - 1])
    larger = values[values > values[room]]  # a tie is claimed as a whole or not at all
    return float(larger[-1]) if len(larger) else math.nan
