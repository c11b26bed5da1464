"""What the answers mean, in plain sentences and as rows of a table."""

from flowvae.folder.records import PlannedMetric
from flowvae.report.blind.outcomes import Blind, Outcome, Sum
from flowvae.report.number_format import count, percentage, plain, probability, signed, with_unit
from flowvae.report.tables import csv_of
from flowvae.statistics.binomial import fewest_to_show, p_at_least, share_found
from flowvae.statistics.paired import LEVEL


def meaning(outcome: Outcome) -> str:
    """What one outcome shows, or what it would have taken."""
    return _heard(outcome) if outcome.test == "abx" else _preferred(outcome)


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
    seen = f"{o.hits} of {count(o.n, 'choice')} for {o.arm}{ties}, p {probability(o.p)}{_joint(o)}"
    name = o.sheet.listener
    if not o.is_shown:
        return f"No preference of {name} between {o.arm} and {o.against} is shown: {seen}."
    other = o.against if o.preferred == o.arm else o.arm
    return f"{name} prefers {o.preferred} to {other}: {seen}."


def _joint(o: Outcome) -> str:
    return f", joint p {probability(o.joint_p)} among {o.family}" if o.family > 1 else ""


def beside_metric(outcome: Outcome, metric: PlannedMetric | None) -> str:
    """What the primary metric says of the same pair, and whether both agree; nothing where it says nothing."""
    comparison = outcome.comparison
    if metric is None or comparison is None or comparison.paired is None:
        return ""
    difference = with_unit(signed(comparison.paired.mean), metric.unit)
    said = f"{metric.name} {difference}: {comparison.verdict.word}"
    if not (outcome.is_shown and comparison.is_claim):
        return said
    winner = outcome.arm if comparison.verdict.word == "better" else outcome.against
    return f"{said}; the ear {'agrees' if outcome.preferred == winner else 'disagrees'}"


def together(found: Sum, of: str) -> str:
    """A sum over listeners, told as one."""
    who = f"{count(found.listeners, 'listener')} together"
    ties = f", {found.ties} without a preference" if found.ties else ""
    return f"{found.arm} and {found.against}, {who}: {found.hits} of {found.n} {of}{ties}."


def listening_csv(found: Blind, metric: PlannedMetric | None) -> str:
    """One row for each listener, pair and test."""
    header = (
        "test", "session", "listener", "locked", "arm", "baseline", "answers", "hits", "ties", "interval_low",
        "interval_high", "p", "joint_p", "shown", "meaning", "metric", "digest",
    )  # fmt: skip
    rows = (
        (
            o.test, o.sheet.session, o.sheet.listener, o.sheet.locked, o.arm, o.against, o.n, o.hits, o.ties,
            *(o.interval or (None, None)), o.p, o.joint_p, o.is_shown, meaning(o), beside_metric(o, metric),
            o.sheet.digest,
        )
        for o in found.outcomes
    )  # fmt: skip
    return csv_of(header, rows)


def share(outcome: Outcome) -> str:
    """The share of hits with its interval, ready to read."""
    if outcome.interval is None:
        return plain(None)
    low, high = (percentage(end) for end in outcome.interval)
    return f"{percentage(outcome.hits / outcome.n)}, {low} to {high}"
