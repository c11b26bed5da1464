"""From the numbers of one comparison to a word, and the reason for it."""

from typing import Literal

from attrs import frozen

from flowvae.statistics.joint import Joint
from flowvae.statistics.level import LEVEL, seeds_to_reach
from flowvae.statistics.paired import Direction, Paired, t_interval

Word = Literal["better", "worse", "equivalent", "not shown", "not compared"]


@frozen
class Verdict:
    """One of five words, and the reason in plain language."""

    word: Word
    reason: str
    is_small: bool = False
    """Whether the difference is told apart from 0, and is less than what the plan calls worthwhile."""


def judge(
    paired: Paired, joint: Joint, direction: Direction, worthwhile: float | None = None, n_looks: int = 1
) -> Verdict:
    """Better or worse only if the interval excludes 0 and the joint p is no more than this look allows.

    Equivalent where neither is shown and the whole interval lies within the worthwhile difference: of several looks that were
    planned each could say so, and each has its share of the level.
    """
    n = len(paired.seeds)
    seeds = f"{n} seed" if n == 1 else f"{n} seeds"
    if joint.reachable > joint.level:
        said, what = f"{seeds} can reach p = {joint.reachable:.2g} at best", "design"
        if n >= seeds_to_reach():
            said, what = f"{said}, and {joint.level:.2g} is what the looks allow by now", "look"
        return Verdict("not shown", f"{said}: this {what} could not have shown a difference")
    is_small = is_within(paired, worthwhile, n_looks)
    excludes = paired.interval is not None and not paired.interval[0] <= 0 <= paired.interval[1]
    if direction != "none" and excludes and joint.p <= joint.level:
        is_better = (paired.mean < 0) == (direction == "lower")
        same_side = max(paired.higher, paired.lower)
        reason = f"the interval excludes 0, {same_side} of {seeds} agree, and the joint p is {joint.p:.2g}"
        return Verdict("better" if is_better else "worse", reason, is_small)
    if is_small:
        confidence = "" if n_looks == 1 else f", of {100 * (1 - LEVEL / n_looks):.1f} % for {n_looks} looks,"
        reason = f"the whole interval{confidence} of the difference lies within {worthwhile:g}"
        return Verdict("equivalent", reason)
    if direction == "none":
        return Verdict("not shown", "neither end of this metric is the good one")
    if not excludes:
        return Verdict("not shown", "the interval of the difference includes 0")
    why = f"the interval excludes 0, but the joint p is {joint.p:.2g}, above {joint.level:.2g}"
    return Verdict("not shown", why)


def without_difference(paired: Paired, worthwhile: float | None = None) -> Verdict:
    """What is said where no seed differs at all: there is nothing to test."""
    n = len(paired.seeds)
    seeds = f"{n} seed" if n == 1 else f"{n} seeds"
    reason = f"both have the same figures to the last digit, over {seeds}"
    return Verdict("equivalent" if is_within(paired, worthwhile) else "not shown", reason)


def is_within(paired: Paired, worthwhile: float | None, n_looks: int = 1) -> bool:
    """Whether the interval says that the difference is smaller than what would matter."""
    interval = t_interval(paired.differences, LEVEL / n_looks)
    return bool(worthwhile) and interval is not None and max(map(abs, interval)) < abs(worthwhile or 0.0)
