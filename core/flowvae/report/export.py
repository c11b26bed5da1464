"""Every number of the page in full, for other programs; comparisons.schema.json beside this file says what each key means."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from flowvae.folder.files import as_json
from flowvae.folder.plan_records import PlannedArm
from flowvae.folder.run_records import Result
from flowvae.report.across import Shift, shifts
from flowvae.report.arm_costs import RECORDED
from flowvae.report.budget import over_steps
from flowvae.report.by_class import Medians, medians
from flowvae.report.censoring import cut_share
from flowvae.report.comparison import Comparison, mean_cost, pair_metric, values_by_seed
from flowvae.report.factors import Effect, effects
from flowvae.report.looks import earlier_looks
from flowvae.report.own_best import OwnBest, own_best
from flowvae.report.phases import phase_values
from flowvae.report.reading import Folder
from flowvae.report.tables import csv_of, group_means, metrics_of
from flowvae.statistics.joint import Joint
from flowvae.statistics.level import LEVEL
from flowvae.statistics.paired import Paired, standard_deviation, t_interval
from flowvae.statistics.verdict import Verdict

FORMAT = 1
"""Of comparisons.json and scores.json; grows when a key changes its meaning or goes."""
SCHEMA = Path(__file__).with_name("comparisons.schema.json")
Table = dict[str, Any]


def comparisons_json(folder: Folder, comparisons: Sequence[Comparison]) -> bytes:
    """The arms, what was compared, the effects of a crossed ablation, and what becomes of a difference at other values."""
    plan, classes = folder.plan, medians(folder)
    looks, level = earlier_looks(plan)
    return as_json(
        {
            "format": FORMAT,
            "name": plan.name,
            "question": plan.question,
            "metric": plan.metric,
            "metrics": {
                m.name: {key: getattr(m, key) for key in ("direction", "unit", "family", "least", "most")}
                for m in metrics_of(folder)
            },
            "worthwhile_difference": plan.worthwhile_difference,
            "baseline": plan.baseline.name if plan.baseline else None,
            "seeds": plan.seeds,
            "confidence": 1 - LEVEL,
            "earlier_looks": [{"seeds": sorted(look.seeds), "level": look.level} for look in looks],
            "level": level,
            "budget": {
                "steps": plan.steps,
                "batch_size": plan.batch_size,
                "sounds": plan.data.used,
                "held_out": plan.data.held_out,
            },
            "arms": [_arm(folder, arm, classes) for arm in plan.arms],
            "comparisons": [_comparison(folder, comparison, classes) for comparison in comparisons],
            "effects": [_effect(effect) for effect in effects(folder)],
            "across": {"path": plan.across_path, "values": plan.values} if plan.across else None,
            "shifts": [_shift(shift) for shift in shifts(folder, comparisons)],
            "own_best": [_own_best(one) for one in own_best(folder)],
            "references": {
                name: {metric: figure.value for metric, figure in figures.items()}
                for name, figures in folder.references.items()
            },
        }
    )


def _arm(folder: Folder, arm: PlannedArm, classes: Medians) -> Table:
    runs = folder.of(arm.name)
    costs = {cost.key: mean_cost(folder, arm, cost.key) for cost in RECORDED}
    return {
        "name": arm.name,
        "is_baseline": arm.is_baseline,
        "at": arm.at or None,
        "steps": arm.steps or folder.plan.steps,
        "runs": {str(run.seed): run.state for run in runs},
        "figures": {
            metric.name: {
                **_spread(values_by_seed(runs, metric.name)),
                "untrained": {
                    str(run.seed): run.result.untrained.get(metric.name) for run in runs if run.result
                },
                "targets": {str(run.seed): run.result.targets.get(metric.name) for run in runs if run.result},
                "censored": cut_share(runs, metric),
            }
            for metric in metrics_of(folder)
        },
        "classes": {
            metric.name: {
                name: {"sounds": n, **_spread(classes.by_seed(arm, metric, name))}
                for name, n in classes.sounds.items()
            }
            for metric in classes.metrics
        },
        "groups": group_means(folder, folder.plan.primary, arm) if folder.plan.primary else {},
        "costs": {key: cost for key, cost in costs.items() if cost is not None},
        "phases": phase_values(folder, arm),
    }


def _spread(values: Mapping[int, float]) -> Table:
    """The figures of an arm by seed, and what the page says of them."""
    figures = list(values.values())
    return {
        "values": {str(seed): value for seed, value in values.items()},
        "mean": float(np.mean(figures)) if figures else None,
        "sd": standard_deviation(figures),
        "interval": t_interval(figures),
    }


def _comparison(folder: Folder, comparison: Comparison, classes: Medians) -> Table:
    arm, against, primary = comparison.arm, comparison.against, folder.plan.primary
    pairs = {m.name: pair_metric(folder, arm, m.name, against) for m in metrics_of(folder)}
    costs = {
        cost.key: (mean_cost(folder, arm, cost.key), mean_cost(folder, against, cost.key))
        for cost in RECORDED
    }
    moving = over_steps(folder, [comparison], primary) if primary else []
    return {
        "arm": arm.name,
        "against": against.name,
        "metric": folder.plan.metric,
        **_tested(comparison.paired, comparison.joint, comparison.verdict),
        "metrics": {name: _paired(paired) for name, paired in pairs.items()},
        "classes": {
            metric.name: {
                name: _paired(classes.paired(against, arm, metric, name)) for name in classes.sounds
            }
            for metric in classes.metrics
        },
        "cost_ratios": {key: a / b for key, (a, b) in costs.items() if a is not None and b},
        "steps": [
            {"step": step, **(_paired(paired) or {})}
            for found in moving
            for step, paired in zip(found.steps, found.paired, strict=True)
        ],
    }


def _effect(effect: Effect) -> Table:
    return {
        "name": effect.name,
        "is_interaction": effect.is_interaction,
        "levels": effect.levels,
        "instead": effect.instead,
        **_tested(effect.paired, effect.joint, effect.verdict),
    }


def _shift(shift: Shift) -> Table:
    return {
        "arm": shift.before.arm.variant,
        "against": shift.before.against.variant,
        "values": shift.values,
        "how": shift.how,
        **_tested(shift.paired, shift.joint, shift.verdict),
    }


def _own_best(one: OwnBest) -> Table:
    return {
        "arm": one.arm,
        "against": one.against,
        "values": one.values,
        "chosen_on": one.chosen_on,
        "paired": _paired(one.paired),
    }


def _tested(paired: Paired | None, joint: Joint | None, verdict: Verdict) -> Table:
    return {
        "paired": _paired(paired),
        "p_alone": {"p": paired.sign_flip.p, "exact": paired.sign_flip.exact} if paired else None,
        "joint": {key: getattr(joint, key) for key in ("p", "level", "reachable", "exact")}
        if joint
        else None,
        "verdict": {"word": verdict.word, "reason": verdict.reason, "is_small": verdict.is_small},
    }


def _paired(paired: Paired | None) -> Table | None:
    if paired is None:
        return None
    differences = zip(paired.seeds, paired.differences, strict=True)
    return {
        "differences": {str(seed): difference for seed, difference in differences},
        **{key: getattr(paired, key) for key in ("mean", "sd", "interval", "higher", "lower")},
    }


def validations_csv(folder: Folder) -> str:
    """One row for each arm, seed, metric and validation: what pandas.read_csv and seaborn take as it is."""
    header = ("arm", "seed", "metric", "step", "value")
    prefix = "metric/"
    rows = (
        (run.arm, run.seed, name.removeprefix(prefix), row.step, value)
        for run in folder.runs
        for row in run.rows
        if row.phase == "validation"
        for name, value in row.figures.items()
        if value is not None and name.startswith(prefix)
    )
    return csv_of(header, rows)


def scores_json(folder: Folder) -> bytes:
    """For each metric of single sounds a table of runs and sounds for each arm, as rliable takes it once they are arrays.

    Only runs with a figure for every sound, and with the sounds of the first of them, have a row; `seeds` says which.
    """
    found: Table = {}
    for metric in metrics_of(folder):
        rows: dict[str, dict[int, tuple[float | None, ...]]] = {}
        first: Result | None = None
        for run in folder.runs:
            scores = run.per_sound(metric.name)
            if run.result is None or not scores or None in scores:
                continue
            first = first or run.result
            if run.result.sounds == first.sounds:
                rows.setdefault(run.arm, {})[run.seed] = scores
        if first is not None:
            found[metric.name] = {
                "direction": metric.direction,
                "unit": metric.unit,
                "sounds": first.sounds,
                "groups": first.groups,
                "classes": first.classes,
                "seeds": {arm: list(by_seed) for arm, by_seed in rows.items()},
                "scores": {arm: list(by_seed.values()) for arm, by_seed in rows.items()},
            }
    return as_json({"format": FORMAT, "metrics": found})
