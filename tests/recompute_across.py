"""What is said of an ablation that is run across several values, a second time: for `recompute`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from second_statistics import By, paired, sign_flip
from shown_numbers import Check, ends

FEWEST = 4
"""Seeds: two that choose, two that are compared."""
SAID = re.compile(
    r"Each at its own best \S+, chosen on (\d+) seeds and compared on the other (\d+): (\S+) at (\S+) beside (\S+) at (\S+), "
    r"\S+ ([^ ]+?)(?:\N{NARROW NO-BREAK SPACE}\S+)? \(95 % interval ([^)]*)\)"
)


class Known(Protocol):
    """What is asked of a folder."""

    plan: Mapping[str, Any]

    def values(self, arm: str, metric: str) -> By:
        """The figure of each seed."""


def check_own_best(check: Check, folder: Known, told: Mapping[str, Any], page: str) -> None:
    """Each side at its own best value, in the file and in the words of the page."""
    mine = own_best(folder)
    check.same("own best, how many", len(told["own_best"]), len(mine))
    for one, other in zip(told["own_best"], mine, strict=False):
        check.same(f"{other['arm']} at its own best", one, other)
    text = re.sub(r"<wbr>|\s+(?=\s)", "", page)
    said = SAID.findall(text)
    check.same("own best, sentences", len(said), len(mine))
    for words, one in zip(said, mine, strict=False):
        n, others, arm, value, against, its_value, mean, interval = words
        where = f"{arm} at its own best, in words"
        check.same(where, [arm, against, value, its_value], [one["arm"], one["against"], *one["values"]])
        check.same(where, [int(n), int(others)], [len(one["chosen_on"]), len(one["paired"]["differences"])])
        check.shown(where, mean, one["paired"]["mean"])
        for text_of_end, end in zip(ends(interval), one["paired"]["interval"], strict=True):
            check.shown(where, text_of_end, end)


def own_best(folder: Known) -> list[dict[str, Any]]:
    """Of the seeds that all arms have, every other one chooses the value of a side; the rest are compared."""
    plan, metric = folder.plan, folder.plan["metric"]
    [direction] = [one["direction"] for one in plan["metrics"] if one["name"] == metric] or ["none"]
    one_budget = len({arm["steps"] for arm in plan["arms"]}) == 1
    found = {arm["name"]: folder.values(arm["name"], metric) for arm in plan["arms"]}
    seeds = [seed for seed in plan["seeds"] if all(seed in values for values in found.values())]
    if not plan["across"] or not one_budget or direction == "none" or len(seeds) < FEWEST:
        return []
    choose, compare = seeds[0::2], seeds[1::2]
    sides = {
        arm["variant"]: chosen(plan["arms"], arm["variant"], found, choose, direction) for arm in plan["arms"]
    }
    [base] = {arm["variant"] for arm in plan["arms"] if arm["is_baseline"]}
    compared = {side: {seed: found[arm["name"]][seed] for seed in compare} for side, arm in sides.items()}
    return [
        {
            "arm": side,
            "against": base,
            "values": [arm["at"], sides[base]["at"]],
            "chosen_on": choose,
            "paired": paired(compared[base], compared[side]),
        }
        for side, arm in sides.items()
        if side != base
    ]


def chosen(
    arms: Sequence[Mapping[str, Any]],
    side: str,
    found: Mapping[str, By],
    seeds: Sequence[int],
    direction: str,
) -> Mapping[str, Any]:
    """The arm of a side whose mean over some seeds is best, the first of those that are alike."""
    best: Mapping[str, Any] | None = None
    least = np.inf
    for arm in arms:
        mean = sum(found[arm["name"]][seed] for seed in seeds) / len(seeds)
        loss = -mean if direction == "higher" else mean
        if arm["variant"] == side and loss < least:
            best, least = arm, loss
    assert best is not None
    return best


def check_shifts(check: Check, folder: Known, told: Mapping[str, Any]) -> None:
    """How a difference changes from the first value to a later one: the difference of two differences."""
    metric = folder.plan["metric"]
    for shift in told["shifts"]:
        first, later = (
            differences(folder, shift["arm"], shift["against"], value, metric) for value in shift["values"]
        )
        where = f"{shift['arm']}-{shift['against']} {' to '.join(shift['values'])}"
        found = paired(first, later)
        check.same(where, shift["paired"], found)
        if found:
            check.same(f"{where}.p", shift["p_alone"]["p"], sign_flip([*found["differences"].values()]))


def differences(folder: Known, arm: str, against: str, value: str, metric: str) -> By:
    """Of two sides at one value, seed by seed."""
    names = {one["variant"]: one["name"] for one in folder.plan["arms"] if one["at"] == value}
    ours, theirs = (folder.values(names[side], metric) for side in (arm, against))
    return {seed: ours[seed] - theirs[seed] for seed in ours.keys() & theirs.keys()}
