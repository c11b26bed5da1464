"""The looks at the runs that came before this one: each of them was a chance to stop."""

from flowvae.folder.plan_records import Plan
from flowvae.statistics.joint import Look
from flowvae.statistics.level import LEVEL


def earlier_looks(plan: Plan) -> tuple[tuple[Look, ...], float | None]:
    """The looks before this one, and the false claims that are allowed until now; None: half of what they have left.

    Planned looks have the level that the plan gave them. Seeds that were added once runs had finished make the end that was
    planned before them a look. Seeds that were left out make this one a look on the way, which may use its share of the level.
    """
    now = frozenset(plan.seeds)
    seen: dict[frozenset[int], float | None] = {}
    for entry in plan.ledger:
        if entry.what == "look" or (entry.what == "seeds" and entry.finished):
            # Whoever looks at the same seeds again has no other chance than before.
            level = entry.level if seen else entry.level or LEVEL
            seen.setdefault(frozenset(entry.seeds), level)
    if any(seeds > now for seeds in seen):
        return (), min(
            (level or LEVEL) * len(now) / len(seeds) for seeds, level in seen.items() if seeds >= now
        )
    looks = tuple(Look(seeds, level) for seeds, level in seen.items() if seeds < now)
    planned = {frozenset(look.seeds): look.level for look in plan.looks}
    if now in seen:
        return looks, seen[now]
    return looks, planned.get(now, None if looks else LEVEL)


def was_changed(plan: Plan) -> bool:
    """Whether the number of seeds was decided anew once runs had been seen."""
    return any(entry.what == "seeds" and entry.finished for entry in plan.ledger)
