"""The statistics of a report a second time, as plainly as they can be written: every pattern of signs is tried, one by one."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

By = dict[int, float]
"""A figure for each seed."""


def paired(theirs: By, ours: By) -> dict[str, Any] | None:
    """Differences, mean, sd, Student's interval, and on which side the seeds lie."""
    found = {seed: ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())}
    if not found:
        return None
    d, n = np.array(list(found.values())), len(found)
    sd = float(np.sqrt(np.sum((d - d.mean()) ** 2) / (n - 1))) if n > 1 else None
    half = float(stats.t.ppf(0.975, n - 1)) * sd / math.sqrt(n) if sd is not None else None
    return {
        "differences": {str(seed): difference for seed, difference in found.items()},
        "mean": float(d.mean()),
        "sd": sd,
        "interval": None if half is None else [float(d.mean()) - half, float(d.mean()) + half],
        "higher": int((d > 0).sum()),
        "lower": int((d < 0).sum()),
    }


def sign_flip(d: Sequence[float]) -> float:
    """Every pattern of signs, one by one."""
    seen = abs(sum(d))
    sums = [abs(sum(s * x for s, x in zip(signs, d, strict=True))) for signs in itertools.product((1, -1), repeat=len(d))]  # fmt: skip
    return sum(total >= seen - 1e-9 * max(map(abs, d)) for total in sums) / len(sums)


def size(d: Sequence[float]) -> float:
    """Student's t without its sign."""
    n, mean = len(d), sum(d) / len(d)
    spread = sum((x - mean) ** 2 for x in d) / (n - 1) if n > 1 else 0.0
    if n < 2 or not any(d):
        return 0.0
    # Alike up to rounding: as large as can be.
    alike = spread <= 1e-20 * max(x * x for x in d)
    return math.inf if alike else abs(mean) / math.sqrt(spread / n)


def joint(family: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
    """Max-T step-down over every pattern, the same signs for all arms."""
    seeds = sorted({seed for arm in family.values() for seed in arm})
    patterns = [dict(zip(seeds, s, strict=True)) for s in itertools.product((1, -1), repeat=len(seeds))]
    sizes = {
        arm: [size([signs[seed] * x for seed, x in by_seed.items()]) for signs in patterns]
        for arm, by_seed in family.items()
    }
    seen = {arm: size(list(by_seed.values())) for arm, by_seed in family.items()}
    found, least = {}, 0.0
    order = sorted(family, key=lambda arm: -seen[arm])
    for i, arm in enumerate(order):
        rows = zip(*(sizes[other] for other in order[i:]), strict=True)
        far = seen[arm] * (1 - 1e-7)
        least = max(least, sum(max(row) >= far for row in rows) / len(patterns))
        found[arm] = least
    return found


def spread(values: By) -> tuple[float | None, float | None]:
    """Mean and standard deviation."""
    own = list(values.values())
    return (float(np.mean(own)) if own else None), (float(np.std(own, ddof=1)) if len(own) > 1 else None)


def own_interval(values: By) -> tuple[float, float]:
    """Student's 95 % interval of the mean."""
    v = np.array([*values.values()])
    half = float(stats.t.ppf(0.975, len(v) - 1) * v.std(ddof=1) / np.sqrt(len(v)))
    return float(v.mean()) - half, float(v.mean()) + half
