"""What a listener's answers can show: exact binomial tests, and the reach of so many questions.

The unit is the question, of one listener. Answers of several listeners about the same sounds are not independent: they are
never tested as one.
"""

import itertools
from collections.abc import Sequence
from math import comb

from scipy.special import betaincinv

from flowvae.statistics.level import LEVEL
from flowvae.statistics.paired import POWER


def p_at_least(k: int, n: int) -> float:
    """The chance that guessing gives k right answers of n, or more: one-sided, since only more than half speaks for an ear.

    Formula: p = sum over i from k to n of C(n, i) / 2^n.

    >>> p_at_least(12, 16)
    0.0384063720703125
    """
    return float(sum(comb(n, i) for i in range(k, n + 1)) / 2**n)


def p_either_side(k: int, n: int) -> float:
    """The sign test: the chance of so uneven a split of n choices, or a more uneven one, to whichever side.

    Formula: p = min(1, 2 * P(K >= max(k, n - k))), K binomial with one half; without a choice, 1.

    >>> p_either_side(13, 16), p_either_side(8, 16)
    (0.021270751953125, 1.0)
    """
    return min(1.0, 2 * p_at_least(max(k, n - k), n))


def fewest_to_show(n: int, level: float = LEVEL) -> int | None:
    """The smallest number of right answers of n with p at most the level; None where not even all of them are enough.

    >>> fewest_to_show(16), fewest_to_show(4)
    (12, None)
    """
    return next((k for k in range(n // 2, n + 1) if p_at_least(k, n) <= level), None)


def share_found(n: int, level: float = LEVEL, power: float = POWER) -> float | None:
    """The share of right answers, in the long run, of a listener who is found with the given power; None where nobody is.

    Formula: the s with P(K >= k) = power, K binomial with n and s, k as `fewest_to_show` has it; P(K >= k) is the regularised
        incomplete beta function I_s(k, n - k + 1).

    >>> round(share_found(16), 3)
    0.801
    """
    k = fewest_to_show(n, level)
    return None if k is None else float(betaincinv(k, n - k + 1, power))


def share_interval(k: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Clopper and Pearson's interval for the share in the long run, with confidence of at least 1 - level; n is above 0.

    Formula: from the s with I_s(k, n - k + 1) = level / 2 to the s with I_s(k + 1, n - k) = 1 - level / 2.
    Source: Clopper and Pearson 1934, doi.org/10.1093/biomet/26.4.404.

    >>> [round(end, 3) for end in share_interval(12, 16)]
    [0.476, 0.927]
    """
    low = float(betaincinv(k, n - k + 1, level / 2)) if k > 0 else 0.0
    high = float(betaincinv(k + 1, n - k, 1 - level / 2)) if k < n else 1.0
    return low, high


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """Each p beside the others: at most the level where a claim may be made, and all claims are true but for that level.

    Formula: in the order of the p, the smallest first, the i-th of m counts m - i + 1 times, and never less than the one
        before; at most 1.
    Source: Holm 1979, jstor.org/stable/4615733.

    >>> holm([0.04, 0.01, 0.5])
    (0.08, 0.03, 0.5)
    """
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    counted = itertools.accumulate((min(1.0, (len(ps) - at) * ps[i]) for at, i in enumerate(order)), max)
    joint = dict(zip(order, counted, strict=True))
    return tuple(joint[i] for i in range(len(ps)))
