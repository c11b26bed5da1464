"""What the runs say in plain sentences, and what they cannot say."""

import numpy as np
from attrs import frozen

from flowvae.folder.plan_records import LedgerEntry, Plan, PlannedArm, PlannedMetric
from flowvae.report.across import shift_findings, shifts
from flowvae.report.answers import Finding, Tone, answer
from flowvae.report.beginnings import differing_beginnings
from flowvae.report.budget import still_moving
from flowvae.report.censoring import MOST, cut_share
from flowvae.report.collapse import collapses
from flowvae.report.comparison import (
    Comparison,
    is_good_change,
    mean_cost,
    pair_metric,
    values_by_seed,
)
from flowvae.report.factors import effect_findings, effects
from flowvae.report.number_format import (
    count,
    percent,
    percentage,
    plain,
    signed,
    span,
    whole,
    with_unit,
)
from flowvae.report.own_best import own_best_findings
from flowvae.report.planned_looks import look_findings
from flowvae.report.reading import Folder
from flowvae.statistics.paired import standard_deviation

SMALL_DROP = 0.1  # below a tenth of the untrained figure, two arms differ mostly by how they were initialised
CLEAR_OF_SPREAD = 3.0  # a drop below three standard deviations over the seeds is lost among them
UNUSED = {"nats": 0.1, "dims": 1.0}  # a latent below this carries no more than noise


def _was_trained(folder: Folder) -> Finding:
    plan = folder.plan
    said = f"{count(len(plan.arms), 'arm')} over {count(len(plan.seeds), 'seed')}"
    said += f", {steps_of(plan)} steps each with {whole(plan.batch_size)} sounds in a batch"
    said += (
        f"; {whole(plan.data.used)} sounds used, {whole(plan.data.held_out)} of them held out for the figures"
    )
    done = sum(run.state == "done" for run in folder.runs)
    return Finding("fact", f"{said}. {done} of {count(len(folder.runs), 'run')} finished.")


def steps_of(plan: Plan) -> str:
    """Of one budget or several."""
    return " or ".join(map(whole, sorted({arm.steps or plan.steps for arm in plan.arms} or {plan.steps})))


@frozen
class _Move:
    """What training did to the primary metric of one arm; `doubt` is empty where the change is large enough."""

    said: str
    doubt: str


def _move(folder: Folder, metric: PlannedMetric, arm: PlannedArm) -> _Move | None:
    finished = [run for run in folder.of(arm.name) if run.result and metric.name in run.result.untrained]
    pairs = [(run.result.untrained[metric.name], run.value(metric.name)) for run in finished if run.result]
    known = [(before, after) for before, after in pairs if before is not None and after is not None]
    if not known or metric.direction == "none":
        return None
    befores, afters = zip(*known, strict=True)
    before, after = float(np.mean(befores)), float(np.mean(afters))
    moved, spread = abs(after - before), standard_deviation(afters) or 0.0
    is_ratio = metric.direction == "lower" and before > 0 and after >= 0
    share = f" ({percent(after, before)})" if is_ratio else ""
    doubt = ""
    if not all(is_good_change(metric, a - b) for b, a in known):
        doubt = "at least one run did not improve"
    elif moved < CLEAR_OF_SPREAD * spread:
        doubt = f"the change is small beside the spread over seeds, {plain(spread)}"
    elif is_ratio and moved < SMALL_DROP * before:
        doubt = "the models are barely trained"
    return _Move(f"{arm.name} from {plain(before)} to {with_unit(plain(after), metric.unit)}{share}", doubt)


def _training(folder: Folder, metric: PlannedMetric) -> list[Finding]:
    """Whether training moved the primary metric far enough for a comparison of trained models to be one."""
    moves = [move for arm in folder.plan.arms if (move := _move(folder, metric, arm))]
    sound = [move.said for move in moves if not move.doubt]
    found = [Finding("fact", f"Training took {metric.name} of {'; '.join(sound)}.")] if sound else []
    return found + [
        Finding(
            "caution",
            f"Training took {metric.name} of {move.said}, but {move.doubt}: a comparison says more about the start "
            "than about the arm.",
        )
        for move in moves
        if move.doubt
    ]


COSTS = (
    ("seconds_per_step", "step time"),
    ("macs_per_second", "multiply-adds"),
    ("peak_memory_mb", "peak memory"),
)


def _costs(folder: Folder, baseline: PlannedArm) -> list[Finding]:
    """What each alternative costs beside its baseline."""
    said = []
    for arm in _beside(folder.plan, baseline):
        changes = [
            f"{words} {percent(ours, theirs)}"
            for key, words in COSTS
            if (theirs := mean_cost(folder, baseline, key))
            and (ours := mean_cost(folder, arm, key)) is not None
        ]
        if changes:
            said.append(f"{arm.name} {', '.join(changes)}")
    return [Finding("fact", f"Cost beside {baseline.name}: {'; '.join(said)}.")] if said else []


def _beside(plan: Plan, baseline: PlannedArm) -> list[PlannedArm]:
    """The alternatives at the value of a baseline."""
    return [arm for arm in plan.alternatives if arm.at == baseline.at]


