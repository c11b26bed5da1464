"""What paired runs can show: intervals, exact tests, their correction, and the reach of a design.

The unit is the seed. The sounds of one run are nested inside it: more sounds make a run's figure steadier,
they never count as more runs.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from attrs import frozen
from scipy.special import ndtri, stdtrit

Direction = Literal["lower", "higher", "none"]
Word = Literal["better", "worse", "not shown", "not compared"]

LEVEL = 0.05
POWER = 0.8
EXACT_UP_TO = 16  # 65,536 sign patterns: a millisecond, and far below any p that matters
MONTE_CARLO_DRAWS = 100_000


@frozen
class SignFlip:
    """A two-sided sign-flip p, and whether every sign pattern was counted or a seeded sample of them."""

    p: float
    exact: bool


@frozen
class Paired:
    """The differences of one arm from the baseline, seed by seed, and what follows from them.

    `interval` is None below two seeds. `higher` and `lower` count the seeds on each side of the baseline.
    """

    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    mean: float
    sd: float | None
    interval: tuple[float, float] | None
    sign_flip: SignFlip
    higher: int
    lower: int


@frozen
class Verdict:
    """One of four words, and the reason in plain language."""

    word: Word
    reason: str


def paired_differences(baseline: Mapping[int, float], arm: Mapping[int, float]) -> dict[int, float]:
    """Arm minus baseline for each seed.

    Errors: ValueError where one side has a seed that the other lacks: such values are no pairs.

    >>> paired_differences({0: 1.0, 1: 2.0}, {1: 2.5, 0: 1.25})
    {0: 0.25, 1: 0.5}
    """
    unmatched = sorted(baseline.keys() ^ arm.keys())
    if unmatched:
        raise ValueError(f"seeds must be the same on both sides, unmatched: {unmatched}")
    return {seed: arm[seed] - baseline[seed] for seed in sorted(baseline)}


def standard_deviation(values: Sequence[float]) -> float | None:
    """The standard deviation with n - 1 below the root; None below two values."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def t_interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float] | None:
    """Student's interval for the mean of `values`, with confidence 1 - level; None below two values.

    Formula: mean -+ t(1 - level / 2, n - 1) * sd / sqrt(n).
    """
    sd = standard_deviation(values)
    if sd is None:
        return None
    n = len(values)
    half = float(stdtrit(n - 1, 1 - level / 2)) * sd / math.sqrt(n)
    mean = float(np.mean(values))
    return mean - half, mean + half


def sign_flip(differences: Sequence[float]) -> SignFlip:
    """How often random signs give a sum as far from 0 as the one seen.

    Formula: p = share of the 2^n sign patterns s with abs(sum(s * d)) >= abs(sum(d)).
        Beyond 16 seeds a seeded sample of patterns stands for all of them, the one seen included.

    >>> sign_flip([1.0, 2.0, 3.0]).p
    0.25
    """
    d = np.asarray(differences, dtype=np.float64)
    # Sums of the same numbers in another order differ in the last digits: those are ties, and ties count.
    seen = abs(float(d.sum())) - 1e-12 * float(np.abs(d).sum())
    if len(d) <= EXACT_UP_TO:
        sums = np.zeros(1)
        for value in d:
            sums = np.concatenate([sums + value, sums - value])
        return SignFlip(float(np.mean(np.abs(sums) >= seen)), exact=True)
    signs = np.random.default_rng(0).integers(0, 2, (MONTE_CARLO_DRAWS, len(d)), dtype=np.int8) * 2 - 1
    as_far = int(np.count_nonzero(np.abs(signs @ d) >= seen))
    return SignFlip((as_far + 1) / (MONTE_CARLO_DRAWS + 1), exact=False)


def pair(baseline: Mapping[int, float], arm: Mapping[int, float]) -> Paired:
    """All that the seeds of two arms say together; at least one seed, the same ones on both sides."""
    by_seed = paired_differences(baseline, arm)
    if not by_seed:
        raise ValueError("seeds must be at least one, got none")
    values = tuple(by_seed.values())
    return Paired(
        seeds=tuple(by_seed),
        differences=values,
        mean=float(np.mean(values)),
        sd=standard_deviation(values),
        interval=t_interval(values),
        sign_flip=sign_flip(values),
        higher=sum(value > 0 for value in values),
        lower=sum(value < 0 for value in values),
    )


