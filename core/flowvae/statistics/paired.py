"""What paired runs can show: intervals, exact tests, and the reach of a design.

The unit is the seed. The sounds of one run are nested inside it: more sounds make a run's figure steadier,
they never count as more runs.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from attrs import frozen
from scipy.special import ndtri, stdtrit

from flowvae.statistics.level import EXACT_UP_TO, LEVEL, MONTE_CARLO_DRAWS

Direction = Literal["lower", "higher", "none"]

POWER = 0.8


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

    @property
    def is_nothing(self) -> bool:
        """Whether each seed has the same figure on both sides, to the last digit."""
        return not any(self.differences)


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


def detectable_difference(
    sd: float, n_seeds: int, *, level: float = LEVEL, power: float = POWER
) -> float | None:
    """The difference that so many seeds find with the given power; None below two seeds."""
    return _spread_factor(n_seeds, level, power) * sd / math.sqrt(n_seeds) if n_seeds > 1 else None