def _artefacts(folder: Folder, baseline: PlannedArm) -> list[Finding]:
    found = []
    for metric in folder.plan.metrics:
        if metric.family != "artefact":
            continue
        said = [
            f"{arm.name} {with_unit(signed(paired.mean), metric.unit)}"
            + (f" ({span(paired.interval)})" if paired.interval else "")
            for arm in _beside(folder.plan, baseline)
            if (paired := pair_metric(folder, arm, metric.name))
        ]
        if said:
            found.append(
                Finding("fact", f"{metric.name} beside {baseline.name}, secondary: {'; '.join(said)}.")
            )
    return found


def _latent(folder: Folder) -> list[Finding]:
    """Whether the latent vector is used at all."""
    said, found = [], []
    metrics = [metric for metric in folder.plan.metrics if metric.family == "latent"]
    for arm in folder.plan.arms:
        values = {m: list(values_by_seed(folder.of(arm.name), m.name).values()) for m in metrics}
        means = {m: float(np.mean(v)) for m, v in values.items() if v}
        if not means:
            continue
        figures = ", ".join(f"{m.name} {with_unit(plain(mean), m.unit)}" for m, mean in means.items())
        said.append(f"{arm.name} {figures}")
        if any(mean < UNUSED.get(m.unit, 0.0) for m, mean in means.items()):
            found.append(
                Finding(
                    "caution",
                    f"The latent vector of {arm.name} carries next to nothing: the decoder ignores it.",
                )
            )
    return ([Finding("fact", f"Latent: {'; '.join(said)}.")] if said else []) + found


def _lost_runs(folder: Folder) -> list[Finding]:
    metric = folder.plan.primary
    found = []
    failed = [f"{run.arm} seed {run.seed}" for run in folder.runs if run.state == "failed"]
    if failed:
        found.append(
            Finding("caution", f"Failed, and counted as such: {', '.join(failed)}. Reasons are below.")
        )
    blank = [
        f"{run.arm} seed {run.seed}"
        for run in folder.runs
        if metric and run.state == "done" and run.value(metric.name) is None
    ]
    if metric and blank:
        found.append(Finding("caution", f"Finished without a finite {metric.name}: {', '.join(blank)}."))
    inexact = [f"{run.arm} seed {run.seed}" for run in folder.runs if not run.status.exact]
    if inexact:
        found.append(Finding("caution", f"Resumed, and not to the same bits: {', '.join(inexact)}."))
    return found


def _sampled_p(comparisons: tuple[Comparison, ...]) -> list[Finding]:
    if all(c.joint is None or c.joint.exact for c in comparisons):
        return []
    return [
        Finding(
            "fact", "The sign-flip p rests on a seeded sample of sign patterns: there are too many to count."
        )
    ]


def _cut(folder: Folder) -> list[Finding]:
    """What share of the figures lies on a limit of its metric."""
    found = []
    for metric in folder.plan.metrics:
        share = cut_share(folder.runs, metric)
        if share:
            tone: Tone = "caution" if share > MOST else "fact"
            limits = " or ".join(f"{limit:g}" for limit in (metric.least, metric.most) if limit is not None)
            at = f"{percentage(share)} of the figures of {metric.name} lie on its limit of {limits} {metric.unit}"
            more = ": what lies beyond is not known, so it decides nothing" if share > MOST else ""
            found.append(Finding(tone, f"{at}{more}."))
    return found


def _ledger(plan: Plan) -> list[Finding]:
    """What was changed after the plan was made, and what had been seen by then."""
    return [
        Finding("caution", f"Changed after {count(entry.finished, 'finished run')}: {said(entry)}.")
        for entry in plan.ledger[1:]
        if entry.what != "look" and (entry.finished or entry.what not in {"arm added", "seeds"})
    ]


def said(entry: LedgerEntry) -> str:
    """An entry of the ledger as one reads it."""
    change = (
        f"{entry.before} to {entry.after}" if entry.before and entry.after else entry.before or entry.after
    )
    is_event = entry.what.startswith("arm") or entry.what == "look"
    return f"{entry.what} {change}" if is_event else f"{entry.what} from {change}"


def _flagged(arm: PlannedArm) -> str:
    """What an arm changes beside what is varied, and why: a second difference, to which what is found may be due."""
    why = f"The reason given: {arm.reason}" if arm.reason else "No reason is given"
    return f"A second difference: {arm.name} {'; '.join(arm.flags)}. {why.removesuffix('.')}."


def findings(folder: Folder, comparisons: tuple[Comparison, ...]) -> tuple[Finding, ...]:
    """All sentences, the answers first."""
    plan = folder.plan
    found = [answer(folder, plan.primary, c) for c in comparisons if plan.primary]
    found += effect_findings(folder, effects(folder))
    found += shift_findings(plan, shifts(folder, comparisons))
    found += own_best_findings(folder)
    found += still_moving(folder, comparisons)
    found += [_was_trained(folder), *_lost_runs(folder), *_sampled_p(comparisons)]
    found += [*look_findings(plan, comparisons), *_cut(folder)]
    if plan.primary:
        found += _training(folder, plan.primary)
    found += collapses(folder)
    found += [Finding("caution", _flagged(arm)) for arm in plan.arms if arm.flags]
    found += [
        Finding("caution", f"{arm.name} was to cost the same and does not: {arm.matched.said}.")
        for arm in plan.arms
        if arm.matched and not arm.matched.is_near
    ]
    found += differing_beginnings(folder)
    for baseline in (arm for arm in plan.arms if arm.is_baseline):
        found += [*_costs(folder, baseline), *_artefacts(folder, baseline)]
    found += _latent(folder)
    found += _ledger(plan)
    return tuple(found)
