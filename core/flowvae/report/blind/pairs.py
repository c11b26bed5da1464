"""Which pairs of arms a blind test asks about, and how often."""

import itertools
from collections.abc import Sequence
from difflib import get_close_matches

from flowvae.errors import UsageError
from flowvae.folder.plan_records import Plan
from flowvae.report.sides import sides_of

Pair = tuple[str, str]

FEWEST = 6  # the first number of questions whose two-sided sign test can reach 0.05; an ABX reaches it with 5
MOST = 48  # a quarter of an hour with care
MOST_NAMES = 8


def asked_pairs(plan: Plan, arms: Sequence[str], n: int) -> list[Pair]:
    """The pairs that the plan compares, or all pairs of the named arms; `n` questions are asked of each.

    Errors: UsageError where arms are unknown, or no test of a bearable length can be made of them.
    """
    known = [arm.name for arm in plan.arms]
    if len(known) < 2:
        raise UsageError(
            f"{plan.name} has one arm, and a blind test compares two", do="name the folder of an ablation"
        )
    choose = f"--arms takes two or more of {_listed(known)}"
    for arm in arms:
        if arm not in known:
            near = get_close_matches(arm, known, 2)
            meant = f"did you mean {' or '.join(near)}? " if near else ""
            raise UsageError(f"{plan.name} has no arm {arm}", do=f"{meant}{choose}")
    pairs = list(itertools.combinations([arm for arm in known if arm in arms], 2)) if arms else _planned(plan)
    for one, other in pairs:
        _refuse_other_budget(plan, one, other)
    if not pairs:
        raise UsageError("a blind test compares two arms", do=choose)
    if n < FEWEST:
        raise UsageError(
            f"--questions {n} can show nothing, whatever is answered", do=f"ask {FEWEST} or more"
        )
    if n * len(pairs) > MOST:
        raise UsageError(
            f"{len(pairs)} pairs of arms with {n} questions each are {n * len(pairs)}, and {MOST} are as many as one can "
            "listen to with care",
            do=f"{choose}; or ask fewer with --questions, at least {FEWEST}",
        )
    return pairs


def _planned(plan: Plan) -> list[Pair]:
    """Each alternative beside its baseline, and the pairs that the recipe asks for."""
    return list(dict.fromkeys((other.name, arm.name) for arm, other in sides_of(plan)))


def steps_of(plan: Plan, name: str) -> int:
    """For how many steps an arm is trained."""
    return next((arm.steps for arm in plan.arms if arm.name == name and arm.steps), plan.steps)


def _refuse_other_budget(plan: Plan, one: str, other: str) -> None:
    """Of two budgets the larger one would be heard, and answers would say nothing of what the arms are."""
    steps, others = steps_of(plan, one), steps_of(plan, other)
    if steps != others:
        raise UsageError(
            f"{one} is trained for {steps} steps, {other} for {others}: no blind test is fair to both",
            do="name arms of one budget with --arms",
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"
