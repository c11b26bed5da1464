"""The ledger of a plan: what was decided before the first step, and each change of it, with the number of runs seen by then."""

from collections.abc import Iterator
from datetime import UTC, datetime

from attrs import evolve

from flowvae.folder.plan_records import LedgerEntry, LookAhead, Plan


def entered(plan: Plan, before: Plan | None, finished: int) -> Plan:
    """The plan with its ledger: the first entry says what was planned, each later one what is different now."""
    if before is None:
        return evolve(plan, ledger=(LedgerEntry(now(), finished, "planned", "", _planned(plan)),))
    changes = (
        LedgerEntry(
            now(),
            finished,
            *change,
            seeds=before.seeds if change[0] == "seeds" else (),
            level=level_planned(before) if change[0] == "seeds" else None,
        )
        for change in _changes(before, plan)
    )
    return evolve(plan, ledger=(*before.ledger, *changes), looks=_looks(plan, before, finished))


def _looks(plan: Plan, before: Plan, finished: int) -> tuple[LookAhead, ...]:
    """The looks of a plan that has one before it: those that are planned once runs have been seen have no level of their own."""
    if _seeds(before) == _seeds(plan):
        return before.looks
    return tuple(evolve(look, level=None) for look in plan.looks) if finished else plan.looks


def now() -> str:
    """As the ledger writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def level_planned(plan: Plan) -> float | None:
    """What the plan allows until the look that is due, where it says so."""
    return next((look.level for look in plan.looks if look.seeds == plan.seeds), None)


def _planned(plan: Plan) -> str:
    arms = ", ".join(arm.name for arm in plan.arms)
    metric = f"{plan.metric} ({_direction(plan)})"
    parts = [f"metric {metric}", f"seeds {_seeds(plan)}", f"arms {arms}"]
    parts += [f"question {plan.question}"] if plan.question else []
    parts += [f"worthwhile difference {plan.worthwhile_difference:g}"] if plan.worthwhile_difference else []
    return "; ".join(parts)


def _changes(before: Plan, after: Plan) -> Iterator[tuple[str, str, str]]:
    for what in ("metric", "question", "worthwhile_difference"):
        old, new = getattr(before, what), getattr(after, what)
        if old != new:
            yield what.replace("_", " "), _said(old), _said(new)
    if before.metric == after.metric and _direction(before) != _direction(after):
        yield "direction", _direction(before), _direction(after)
    if _seeds(before) != _seeds(after):
        yield "seeds", _seeds(before), _seeds(after)
    reasons = {arm.name: arm.reason for arm in before.arms}
    for arm in after.arms:
        if reasons.get(arm.name, arm.reason) != arm.reason:
            yield f"reason for {arm.name}", _said(reasons[arm.name]), _said(arm.reason)
    old_arms, new_arms = ([arm.name for arm in plan.arms] for plan in (before, after))
    yield from (("arm added", "", name) for name in new_arms if name not in old_arms)
    yield from (("arm left out", name, "") for name in old_arms if name not in new_arms)


def _said(value: object) -> str:
    return "none" if value in {None, ""} else f"{value:g}" if isinstance(value, float) else str(value)


def _direction(plan: Plan) -> str:
    return plan.primary.direction if plan.primary else "none"


def _seeds(plan: Plan) -> str:
    """Seeds by their number, at each look where several are planned, and from where they count.

    >>> from types import SimpleNamespace
    >>> _seeds(SimpleNamespace(seeds=(0, 1, 2), looks=()))
    '3 (0 to 2)'
    >>> _seeds(SimpleNamespace(seeds=(0, 1), looks=(LookAhead((0, 1), 0.02), LookAhead((0, 1, 2), 0.05))))
    '2, 3 at 2 looks (0 to 2)'
    """
    until = plan.looks[-1].seeds if plan.looks else plan.seeds
    counts = ", ".join(str(len(look.seeds)) for look in plan.looks)
    number = f"{counts} at {len(plan.looks)} looks" if plan.looks else str(len(until))
    return f"{number} ({until[0]} to {until[-1]})" if until else "0"
