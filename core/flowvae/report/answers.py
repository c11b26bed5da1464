"""The answer to what was asked: one alternative, the primary metric, and the reach of the seeds."""

from typing import Literal

from attrs import frozen

from flowvae.folder.plan_records import Plan, PlannedMetric
from flowvae.report.comparison import (
    Comparison,
)
from flowvae.report.number_format import (
    THIN,
    count,
    plain,
    probability,
    span,
    with_unit,
)
from flowvae.report.reading import Folder
from flowvae.statistics.level import LEVEL, seeds_to_reach
from flowvae.statistics.paired import Paired, detectable_difference, seeds_needed

Tone = Literal["answer", "fact", "caution"]


@frozen
class Finding:
    """One sentence or two, and how much the reader should worry."""

    tone: Tone
    text: str


def _noise(paired: Paired) -> float:
    """The spread of the differences, 0 where only the rounding of the figures is left of it."""
    spread = paired.sd or 0.0
    return spread if spread > 1e-12 * max(map(abs, paired.differences)) else 0.0


def _reach(
    paired: Paired, metric: PlannedMetric, n_comparisons: int, worthwhile: float | None, allowed: float
) -> str:
    """What these seeds could have found with what is allowed until now, and how many the difference would need."""
    n, sd = len(paired.seeds), _noise(paired)
    if n < 2 or not sd:
        return ""
    # Both rules must agree, so a stated number of seeds has to be enough for both. The joint test asks for less than
    # an equal share of the level for each comparison does: what is said here is on the safe side.
    floor, level = seeds_to_reach(), LEVEL / n_comparisons
    said = []
    found = detectable_difference(sd, n, level=allowed / n_comparisons)
    if n >= seeds_to_reach(allowed) and found is not None:
        size = with_unit(plain(found), metric.unit)
        said.append(
            f"With {n} seeds and this spread, a true difference of about {size} is found four times in five."
        )
    if worthwhile:
        needed = max(floor, seeds_needed(worthwhile, sd, level=level))
        size = with_unit(plain(abs(worthwhile)), metric.unit)
        said.append(
            f"To find a difference of {size}, which the plan calls worthwhile, takes about {needed} seeds."
        )
    if paired.mean:
        needed = max(floor, seeds_needed(paired.mean, sd, level=level))
        if needed > n:
            many = f"about {needed} seeds" if needed < 1000 else "more than a thousand seeds"
            said.append(
                f"If the difference seen were the true one, showing it would take {many} in each arm."
            )
    return " ".join(said)


def answer(folder: Folder, metric: PlannedMetric, comparison: Comparison) -> Finding:
    """What the primary metric says of one alternative, and what these seeds could have said."""
    paired, verdict, name = comparison.paired, comparison.verdict, comparison.arm.name
    other, plan = comparison.against.name, folder.plan
    if verdict.word == "not compared":
        return Finding("caution", f"{name} gets no verdict: {verdict.reason}.")
    if paired is None:
        return Finding("caution", f"Nothing can be said of {name}: {verdict.reason}.")
    if paired.is_nothing:
        is_good = verdict.word == "equivalent"
        said = (
            f"{name} is as good as {other}"
            if is_good
            else f"Between {name} and {other} no difference is shown"
        )
        return Finding("answer", f"{said}: {verdict.reason}.")
    seeds = count(len(paired.seeds), "seed")
    side = "lower" if paired.mean < 0 else "higher"
    seen = (
        f"{metric.name} is {with_unit(plain(abs(paired.mean)), metric.unit)} {side} on average over {seeds}"
    )
    if paired.interval:
        seen += f" (95{THIN}% interval {span(paired.interval)})"
    allowed = comparison.joint.level if comparison.joint else LEVEL
    reach = _reach(paired, metric, plan.n_tested, plan.worthwhile_difference, allowed)
    if comparison.is_claim:
        same = max(paired.higher, paired.lower)
        small = (
            f", but by less than the {_worthwhile(plan, metric)} that is worth it" if verdict.is_small else ""
        )
        return Finding(
            "answer",
            f"{name} is {verdict.word} than {other}{small}: {seen}, {same} of {seeds} to the same side, "
            f"joint p {probability(comparison.joint.p if comparison.joint else None)}. {reach}".strip(),
        )
    if verdict.word == "equivalent":
        less = f"the difference is less than {_worthwhile(plan, metric)}"
        return Finding("answer", f"{name} is as good as {other}: {less}. Seen: {seen}.")
    said = f"Between {name} and {other} no difference is shown: {verdict.reason}. Seen: {seen}. {reach}"
    return Finding("answer", said.strip())


def _worthwhile(plan: Plan, metric: PlannedMetric) -> str:
    return with_unit(plain(abs(plan.worthwhile_difference or 0.0)), metric.unit)