def smallest_p(n_seeds: int) -> float:
    """The smallest two-sided sign-flip p that so many seeds can reach: all of one sign, or all of the other.

    >>> smallest_p(3), smallest_p(6)
    (0.25, 0.03125)
    """
    smallest = min(1.0, 2.0 / 2.0**n_seeds)
    return smallest if n_seeds <= EXACT_UP_TO else max(smallest, 1 / (MONTE_CARLO_DRAWS + 1))


def holm(p_values: Sequence[float | None]) -> tuple[float, ...]:
    """Holm's adjusted p for a family of comparisons; None, a comparison that could not be made, counts as 1.

    Formula: sorted upwards, p_(i) becomes max over j <= i of min(1, (m - j + 1) * p_(j)).
        A planned comparison that failed stays in the family, so a failure never makes the others easier.

    >>> holm([0.01, 0.04, None])
    (0.03, 0.08, 1.0)
    """
    known = [1.0 if p is None else p for p in p_values]
    adjusted = [1.0] * len(known)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(known)), key=known.__getitem__)):
        running = max(running, min(1.0, (len(known) - rank) * known[index]))
        adjusted[index] = running
    return tuple(adjusted)


def _spread_factor(n_seeds: int, level: float, power: float) -> float:
    return float(stdtrit(n_seeds - 1, 1 - level / 2) + stdtrit(n_seeds - 1, power))


def seeds_needed(difference: float, sd: float, *, level: float = LEVEL, power: float = POWER) -> int:
    """How many seeds a paired t test needs to find `difference` with the given power.

    Formula: the smallest n with n >= ((t(1 - level / 2, n - 1) + t(power, n - 1)) * sd / difference)^2.
        The right side falls as n grows and is never below its value for the normal distribution, so the search
        starts there and walks up.
    Errors: ValueError where difference is 0, which no number of seeds finds.
    """
    if difference == 0:
        raise ValueError(f"difference must not be 0, got {difference}")
    ratio = min(sd / abs(difference), 1e6) ** 2  # from 10^12 seeds on, the number says no more
    n = max(2, math.ceil(float(ndtri(1 - level / 2) + ndtri(power)) ** 2 * ratio))
    while n < _spread_factor(n, level, power) ** 2 * ratio:
        n += 1
    return n


def seeds_to_reach(n_comparisons: int, level: float = LEVEL) -> int:
    """The number of seeds from which a sign-flip p can pass Holm's first step over so many comparisons.

    >>> seeds_to_reach(1), seeds_to_reach(3)
    (6, 7)
    """
    return next(n for n in range(1, 64) if n_comparisons * 2.0 / 2.0**n <= level)


def detectable_difference(
    sd: float, n_seeds: int, *, level: float = LEVEL, power: float = POWER
) -> float | None:
    """The difference that so many seeds find with the given power; None below two seeds."""
    return _spread_factor(n_seeds, level, power) * sd / math.sqrt(n_seeds) if n_seeds > 1 else None


def judge(paired: Paired, p_holm: float, p_reachable: float, direction: Direction) -> Verdict:
    """Better or worse only if the interval excludes 0 and the adjusted sign-flip p is at most 0.05.

    `p_reachable` is the adjusted p that these seeds would have reached at best.
    """
    n = len(paired.seeds)
    seeds = f"{n} seed" if n == 1 else f"{n} seeds"
    if direction == "none":
        return Verdict("not shown", "neither end of this metric is the good one")
    if p_reachable > LEVEL:
        best = f"{seeds} can reach p = {p_reachable:.2g} at best after the correction for several arms"
        if p_reachable == smallest_p(n):
            best = f"{seeds} can reach p = {p_reachable:.2g} at best"
        return Verdict("not shown", f"{best}: this design could not have shown a difference")
    if paired.interval is None or paired.interval[0] <= 0 <= paired.interval[1]:
        return Verdict("not shown", "the interval of the difference includes 0")
    if p_holm > LEVEL:
        return Verdict(
            "not shown", f"the interval excludes 0, but the adjusted p is {p_holm:.2g}, above {LEVEL}"
        )
    is_better = (paired.mean < 0) == (direction == "lower")
    same_side = max(paired.higher, paired.lower)
    reason = f"the interval excludes 0, {same_side} of {seeds} agree, and the adjusted p is {p_holm:.2g}"
    return Verdict("better" if is_better else "worse", reason)
