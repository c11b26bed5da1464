"""What the answers mean, in plain sentences and as rows of a table."""

from flowvae.folder.plan_records import PlannedMetric
from flowvae.report.blind.outcomes import Blind, Outcome, Sum
from flowvae.report.number_format import NOTHING, count, percentage, probability, signed, whole, with_unit
from flowvae.report.tables import csv_of
from flowvae.statistics.binomial import fewest_to_show, p_at_least, share_found
from flowvae.statistics.level import LEVEL


def meaning(outcome: Outcome) -> str:
    """What one outcome shows, or what it would have taken."""
    said = _heard(outcome) if outcome.test == "abx" else _preferred(outcome)
    if outcome.before_end is None:
        return said
    step, steps = outcome.before_end
    return f"{said} Heard at step {whole(step)} of {whole(steps)}, before the end of the training."


def _heard(o: Outcome) -> str:
    both = f"{o.arm} and {o.against}"
    seen = f"{o.hits} of {o.n} right, p {probability(o.p)}{_joint(o)}"
    if o.is_shown:
        return f"{o.sheet.listener} hears a difference between {both}: {seen}."
    said = f"It is not shown that {o.sheet.listener} hears a difference between {both}: {seen}. {_reach(o)}"
    if p_at_least(o.n - o.hits, o.n) <= LEVEL / 2:
        said += " So few are right that the answers may have been given the wrong way round."
    return said


def _reach(o: Outcome) -> str:
    """What these questions could have shown: an equal share of the level for each outcome, which is on the safe side."""
    level = LEVEL / o.family
    needed, share = fewest_to_show(o.n, level), share_found(o.n, level)
    if needed is None or share is None:
        return f"Among {o.family} outcomes, {count(o.n, 'question')} can show nothing."
    return f"{needed} would have shown it; who is right {percentage(share)} of the time is found four times in five."


def _preferred(o: Outcome) -> str:
    ties = f", {o.ties} without a preference" if o.ties else ""
    p = f"p {probability(o.p)}{_joint(o)}"
    name = o.sheet.listener
    if not o.is_shown:
        split = f"{o.hits} for {o.arm} and {o.n - o.hits} for {o.against}"
        return f"No preference of {name} is shown: {split}{ties}, {p}."
    other, chosen = (o.against, o.hits) if o.preferred == o.arm else (o.arm, o.n - o.hits)
    return f"{name} prefers {o.preferred} to {other}: {chosen} of {count(o.n, 'choice')}{ties}, {p}."


def _joint(o: Outcome) -> str:
    return f", joint p {probability(o.joint_p)} among {o.family}" if o.family > 1 else ""


def beside_metric(outcome: Outcome, metric: PlannedMetric | None) -> str:
    """What the primary metric says of the same pair; nothing where it says nothing."""
    comparison = outcome.comparison
    if metric is None or comparison is None or comparison.paired is None:
        return ""
    return f"{with_unit(signed(comparison.paired.mean), metric.unit)}, {comparison.verdict.word}"


def agreement(outcome: Outcome) -> str:
    """Whether ear and metric prefer the same arm, where both prefer one: an ABX prefers none."""
    comparison = outcome.comparison
    if outcome.test == "abx" or not outcome.is_shown or comparison is None or not comparison.is_claim:
        return ""
    winner = outcome.arm if comparison.verdict.word == "better" else outcome.against
    return "the ear agrees" if outcome.preferred == winner else "the ear disagrees"


def together(found: Sum) -> str:
    """A sum over several sheets, told as one."""
    who = f"{count(found.listeners, 'listener')} together, {found.arm} beside {found.against}"
    of = "right" if found.test == "abx" else f"choices for {found.arm}"
    ties = f", {found.ties} answers without a preference" if found.ties else ""
    why = "answers about the same sounds do not count as independent"
    return f"{who}: {found.hits} of {found.n} {of}{ties}. This is a sum without a p: {why}."


def listening_csv(found: Blind, metric: PlannedMetric | None) -> str:
    """One row for each listener, pair and test, with what the primary metric says of the same pair."""
    header = (
        "test", "session", "listener", "locked", "arm", "baseline", "answers", "hits", "ties", "interval_low",
        "interval_high", "p", "joint_p", "shown", "meaning", "metric", "mean_difference", "verdict", "digest",
    )  # fmt: skip
    rows = []
    for o in found.outcomes:
        paired = o.comparison.paired if o.comparison else None
        rows.append((
            o.test, o.sheet.session, o.sheet.listener, o.sheet.locked, o.arm, o.against, o.n, o.hits, o.ties,
            *(o.interval or (None, None)), o.p, o.joint_p, o.is_shown, meaning(o),
            metric.name if metric else None, paired.mean if paired else None,
            o.comparison.verdict.word if o.comparison else None, o.sheet.digest,
        ))  # fmt: skip
    return csv_of(header, rows)


def share(outcome: Outcome) -> str:
    """The share of hits, ready to read."""
    return percentage(outcome.hits / outcome.n) if outcome.n else NOTHING


def interval(outcome: Outcome) -> str:
    """Where it lies in the long run, ready to read."""
    return " to ".join(map(percentage, outcome.interval)) if outcome.interval else NOTHING
