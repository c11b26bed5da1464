"""Whether a verdict holds at every value that an ablation is run across, and by how much the difference changes."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from flowvae.folder.plan_records import Plan, PlannedMetric
from flowvae.report.answers import Finding
from flowvae.report.censoring import censored
from flowvae.report.comparison import NO_FIGURE, Comparison, family_of, lost
from flowvae.report.number_format import count, plain, probability, signed, span, with_unit
from flowvae.report.reading import Folder
from flowvae.report.sides import over_values
from flowvae.statistics.joint import Joint
from flowvae.statistics.paired import Paired
from flowvae.statistics.verdict import Verdict, judge

MOST_NAMED = 6
NEITHER_NOR = "that one verdict was reached and another not is no sign of it"


@frozen
class Shift:
    """What becomes of one comparison between the first value and a later one."""

    key: str
    """Of what the ablation is run across, the last word of its key path."""
    before: Comparison
    after: Comparison
    paired: Paired | None
    """Its difference at the later value less the one at the first, seed by seed."""
    joint: Joint | None
    verdict: Verdict

    @property
    def name(self) -> str:
        """In a few words."""
        return f"{compared(self.before)}, {self.values[1]} less {self.values[0]}"

    @property
    def values(self) -> tuple[str, str]:
        """The first value and the later one."""
        return self.before.arm.at, self.after.arm.at

    @property
    def is_shown(self) -> bool:
        """Whether it is told apart from nothing."""
        return self.verdict.word in {"better", "worse"}

    @property
    def how(self) -> str:
        """Which way the difference that was seen has moved."""
        then, now = (c.paired.mean if c.paired else 0.0 for c in (self.before, self.after))
        return "changes sides" if then * now < 0 else "shrinks" if abs(now) < abs(then) else "grows"

    def size(self, unit: str) -> str:
        """By how much, and between which bounds; of a change that is shown, both are on one side of 0."""
        if self.paired is None:
            return ""
        low, high = sorted(map(abs, self.paired.interval or (0.0, 0.0)))
        return f"{with_unit(plain(abs(self.paired.mean)), unit)} ({plain(low)} to {plain(high)})"


def compared(comparison: Comparison) -> str:
    """The two arms without their value."""
    return f"{comparison.arm.variant} beside {comparison.against.variant}"


def shifts(folder: Folder, comparisons: Sequence[Comparison]) -> tuple[Shift, ...]:
    """For each comparison at a later value, how its difference has changed from the first; none where there is one value.

    Formula: for each seed, (arm less baseline at the later value) less (arm less baseline at the first value).
    """
    metric = folder.plan.primary
    if metric is None or not folder.plan.across or not comparisons:
        return ()
    family, key = family_of(folder, metric), _key(folder.plan)
    found = []
    for (i, j), paired, joint in zip(
        over_values(folder.plan), family.changes, family.joint_of_changes, strict=True
    ):
        sides = comparisons[i], comparisons[j]
        found.append(Shift(key, *sides, paired, joint, _verdict(folder, metric, sides, paired, joint)))
    return tuple(found)


def _verdict(
    folder: Folder,
    metric: PlannedMetric,
    sides: tuple[Comparison, Comparison],
    paired: Paired | None,
    joint: Joint | None,
) -> Verdict:
    if paired is None or joint is None:
        return next((side.verdict for side in sides if side.joint is None), Verdict("not shown", NO_FIGURE))
    arms = [arm for side in sides for arm in (side.arm, side.against)]
    # Who lost seeds may have lost the very ones in which the difference did not change.
    gone = [arm.name for arm in arms if lost(folder, arm, metric.name)]
    if gone:
        return Verdict("not shown", f"{' and '.join(gone)} lost runs, and those that are left say too little")
    if said := censored(folder, [arm.name for arm in arms], metric):
        return Verdict("not shown", said)
    plan = folder.plan
    return judge(paired, joint, metric.direction, plan.worthwhile_difference, plan.n_looks)


def shift_findings(plan: Plan, found: Sequence[Shift]) -> list[Finding]:
    """A sentence for each change."""
    metric = plan.primary
    return [Finding("answer", _said(shift, metric)) for shift in found] if metric else []


def _said(shift: Shift, metric: PlannedMetric) -> str:
    first, later = shift.values
    whose = f"the difference of {compared(shift.before).replace(' beside ', ' from ')}"
    where = f"between {shift.key} = {first} and {later}"
    paired = shift.paired
    if paired is None:
        return f"Nothing can be said of how {whose} changes {where}: {shift.verdict.reason}."
    then, now = (signed(c.paired.mean) if c.paired else "" for c in (shift.before, shift.after))
    seen = (
        f"{metric.name} {with_unit(signed(paired.mean), metric.unit)} over {count(len(paired.seeds), 'seed')}"
    )
    seen += f" (95 % interval {span(paired.interval)}, joint p {probability(shift.joint.p if shift.joint else None)})"
    seen += f", from {then} to {with_unit(now, metric.unit)}"
    if shift.is_shown:
        less = ", but by less than is worth it" if shift.verdict.is_small else ""
        return f"T{whose[1:]} {shift.how} {where}{less}: {seen}."
    if shift.verdict.word == "equivalent":
        return f"T{whose[1:]} is the same {where}, but for less than is worth it: {seen}."
    apart = f", and {NEITHER_NOR}" if _differ(shift) else ""
    return f"That {whose} changes {where} is not shown: {shift.verdict.reason}{apart}. Seen: {seen}."


def _key(plan: Plan) -> str:
    return plan.across_path.rpartition(".")[2]


def _differ(shift: Shift) -> bool:
    return shift.before.verdict.word != shift.after.verdict.word


def by_comparison(
    comparisons: Sequence[Comparison], found: Sequence[Shift]
) -> list[tuple[str, list[Comparison], list[Shift]]]:
    """Each comparison by its name, at all values, with its changes."""
    rows: dict[str, tuple[list[Comparison], list[Shift]]] = {}
    for comparison in comparisons:
        rows.setdefault(compared(comparison), ([], []))[0].append(comparison)
    for shift in found:
        rows[compared(shift.before)][1].append(shift)
    return [(name, *row) for name, row in rows.items()]


def across_headline(plan: Plan, comparisons: Sequence[Comparison], found: Sequence[Shift]) -> str:
    """For which values each verdict holds, and which difference changes; nothing where nothing is shown."""
    metric, key = plan.primary, _key(plan)
    told, silent = [], []
    for name, at_values, changes in by_comparison(comparisons, found):
        words = _words(at_values)
        if metric and (any(shift.is_shown for shift in changes) or words.keys() & HOW.keys()):
            told.append(f"{_holds(at_values, words, key, plan.metric)}{_changes(changes, metric.unit)}.")
        else:
            silent.append(name)
    if not told:
        return ""
    more = [f"{len(told) - MOST_NAMED} more differ."] if len(told) > MOST_NAMED else []
    unknown = silent if len(silent) <= MOST_NAMED else [*silent[:2], f"{len(silent) - 2} more"]
    rest = [f"No difference is shown for {' and '.join(unknown)} at any value."] if silent else []
    return " ".join([*told[:MOST_NAMED], *more, *rest])


HOW = {"better": "is better than", "worse": "is worse than", "equivalent": "is as good as"}


def _words(at_values: Sequence[Comparison]) -> Mapping[str, list[str]]:
    """Verdict to values, what is answered first."""
    words: dict[str, list[str]] = {}
    for comparison in sorted(at_values, key=lambda c: c.verdict.word not in HOW):
        words.setdefault(comparison.verdict.word, []).append(comparison.arm.at)
    return words


def _holds(at_values: Sequence[Comparison], words: Mapping[str, list[str]], key: str, metric: str) -> str:
    first = at_values[0]
    said: list[str] = []
    for word, values in words.items():
        at = f"at {'' if said else f'{key} = '}{' and '.join(values)}"
        if word in HOW and not said:
            said.append(f"{first.arm.variant} {HOW[word]} {first.against.variant} on {metric} {at}")
        elif not said:
            said.append(f"On {metric}, {compared(first)} is {word} {at}")
        else:
            said.append(f"{'as good' if word == 'equivalent' else word} {at}")
    return ", ".join(said)


def _changes(changes: Sequence[Shift], unit: str) -> str:
    said = ""
    for shift in changes:
        to = f" from {' to '.join(shift.values)}" if len(changes) > 1 else ""
        if shift.is_shown:
            said += f"; the difference {shift.how} by {shift.size(unit)}{to}"
        elif _differ(shift):
            said += f"; that the difference changes{to} is not shown"
    return said
