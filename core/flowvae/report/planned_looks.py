"""What the page says of looks: those that were planned, and those that came of a change of mind."""

from collections.abc import Sequence

from flowvae.folder.plan_records import Plan
from flowvae.report.answers import Finding
from flowvae.report.comparison import Comparison
from flowvae.report.looks import was_changed
from flowvae.report.number_format import probability
from flowvae.statistics.level import LEVEL
from flowvae.statistics.spending import planned_looks

EARLY = (
    "The runs ended early because the differences were clear by then, and what is clear early looks a little larger than it is: "
    "in simulations a true difference of one standard deviation looked like 1.2. The intervals of such runs hold the true "
    "difference in 89 to 96 of 100 cases instead of 95."
)
"""Of 2,000 ablations of one arm with looks at 6, 9 and 12 seeds, for differences of 0.5 to 1.5; of all that have looks, those
that went to the end included, the intervals hold it in 94 to 96 of 100."""
SUFFIXES = {1: "st", 2: "nd", 3: "rd"}


def looks_said(plan: Plan) -> str:
    """The planned looks, what each may claim, and where the runs ended; nothing where none are planned."""
    if not plan.looks:
        return ""
    counts = _listed([str(len(look.seeds)) for look in plan.looks])
    said = f"Looks were planned at {counts} seeds"
    levels = [look.level for look in plan.looks if look.level is not None]
    if len(levels) == len(plan.looks):
        allowed = _listed([probability(level) for level in levels])
        said += f", with p of at most {allowed}: all of them together claim falsely in at most one of twenty ablations"
    found = planned_looks([len(look.seeds) for look in plan.looks]) if levels else ()
    mute = [look for look in found if not look.can_claim]
    unable = "".join(
        f" {look.n_seeds} seeds reach p = {probability(look.reachable)} at best: that look cannot claim anything."
        for look in mute
    )
    taken = "".join(f" Look {entry.after}." for entry in plan.looks_taken)
    return f"{said}.{unable}{taken} {_standing(plan)}"


def _standing(plan: Plan) -> str:
    n, taken = len(plan.looks), [entry.seeds for entry in plan.looks_taken]
    number = next((i for i, look in enumerate(plan.looks, 1) if look.seeds == plan.seeds), n)
    which = f"{number}{'th' if 10 < number % 100 < 14 else SUFFIXES.get(number % 10, 'th')} of {n} looks"
    if plan.seeds in taken and (plan.has_ended or number == n):
        return f"The runs ended at the {which}, as planned."
    return f"The {which} is still to come."


def look_findings(plan: Plan, comparisons: Sequence[Comparison]) -> list[Finding]:
    """How the seeds were decided, where that was not once and for all before the first step."""
    found = [Finding("fact", said)] if (said := looks_said(plan)) else []
    ended_early = plan.looks and plan.has_ended and plan.seeds != plan.looks[-1].seeds
    if ended_early and any(comparison.is_claim for comparison in comparisons):
        found.append(Finding("caution", EARLY))
    levels = [comparison.joint.level for comparison in comparisons if comparison.joint]
    if was_changed(plan) and levels and min(levels) < LEVEL:
        said = (
            "The number of seeds was changed after runs had been seen, and each look is a chance for a false claim: "
            f"p may be {probability(min(levels))} here instead of {LEVEL}, so that all looks together claim falsely in at "
            "most one of twenty."
        )
        found.append(Finding("caution", said))
    return found


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
