"""How far paired differences spread: variances, their ratios with an interval, and correlations; pure functions."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
DRAWS = 10_000


def of_pairs(one: Floats, other: Floats) -> Floats:
    """The variance of the differences, seed by seed; (..., seeds) -> (...)."""
    return np.asarray(np.var(other - one, axis=-1, ddof=1))


def of_strangers(one: Floats, other: Floats) -> Floats:
    """The same where no seed meets itself: the mean over all derangements, the runs of a seed beside those of another.

    Formula: var(one) + var(other) + 2 * cov / (n - 1). A seed that is fixed meets each of the others equally often, and
        these have -cov / (n - 1) in common with it on average.
    """
    n = one.shape[-1]
    centred = [values - values.mean(-1, keepdims=True) for values in (one, other)]
    covariance = (centred[0] * centred[1]).sum(-1) / (n - 1)
    apart = np.var(one, axis=-1, ddof=1) + np.var(other, axis=-1, ddof=1)
    return np.asarray(apart + 2 * covariance / (n - 1))


def correlation(one: Floats, other: Floats) -> float:
    """Pearson's, over the seeds; 0 where one of them never moves."""
    moves = np.std(one) > 0 and np.std(other) > 0
    return float(np.corrcoef(one, other)[0, 1]) if moves else 0.0


def interval(ratios: Callable[[Places], Floats], n_seeds: int) -> list[tuple[float, float]]:
    """The middle 95 % of some ratios over seeds drawn with replacement; `ratios` gives (ratios, draws) for (draws, seeds)."""
    places = np.random.default_rng(0).integers(0, n_seeds, (DRAWS, n_seeds))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = ratios(places)
    # A figure that lies on a limit in every run has no variance, and no ratio.
    known = [one[np.isfinite(one)] for one in found]
    return [tuple(np.quantile(one, [0.025, 0.975])) if len(one) else (np.nan, np.nan) for one in known]
