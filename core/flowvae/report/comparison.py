"""Which runs may be compared, and what the comparison says."""

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from flowvae.folder.plan_records import PlannedArm, PlannedMetric
from flowvae.report.censoring import censored
from flowvae.report.looks import earlier_looks
from flowvae.report.reading import Folder, Run
from flowvae.report.sides import Side, over_values, sides_of
from flowvae.statistics.joint import Joint, joint_sign_flip
from flowvae.statistics.paired import Paired, pair
from flowvae.statistics.verdict import Verdict, judge, without_difference

NO_FIGURE = "no seed has a figure in both arms"
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
    """One arm beside another, its baseline unless the plan asks for that pair, on the primary metric."""

    arm: PlannedArm
    against: PlannedArm
    paired: Paired | None
    joint: Joint | None
    """What all comparisons together say of it; None where it could not be made."""
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


def pair_metric(
    folder: Folder, arm: PlannedArm, metric: str, against: PlannedArm | None = None
) -> Paired | None:
    """The differences of an arm from another, or from its baseline, over the seeds that have a figure on both sides."""
    other = against or folder.plan.baseline_of(arm)
    if other is None:
        return None
    return pair_shared(
        values_by_seed(folder.of(other.name), metric), values_by_seed(folder.of(arm.name), metric)
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
    open_runs = [run for one in (baseline, arm) for run in folder.of(one.name) if run.state not in ENDED]
    if not open_runs:
        return ""
    n = len(open_runs)
    verb = "run has" if n == 1 else "runs have"
    return f"{n} planned {verb} not ended yet, and the verdict waits for the planned number of seeds"


def lost(folder: Folder, arm: PlannedArm, metric: str) -> int:
    """The runs of an arm that ended without a finite figure."""
    return sum(run.state in ENDED and run.value(metric) is None for run in folder.of(arm.name))


def _only_survivors(
    verdict: Verdict, folder: Folder, baseline: PlannedArm, arm: PlannedArm, metric: str
) -> Verdict:
    """No winner among survivors: the seeds that an arm lost may be the ones it would have lost by."""
    winner = {"better": arm, "worse": baseline}.get(verdict.word)
    n = lost(folder, winner, metric) if winner else 0
    if winner is None or not n:
        return verdict
    runs = "run" if n == 1 else "runs"
    reason = f"{winner.name} lost {n} {runs}, and those that are left cannot make it the winner"
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
        return Verdict("not shown", NO_FIGURE)
    if paired.is_nothing:
        return without_difference(paired, folder.plan.worthwhile_difference)
    return None


@frozen
class Family:
    """All that is tested together: the comparisons, and what becomes of each at other values of what they are run across."""

    sides: tuple[Side, ...]
    pairs: tuple[Paired | None, ...]
    early: tuple[Verdict | None, ...]
    """Of each comparison, the verdict where no statistics are due."""
    joint: tuple[Joint | None, ...]
    changes: tuple[Paired | None, ...]
    """For each comparison at a later value, the difference of its differences from those at the first, seed by seed."""
    joint_of_changes: tuple[Joint | None, ...]


def family_of(folder: Folder, metric: PlannedMetric) -> Family:
    """Every alternative against its baseline, and the pairs that the plan asks for."""
    sides = sides_of(folder.plan)
    pairs = [pair_metric(folder, arm, metric.name, other) for arm, other in sides]
    early = [
        _early_verdict(folder, other, arm, found) for (arm, other), found in zip(sides, pairs, strict=True)
    ]
    usable = [None if verdict else found for found, verdict in zip(pairs, early, strict=True)]
    changes = [
        pair_shared(_by_seed(usable[before]), _by_seed(usable[after]))
        for before, after in over_values(folder.plan)
    ]
    found = joints(folder, [*usable, *changes])
    n = len(sides)
    return Family(
        tuple(sides), tuple(pairs), tuple(early), tuple(found[:n]), tuple(changes), tuple(found[n:])
    )


def _by_seed(paired: Paired | None) -> dict[int, float]:
    return dict(zip(paired.seeds, paired.differences, strict=True)) if paired else {}


def compare(folder: Folder) -> tuple[Comparison, ...]:
    """Every comparison that the plan asks for, on the primary metric, as one family."""
    plan, metric = folder.plan, folder.plan.primary
    if plan.baseline is None or metric is None or plan.factors:
        return ()  # a crossed ablation asks for its factors: see factors.py
    family = family_of(folder, metric)
    comparisons = []
    for (arm, other), paired, verdict, joint in zip(
        family.sides, family.pairs, family.early, family.joint, strict=True
    ):
        found = verdict
        if joint is not None and paired is not None:
            found = judge(paired, joint, metric.direction, plan.worthwhile_difference, plan.n_looks)
            found = _only_survivors(found, folder, other, arm, metric.name)
        assert found is not None
        found = _only_measured(found, folder, other, arm, metric)
        comparisons.append(Comparison(arm, other, paired, joint, found))
    return tuple(comparisons)


def all_comparable(folder: Folder) -> Verdict | None:
    """Why the arms as a whole get no verdict, if there is a reason."""
    baseline = folder.plan.baseline
    others = folder.plan.alternatives if baseline else ()
    found = [_early_verdict(folder, baseline, arm, None) for arm in others if baseline]
    return next((verdict for verdict in found if verdict and verdict.reason != NO_FIGURE), None)


def joints(folder: Folder, usable: Sequence[Paired | None]) -> list[Joint | None]:
    """The family is what could be compared: of a comparison without a figure nothing is claimed."""
    family = [paired for paired in usable if paired]
    if not family:
        return [None] * len(usable)
    looks, level = earlier_looks(folder.plan)
    differences = [dict(zip(paired.seeds, paired.differences, strict=True)) for paired in family]
    found = iter(joint_sign_flip(differences, looks, level))
    return [next(found) if paired else None for paired in usable]


def _only_measured(
    verdict: Verdict, folder: Folder, other: PlannedArm, arm: PlannedArm, metric: PlannedMetric
) -> Verdict:
    """No verdict from figures that a limit of the metric cuts: what lies beyond is not known."""
    said = censored(folder, (other.name, arm.name), metric)
    return (
        Verdict("not shown", said) if said and verdict.word in {"better", "worse", "equivalent"} else verdict
    )


def is_good_change(metric: PlannedMetric, change: float) -> bool:
    """Whether a change of the metric goes towards its good end."""
    return (change < 0) if metric.direction == "lower" else (change > 0)
