"""What the runs say in plain sentences, and what they cannot say."""

from typing import Literal

import numpy as np
from attrs import frozen

from flowvae.report.comparison import (
    Comparison,
    is_good_change,
    mean_cost,
    pair_metric,
    values_by_seed,
)
from flowvae.report.numerals import count, large, percent, plain, probability, signed, span, with_unit
from flowvae.report.reading import Arm, Folder, MetricInfo
from flowvae.report.statistics import (
    LEVEL,
    Paired,
    detectable_difference,
    seeds_needed,
    seeds_to_reach,
    standard_deviation,
)

Tone = Literal["asked", "answer", "fact", "caution"]
SMALL_DROP = 0.1  # below a tenth of the untrained figure, two arms differ mostly by how they were initialised
CLEAR_OF_SPREAD = 3.0  # a drop below three standard deviations over the seeds is lost among them
UNUSED_NATS = 0.1
SAME_SIZE = 0.02  # arms within 2 % of the parameters count as one size


@frozen
class Finding:
    """One sentence or two, and how much the reader should worry."""

    tone: Tone
    text: str


def headline(folder: Folder, comparisons: tuple[Comparison, ...]) -> str:
    """The shortest true answer to what was asked."""
    plan = folder.plan
    claims = [c for c in comparisons if c.is_claim]
    if plan.baseline and plan.metric and claims:
        said = (f"{c.arm.name} is {c.verdict.word} than {plan.baseline.name}" for c in claims)
        return f"{'; '.join(said)} on {plan.metric.name}."
    if any(run.state not in {"done", "failed"} for run in folder.runs):
        return "Not finished: nothing is concluded yet."
    if comparisons and all(c.verdict.word == "not compared" for c in comparisons):
        return "The runs are not comparable, so there is no winner."
    if comparisons:
        return "No difference between the arms has been shown."
    if any(run.result for run in folder.runs):
        return f"{plan.name} is trained. Nothing was compared."
    return "No run has finished."


def _was_trained(folder: Folder) -> Finding:
    plan = folder.plan
    said = f"{count(len(plan.arms), 'arm')} over {count(len(plan.seeds), 'seed')}"
    if plan.steps is not None:
        said += f", {plain(plan.steps)} steps each"
    if plan.batch is not None:
        said += f" with {plain(plan.batch)} sounds in a batch"
    if plan.data.used is not None:
        said += f"; {plain(plan.data.used)} sounds used"
    if plan.data.held_out is not None:
        said += f", {plain(plan.data.held_out)} of them held out for the figures"
    done = sum(run.state == "done" for run in folder.runs)
    return Finding("fact", f"{said}. {done} of {count(len(folder.runs), 'run')} finished.")


def _noise(paired: Paired) -> float:
    """The spread of the differences, 0 where only the rounding of the figures is left of it."""
    spread = paired.sd or 0.0
    return spread if spread > 1e-12 * max(map(abs, paired.differences)) else 0.0


def _reach(paired: Paired, metric: MetricInfo, n_arms: int, worthwhile: float | None) -> str:
    """What these seeds could have found, and how many the difference would need."""
    n, sd = len(paired.seeds), _noise(paired)
    if n < 2 or not sd:
        return ""
    # Both rules must agree, so a stated number of seeds has to be enough for both.
    floor, level = seeds_to_reach(n_arms), LEVEL / n_arms
    said = []
    found = detectable_difference(sd, n, level=level)
    if n >= floor and found is not None:
        size = with_unit(plain(found), metric.unit)
        said.append(f"With {n} seeds and this spread, a true difference of about {size} is found four times in five.")
    if worthwhile:
        needed = max(floor, seeds_needed(worthwhile, sd, level=level))
        size = with_unit(plain(abs(worthwhile)), metric.unit)
        said.append(f"To find a difference of {size}, which the plan calls worthwhile, takes about {needed} seeds.")
    if paired.mean:
        needed = max(floor, seeds_needed(paired.mean, sd, level=level))
        if needed > n:
            many = f"about {needed} seeds" if needed < 1000 else "more than a thousand seeds"
            said.append(f"If the difference seen were the true one, showing it would take {many} in each arm.")
    return " ".join(said)


def _answer(folder: Folder, metric: MetricInfo, comparison: Comparison) -> Finding:
    baseline = folder.plan.baseline
    paired, verdict, name = comparison.paired, comparison.verdict, comparison.arm.name
    assert baseline is not None
    if verdict.word == "not compared":
        return Finding("caution", f"{name} gets no verdict: {verdict.reason}.")
    if paired is None:
        return Finding("caution", f"Nothing can be said of {name}: {verdict.reason}.")
    seeds = count(len(paired.seeds), "seed")
    seen = f"{metric.name} differs by {with_unit(signed(paired.mean), metric.unit)} on average over {seeds}"
    if paired.interval:
        seen += f" (95 % interval {span(paired.interval)})"
    reach = _reach(paired, metric, len(folder.plan.alternatives), folder.plan.worthwhile_difference)
    if comparison.is_claim:
        same = max(paired.higher, paired.lower)
        return Finding(
            "answer",
            f"{name} is {verdict.word} than {baseline.name}: {seen}, {same} of {seeds} to the same side, "
            f"adjusted p {probability(comparison.p_holm)}. {reach}".strip(),
        )
    said = f"Between {name} and {baseline.name} no difference is shown: {verdict.reason}. Seen: {seen}. {reach}"
    return Finding("answer", said.strip())


