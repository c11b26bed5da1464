"""Which runs may be compared, and what the comparison says."""

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from flowvae.folder.records import PlannedArm, PlannedMetric
from flowvae.report.reading import Folder, Run
from flowvae.statistics.paired import Paired, Verdict, holm, judge, pair, smallest_p

ENDED = {"done", "failed"}
CONTEXT = {
    "data_fingerprint": "the data",
    "device": "the device",
    "precision": "the precision",
    "compiled": "whether the networks were compiled",
    "threads": "the number of threads",
}


@frozen
class Comparison:
    """One alternative beside the baseline on the primary metric."""

    arm: PlannedArm
    paired: Paired | None
    p_holm: float | None
    verdict: Verdict

    @property
    def is_claim(self) -> bool:
        """Whether the words better or worse are used."""
        return self.verdict.word in {"better", "worse"}


def values_by_seed(runs: Sequence[Run], metric: str) -> dict[int, float]:
    """The finite figures of one metric, by seed."""
    found = ((run.seed, run.value(metric)) for run in runs)
    return {seed: value for seed, value in found if value is not None}


def mean_cost(folder: Folder, arm: PlannedArm, cost: str) -> float | None:
    """The mean of one cost over the finished runs of an arm, or what the plan says of it."""
    measured = (run.result.costs.get(cost) for run in folder.of(arm.name) if run.result)
    found = [value for value in measured if value is not None]
    planned = {
        "parameters": arm.parameters,
        "macs_per_second": arm.macs_per_second,
        "receptive_field": arm.receptive_field,
    }
    return float(np.mean(found)) if found else planned.get(cost)


def pair_metric(folder: Folder, arm: PlannedArm, metric: str) -> Paired | None:
    """The differences of an arm from the baseline over the seeds that have a figure on both sides."""
    baseline = folder.plan.baseline
    if baseline is None:
        return None
    return pair_shared(
        values_by_seed(folder.of(baseline.name), metric), values_by_seed(folder.of(arm.name), metric)
    )


def pair_shared(theirs: Mapping[int, float], ours: Mapping[int, float]) -> Paired | None:
    """The differences of ours from theirs over the seeds that both have, if there are any."""
    shared = ours.keys() & theirs.keys()
    if not shared:
        return None
    return pair({seed: theirs[seed] for seed in shared}, {seed: ours[seed] for seed in shared})


def obstacles(folder: Folder, baseline: PlannedArm, arm: PlannedArm) -> tuple[str, ...]:
    """Why the runs of two arms are not comparable: seed by seed, and without repeating a reason."""
    found: dict[str, None] = {}
    for theirs, ours in zip(folder.of(baseline.name), folder.of(arm.name), strict=True):
        if theirs.result is None or ours.result is None:
            continue
        for key, words in CONTEXT.items():
            if f"train.{key}" in folder.plan.axes:  # what is asked is no obstacle
                continue
            a, b = str(getattr(theirs.result, key)), str(getattr(ours.result, key))
            if a != b:
                found[f"{words} differs: {a[:12]} in {baseline.name}, {b[:12]} in {arm.name}"] = None
        for run in (theirs, ours):
            if not run.status.exact:
                found[f"{run.arm}, seed {run.seed}, was resumed, and not to the same bits"] = None
    return tuple(found)


def _unfinished(folder: Folder, baseline: PlannedArm, arm: PlannedArm) -> str:
    """Looking again after each run makes false claims frequent, so the verdict waits for the planned end."""
    open_runs = [
        run for run in folder.runs if run.arm in {baseline.name, arm.name} and run.state not in ENDED
    ]
    if not open_runs:
        return ""
    n = len(open_runs)
    verb = "run has" if n == 1 else "runs have"
    return f"{n} planned {verb} not ended yet, and the verdict waits for the planned number of seeds"


def _lost(folder: Folder, arm: PlannedArm, metric: str) -> int:
    """The runs of an arm that ended without a finite figure."""
    return sum(run.state in ENDED and run.value(metric) is None for run in folder.of(arm.name))


def _only_survivors(
    verdict: Verdict, folder: Folder, baseline: PlannedArm, arm: PlannedArm, metric: str
) -> Verdict:
    """No winner among survivors: the seeds that an arm lost may be the ones it would have lost by."""
    winner = {"better": arm, "worse": baseline}.get(verdict.word)
    lost = _lost(folder, winner, metric) if winner else 0
    if winner is None or not lost:
        return verdict
    runs = "run" if lost == 1 else "runs"
    reason = f"{winner.name} lost {lost} {runs}, and those that are left cannot make it the winner"
    return Verdict("not shown", reason)


def _early_verdict(
    folder: Folder, baseline: PlannedArm, arm: PlannedArm, paired: Paired | None
) -> Verdict | None:
    """The verdict where no statistics are due."""
    reasons = obstacles(folder, baseline, arm)
    if reasons:
        return Verdict("not compared", "; ".join(reasons))
    waiting = _unfinished(folder, baseline, arm)
    if waiting:
        return Verdict("not shown", waiting)
    if paired is None:
        return Verdict("not shown", "no seed has a figure in both arms")
    return None


def compare(folder: Folder) -> tuple[Comparison, ...]:
    """Every alternative against the baseline on the primary metric, corrected over all planned alternatives."""
    baseline, metric, arms = folder.plan.baseline, folder.plan.primary, folder.plan.alternatives
    if baseline is None or metric is None:
        return ()
    pairs = [pair_metric(folder, arm, metric.name) for arm in arms]
    early = [_early_verdict(folder, baseline, arm, found) for arm, found in zip(arms, pairs, strict=True)]
    usable = [found if verdict is None else None for found, verdict in zip(pairs, early, strict=True)]
    adjusted = holm([found.sign_flip.p if found else None for found in usable])
    reachable = holm([smallest_p(len(found.seeds)) if found else None for found in usable])
    comparisons = []
    for i, arm in enumerate(arms):
        found, verdict = usable[i], early[i]
        if found is not None:
            verdict = judge(found, adjusted[i], reachable[i], metric.direction)
            verdict = _only_survivors(verdict, folder, baseline, arm, metric.name)
        assert verdict is not None
        comparisons.append(Comparison(arm, pairs[i], adjusted[i] if found else None, verdict))
    return tuple(comparisons)


def is_good_change(metric: PlannedMetric, change: float) -> bool:
    """Whether a change of the metric goes towards its good end."""
    return (change < 0) if metric.direction == "lower" else (change > 0)
