"""Looks at the runs that were planned: which is due, what it found, and whether the runs go on."""

from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import evolve

from flowvae.ablation.ledger import level_planned, now
from flowvae.ablation.runs import n_finished
from flowvae.folder.plan_records import LedgerEntry, LookAhead, Plan
from flowvae.recipe import AblationPlan
from flowvae.report.across import shifts
from flowvae.report.comparison import ENDED, NO_FIGURE, compare
from flowvae.report.factors import effects
from flowvae.report.reading import Folder, read_folder
from flowvae.statistics.spending import planned_looks
from flowvae.statistics.verdict import Verdict

DECIDED = frozenset({"better", "worse", "equivalent", "not compared"})
"""What more seeds need not say again; of runs that may not be compared, more of them are none the better."""


def looks_ahead(plan: AblationPlan) -> tuple[LookAhead, ...]:
    """The looks of a recipe with what each may claim; none where it says a number of seeds."""
    if len(plan.looks) == 1:
        return ()
    levels = [look.level for look in planned_looks([len(seeds) for seeds in plan.looks])]
    return tuple(map(LookAhead, plan.looks, levels))


def at_the_look(plan: Plan) -> Plan:
    """The plan with the seeds of the look that is due, or that the runs ended with."""
    taken = [entry.seeds for entry in plan.looks_taken]
    if not plan.looks:
        return plan
    if plan.has_ended:
        return evolve(plan, seeds=taken[-1])
    due = next((look.seeds for look in plan.looks if look.seeds not in taken), plan.looks[-1].seeds)
    return evolve(plan, seeds=due)


def seeds_to_come(plan: AblationPlan, folder: Path) -> tuple[int, ...]:
    """All seeds that the runs of a folder may need, those that are done included."""
    before = Plan.read_if_there(folder)
    is_same = before is not None and tuple(look.seeds for look in before.looks) == plan.looks
    return before.seeds if before is not None and is_same and before.has_ended else plan.seeds


def look(folder: Path, say: Callable[[str], None]) -> Plan | None:
    """Takes the look that is due and enters it in the ledger; the plan of the next one, or nothing where the runs end here.

    A look is due once all of its runs have ended; before that, whatever interrupted them, nothing is taken.
    """
    plan = Plan.read(folder)
    if not plan.looks or plan.has_ended or any(entry.seeds == plan.seeds for entry in plan.looks_taken):
        return None
    found = read_folder(folder)
    if any(run.state not in ENDED for run in found.runs):
        return None
    verdicts = _verdicts(found)
    is_last = plan.seeds == plan.looks[-1].seeds
    is_decided = all(v.word in DECIDED or v.reason == NO_FIGURE for v in verdicts.values())
    entry = LedgerEntry(
        now(),
        n_finished(folder / "runs"),
        "look",
        "",
        _summary(found, verdicts, is_decided=is_decided, is_last=is_last),
        seeds=plan.seeds,
        level=level_planned(plan),
        ended=is_last or is_decided,
    )
    say(f"look {entry.after}")
    for name, verdict in verdicts.items():
        say(f"  {name}: {verdict.word}; {verdict.reason}")
    # The look and the seeds of the next one are written in one step: a kill leaves both or neither.
    after = at_the_look(evolve(plan, ledger=(*plan.ledger, entry)))
    after.write(folder)
    return None if entry.ended else after


def _verdicts(found: Folder) -> Mapping[str, Verdict]:
    """What the report says of every comparison of the family, by its name."""
    said, comparisons = {effect.name: effect.verdict for effect in effects(found)}, compare(found)
    for one in comparisons:
        beside = "" if one.against.is_baseline else f" beside {one.against.name}"
        said[f"{one.arm.name}{beside}"] = one.verdict
    return said | {shift.name: shift.verdict for shift in shifts(found, comparisons)}


def _summary(found: Folder, verdicts: Mapping[str, Verdict], *, is_decided: bool, is_last: bool) -> str:
    """The look in one line."""
    plan = found.plan
    number = 1 + [look.seeds for look in plan.looks].index(plan.seeds)
    words = ", ".join(f"{name} {verdict.word}" for name, verdict in verdicts.items())
    failed = [f"{run.arm} seed {run.seed}" for run in found.runs if run.state == "failed"]
    without = f", without {', '.join(failed)}, which failed" if failed else ""
    end = "the runs ended" if is_last or is_decided else "the runs went on"
    why = "everything is decided, so " if is_decided and not is_last else ""
    return f"{number} of {len(plan.looks)} at {len(plan.seeds)} seeds{without}: {words}; {why}{end}"
