"""One plan of several that ask the same: where they differ they are refused, and their ledgers are joined."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import asdict, evolve, fields, frozen, has

from flowvae.errors import AblationError, shown
from flowvae.folder.plan_records import LedgerEntry, Plan, PlannedArm
from flowvae.folder.probe_records import Arms, ProbedArm
from flowvae.text import shortened, toml_like

JOINED = frozenset({"name", "description", "seeds", "arms", "data", "ledger"})
"""What of a plan may differ, or is compared by itself."""
DATA = ("fingerprint", "used", "held_out", "held_out_groups", "sample_rate", "seconds")
PER_SEED = ("start.from",)
"""Where a value of an arm says what its first seed begins with."""
MOST_NAMED = 8
"""Differences that a refusal names."""


@frozen
class Source:
    """A folder that is merged, and what it says of itself."""

    folder: Path
    plan: Plan
    arms: Mapping[str, ProbedArm]
    seconds: tuple[float, ...]
    """What the training of each of its finished runs took."""

    @classmethod
    def read(cls, folder: Path, seconds: tuple[float, ...]) -> "Source":
        """Errors: CheckpointError where its records cannot be read."""
        return cls(folder, Plan.read(folder), Arms.read(folder).arms, seconds)

    @property
    def planned(self) -> str:
        """When its plan was made."""
        return self.plan.ledger[0].when if self.plan.ledger else ""

    def could_be_seen(self, when: str) -> int:
        """How many of its runs may have been finished at a time: no run ends sooner after the plan than its training takes."""
        if not (self.planned and when):
            return len(self.seconds)
        passed = (datetime.fromisoformat(when) - datetime.fromisoformat(self.planned)).total_seconds()
        return sum(seconds <= passed for seconds in self.seconds)


def merged(sources: Sequence[Source], taken: Mapping[Path, Sequence[str]]) -> tuple[Plan, Arms]:
    """The plan and the arms of all; AblationError that names what keeps them from being one ablation.

    `taken` says which runs of each folder come along.
    """
    in_order = sorted(sources, key=lambda source: source.planned)
    first = in_order[0]
    differences = [said for other in in_order[1:] for said in _differences(first, other)]
    if differences:
        more = f"; and {len(differences) - MOST_NAMED} more" if len(differences) > MOST_NAMED else ""
        raise AblationError(
            "these are not one ablation: " + "; ".join(differences[:MOST_NAMED]) + more,
            where=", ".join(shown(source.folder) for source in in_order),
            do=_what_to_do(first, in_order[1:]),
        )
    plan = first.plan
    for number, other in enumerate(in_order[1:], 1):
        plan = _joined(plan, other, in_order[:number])
    entry = LedgerEntry(
        datetime.now(UTC).isoformat(timespec="seconds"),
        sum(len(runs) for runs in taken.values()),
        "merged",
        "",
        "; ".join(_told(source, taken[source.folder]) for source in in_order),
    )
    arms: dict[str, ProbedArm] = {}
    # What an arm is said to begin with is that of the first seed of all.
    for source in sorted(in_order, key=lambda source: source.plan.seeds):
        arms |= {name: arm for name, arm in source.arms.items() if name not in arms}
    return evolve(plan, ledger=(*plan.ledger, entry)), Arms(arms)


def _what_to_do(first: Source, others: Sequence[Source]) -> str:
    """Folders of one recipe may still differ in what each machine has sought for itself."""
    if any(
        _sought(arm, other.arms[name])
        for other in others
        for name, arm in first.arms.items()
        if name in other.arms
    ):
        return (
            f"run those seeds again with the widths of one machine: {Arms.file} of {shown(first.folder)}, copied into "
            "a new folder that is their --out, is taken instead of a search"
        )
    return "merge folders of one recipe, with the same sounds and the same versions"


def _sought(arm: ProbedArm, theirs: ProbedArm) -> str:
    """The key path of a width that was sought for an arm in both folders and found to be another one; else empty."""
    ours, its = arm.matched, theirs.matched
    return ours.path if ours and its and ours.key == its.key and ours.width != its.width else ""


def _told(source: Source, runs: Sequence[str]) -> str:
    count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    return f"{count} of seeds {_seeds(source.plan.seeds)} planned {source.planned or 'at no known time'}"


def _joined(plan: Plan, other: Source, earlier: Sequence[Source]) -> Plan:
    """A plan with what another one adds, and its ledger with what the other was planned and changed to, and when.

    Runs that were finished, for all that is known, when the other was planned count as seen: adding seeds was a choice then.
    """
    theirs = other.plan
    seen = sum(source.could_be_seen(other.planned) for source in earlier)
    names = [arm.name for arm in plan.arms]
    arms = [arm for arm in theirs.arms if arm.name not in names]
    seeds = tuple(sorted({*plan.seeds, *theirs.seeds}))
    after = evolve(plan, arms=(*plan.arms, *arms), seeds=seeds)
    entries = [LedgerEntry(other.planned, seen, "arm added", "", arm.name) for arm in arms]
    if seeds != plan.seeds:
        said = _seeds(plan.seeds), _seeds(seeds)
        entries.append(LedgerEntry(other.planned, seen, "seeds", *said, seeds=plan.seeds))
    entries += [entry for entry in theirs.ledger[1:] if entry not in plan.ledger]
    head, *rest = plan.ledger or (LedgerEntry("", 0, "planned", "", ""),)
    return evolve(after, ledger=(head, *sorted((*rest, *entries), key=lambda entry: entry.when)))


def _differences(first: Source, other: Source) -> Iterator[str]:
    here, there = shown(first.folder), shown(other.folder)
    for name in (one.name for one in fields(Plan) if one.name not in JOINED):
        a, b = _apart(getattr(first.plan, name), getattr(other.plan, name))
        if a != b:
            yield f"{name.replace('_', ' ')}: {_short(a)} in {here}, {_short(b)} in {there}"
    for name in DATA:
        a, b = getattr(first.plan.data, name), getattr(other.plan.data, name)
        if a != b:
            yield f"data {name.replace('_', ' ')}: {_short(a)} in {here}, {_short(b)} in {there}"
    if _baseline(first) != _baseline(other):
        yield f"the baseline is {_baseline(first)} in {here}, {_baseline(other)} in {there}"
    planned = {arm.name: arm for arm in other.plan.arms}
    for arm in first.plan.arms:
        if arm.name in planned:
            yield from _arms_differ(arm, planned[arm.name], first, other)


def _baseline(source: Source) -> str:
    return source.plan.baseline.name if source.plan.baseline else "none"


def _arms_differ(arm: PlannedArm, theirs: PlannedArm, first: Source, other: Source) -> Iterator[str]:
    """Key path by key path, and component by component."""
    a, b = first.arms.get(arm.name), other.arms.get(arm.name)
    if a is None or b is None or a.identity == b.identity:
        return
    here, there = f"{arm.name} of {shown(first.folder)}", shown(other.folder)
    found, sought = [], _sought(a, b)
    if a.fingerprint != b.fingerprint and first.plan.data.fingerprint == other.plan.data.fingerprint:
        found.append(f"the sounds of {here} are others than in {there}")
    for path in sorted(a.leaves.keys() | b.leaves.keys()):
        x, y = a.leaves.get(path), b.leaves.get(path)
        if x != y and not (path in PER_SEED and first.plan.seeds[0] != other.plan.seeds[0]):
            own = (
                f" (each sought for itself: match = {toml_like(a.matched.what)})"
                if a.matched and path == sought
                else ""
            )
            found.append(f"{path}: {toml_like(x)} in {here}, {toml_like(y)} in {there}{own}")
    for name in sorted(arm.components.keys() | theirs.components.keys()):
        ours, its = arm.components.get(name), theirs.components.get(name)
        if ours is None or its is None:
            found.append(f"{name} is only in {here if ours else there}")
        elif (ours.distribution, ours.version) != (its.distribution, its.version):
            found.append(
                f"{name} is of {ours.distribution} {ours.version} in {here}, {its.distribution} {its.version} in {there}"
            )
        elif ours.source != its.source:
            found.append(f"the source of {name} is another one in {here} than in {there}")
    known = a.leaves != b.leaves or a.fingerprint != b.fingerprint
    yield from found or ([] if known else [f"{here} has another identity than in {there}"])


def _apart(a: object, b: object) -> tuple[object, object]:
    """Both values, without the records that are in either."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return tuple(x for x in a if x not in b), tuple(x for x in b if x not in a)
    return a, b


def _short(value: object) -> str:
    match value:
        case tuple() | list() if all(isinstance(one, str) for one in value):
            return ", ".join(value) or "none"
        case str() | int() | float():
            return shortened(str(value), 60)
        case None:
            return "none"
        case tuple() | list() if all(has(type(one)) for one in value):
            return shortened("; ".join(", ".join(map(str, asdict(one).values())) for one in value), 80)
        case _:
            return shortened(toml_like(value), 80)


def _seeds(seeds: Sequence[int]) -> str:
    """Seeds by their number, and which they are.

    >>> _seeds((0, 1, 2)), _seeds((0, 5))
    ('3 (0 to 2)', '2 (0, 5)')
    """
    in_a_row = len(seeds) > 1 and seeds[-1] - seeds[0] == len(seeds) - 1
    return f"{len(seeds)} ({f'{seeds[0]} to {seeds[-1]}' if in_a_row else ', '.join(map(str, seeds))})"
