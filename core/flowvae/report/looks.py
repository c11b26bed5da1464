"""The looks at the runs that came before the planned end: each of them was a chance to stop."""

from flowvae.folder.records import Plan
from flowvae.statistics.joint import Look
from flowvae.statistics.level import LEVEL


def earlier_looks(plan: Plan) -> tuple[tuple[Look, ...], float | None]:
    """The looks before this one, and the false claims that are allowed until now; None: half of what they have left.

    Seeds that were added once runs had finished make the end that was planned before them a look. Seeds that were
    left out make this one a look on the way, which may use its share of the level.
    """
    now = frozenset(plan.seeds)
    before = [frozenset(entry.seeds) for entry in plan.ledger if entry.what == "seeds" and entry.finished]
    more = [seeds for seeds in before if seeds > now]
    if more:
        return (), LEVEL * len(now) / max(map(len, more))
    fewer = list(dict.fromkeys(seeds for seeds in before if seeds < now))
    looks = tuple(Look(seeds, None if i else LEVEL) for i, seeds in enumerate(fewer))
    return looks, None if looks else LEVEL