def _improvement(folder: Folder, metric: MetricInfo, arm: Arm) -> Finding | None:
    """Whether training moved the primary metric far enough for a comparison of trained models to be one."""
    pairs = [
        (run.result.untrained[metric.name], run.value(metric.name))
        for run in folder.of(arm.name)
        if run.result and metric.name in run.result.untrained
    ]
    known = [(before, after) for before, after in pairs if before is not None and after is not None]
    if not known or metric.direction == "none":
        return None
    befores, afters = zip(*known, strict=True)
    before, after = float(np.mean(befores)), float(np.mean(afters))
    said = (
        f"Training took {metric.name} of {arm.name} from {plain(before)} (untrained) to "
        f"{with_unit(plain(after), metric.unit)}"
    )
    moved, spread = abs(after - before), standard_deviation(afters) or 0.0
    if not all(is_good_change(metric, a - b) for b, a in known):
        return Finding("caution", f"{said}: at least one run did not improve, so the figures compare little.")
    if moved < CLEAR_OF_SPREAD * spread:
        return Finding("caution", f"{said}, a change that is small beside the spread over seeds ({plain(spread)}).")
    is_ratio = metric.direction == "lower" and before > 0 and after >= 0
    if is_ratio and moved < SMALL_DROP * before:
        return Finding(
            "caution",
            f"{said}, {percent(after, before)}: barely trained, so a comparison says more about the start "
            "than about the arm.",
        )
    return Finding("fact", f"{said}{f', {percent(after, before)}' if is_ratio else ''}.")


COSTS = (
    ("seconds_per_step", "the time of a step"),
    ("macs_per_second", "the multiply-adds for a second of audio"),
    ("peak_memory_mb", "the peak memory"),
)


def _cost(folder: Folder, baseline: Arm, arm: Arm) -> list[Finding]:
    parts = []
    for key, words in COSTS:
        theirs, ours = mean_cost(folder, baseline, key), mean_cost(folder, arm, key)
        if theirs and ours is not None:
            parts.append(f"{words} {percent(ours, theirs)}")
    found = [Finding("fact", f"Cost of {arm.name} beside {baseline.name}: {', '.join(parts)}.")] if parts else []
    theirs, ours = mean_cost(folder, baseline, "parameters"), mean_cost(folder, arm, "parameters")
    if theirs and ours is not None and abs(ours / theirs - 1) > SAME_SIZE:
        found.append(
            Finding(
                "caution",
                f"{arm.name} has {large(ours)} parameters and {baseline.name} {large(theirs)} "
                f"({percent(ours, theirs)}): size is a second difference between them.",
            )
        )
    return found


def _artefacts(folder: Folder, baseline: Arm, arm: Arm) -> list[Finding]:
    found = []
    for metric in folder.plan.metrics:
        paired = pair_metric(folder, arm, metric.name) if metric.family == "artefact" else None
        if paired:
            size = with_unit(signed(paired.mean), metric.unit)
            interval = f" (95 % interval {span(paired.interval)})" if paired.interval else ""
            said = f"{metric.name} of {arm.name} differs from {baseline.name} by {size}{interval}; secondary, no verdict."
            found.append(Finding("fact", said))
    return found


def _latent(folder: Folder, arm: Arm) -> list[Finding]:
    parts, unused = [], False
    for metric in folder.plan.metrics:
        values = list(values_by_seed(folder.of(arm.name), metric.name).values())
        if metric.family != "latent" or not values:
            continue
        mean = float(np.mean(values))
        parts.append(f"{metric.name} {with_unit(plain(mean), metric.unit)}")
        unused |= (metric.unit == "nats" and mean < UNUSED_NATS) or (metric.unit == "dims" and mean < 1)
    if not parts:
        return []
    said = f"Latent of {arm.name}: {', '.join(parts)}"
    if unused:
        return [Finding("caution", f"{said}: it carries next to nothing, so the decoder ignores it.")]
    return [Finding("fact", f"{said}.")]


def _lost_runs(folder: Folder) -> list[Finding]:
    metric = folder.plan.metric
    found = []
    failed = [f"{run.arm} seed {run.seed}" for run in folder.runs if run.state == "failed"]
    if failed:
        found.append(Finding("caution", f"Failed, and counted as such: {', '.join(failed)}. Reasons are below."))
    blank = [
        f"{run.arm} seed {run.seed}"
        for run in folder.runs
        if metric and run.state == "done" and run.value(metric.name) is None
    ]
    if metric and blank:
        found.append(Finding("caution", f"Finished without a finite {metric.name}: {', '.join(blank)}."))
    inexact = [f"{run.arm} seed {run.seed}" for run in folder.runs if not run.exact]
    if inexact:
        found.append(Finding("caution", f"Resumed, and not to the same bits: {', '.join(inexact)}."))
    return found


def _sampled_p(comparisons: tuple[Comparison, ...]) -> list[Finding]:
    if all(c.paired is None or c.paired.sign_flip.exact for c in comparisons):
        return []
    return [Finding("fact", "The sign-flip p rests on a seeded sample of sign patterns: there are too many to count.")]


def findings(folder: Folder, comparisons: tuple[Comparison, ...]) -> tuple[Finding, ...]:
    """All sentences, the answers first."""
    plan = folder.plan
    found = [_answer(folder, plan.metric, c) for c in comparisons if plan.metric]
    found += [_was_trained(folder), *_lost_runs(folder), *_sampled_p(comparisons)]
    if plan.metric:
        moves = (_improvement(folder, plan.metric, arm) for arm in plan.arms)
        found += [move for move in moves if move]
    if plan.baseline:
        for arm in plan.alternatives:
            found += [*_cost(folder, plan.baseline, arm), *_artefacts(folder, plan.baseline, arm)]
    for arm in plan.arms:
        found += _latent(folder, arm)
    if len(plan.ledger) > 1:
        last = plan.ledger[-1]
        found.append(Finding("caution", f"The plan was noted in {len(plan.ledger)} entries, the last: {last[1]}."))
    return tuple(found)
