"""The numbers of the report as rows: for the page, for a spreadsheet, and for a paper."""

import csv
import io
import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from attrs import frozen

from flowvae.folder.plan_records import Plan, PlannedArm, PlannedMetric
from flowvae.report.across import Shift
from flowvae.report.comparison import Comparison, mean_cost, pair_metric, values_by_seed
from flowvae.report.number_format import (
    MINUS,
    NOTHING,
    THIN,
    large,
    plain,
    probability,
    signed,
    span,
    with_unit,
)
from flowvae.report.reading import Folder
from flowvae.statistics.paired import Paired, standard_deviation, t_interval

MOST_GROUPS = 12


@frozen
class Figure:
    """A mean over seeds with its spread, and how it differs from the baseline; all ready to read."""

    mean: str
    sd: str
    difference: str
    interval: str


def metrics_of(folder: Folder) -> tuple[PlannedMetric, ...]:
    """The planned metrics, then those that only the results know."""
    return folder.metrics


def figure(folder: Folder, arm: PlannedArm, metric: PlannedMetric) -> Figure:
    """The figure of one arm on one metric, as the page shows it."""
    values = values_by_seed(folder.of(arm.name), metric.name)
    return figure_of(values.values(), None if arm.is_baseline else pair_metric(folder, arm, metric.name))


def figure_of(figures: Iterable[float], paired: Paired | None) -> Figure:
    """The figures of some seeds, and how they differ from the baseline's, ready to read."""
    values = list(figures)
    return Figure(
        mean=plain(_mean(values)),
        sd=plain(standard_deviation(values), 2) if len(values) > 1 else "",
        difference=signed(paired.mean) if paired else "",
        interval=span(paired.interval) if paired and paired.interval else "",
    )


def own_interval(folder: Folder, arm: PlannedArm, metric: PlannedMetric) -> str:
    """Student's interval of the mean of one arm over its own seeds; nothing of fewer than two."""
    interval = t_interval(list(values_by_seed(folder.of(arm.name), metric.name).values()))
    return f"{plain(interval[0])} to {plain(interval[1])}" if interval else ""


def by_group(folder: Folder, metric: PlannedMetric) -> list[tuple[str, list[str]]]:
    """The mean of the metric over the sounds of each held-out group, a cell an arm; seeds count alike."""
    found = [group_means(folder, metric, arm) for arm in folder.plan.arms]
    groups = sorted({group for means in found for group in means})[:MOST_GROUPS]
    return [(group, [plain(means.get(group)) for means in found]) for group in groups]


def group_means(folder: Folder, metric: PlannedMetric, arm: PlannedArm) -> dict[str, float]:
    """The same of one arm in full, for every group."""
    found: dict[str, list[float]] = {}
    for run in folder.of(arm.name):
        values = run.per_sound(metric.name)
        if run.result is None or len(values) != len(run.result.groups):
            continue
        own: dict[str, list[float]] = {}
        for value, group in zip(values, run.result.groups, strict=True):
            if value is not None:
                own.setdefault(group, []).append(value)
        for group, known in own.items():
            found.setdefault(group, []).append(float(np.mean(known)))
    return {group: float(np.mean(means)) for group, means in sorted(found.items())}


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _safe(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    written = "" if value is None else repr(value) if isinstance(value, float) else str(value)
    return f"'{written}" if isinstance(value, str) and written[:1] in {"=", "+", "-", "@"} else written


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows under a header, safe to open in a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return file.getvalue()


def results_csv(folder: Folder) -> str:
    """One row for each arm, seed and metric, the unfinished and the failed included; then what was never trained."""
    beside = (
        (
            name,
            None,
            "not trained",
            metric.name,
            metric.direction,
            metric.unit,
            found[metric.name].value,
            None,
            None,
        )
        for name, found in folder.references.items()
        for metric in metrics_of(folder)
        if metric.name in found
    )
    trained = (
            (
                run.arm, run.seed, run.state, metric.name, metric.direction, metric.unit, run.value(metric.name),
                run.result.untrained.get(metric.name) if run.result else None,
                run.result.targets.get(metric.name) if run.result else None,
            )
            for run in folder.runs
            for metric in metrics_of(folder)
    )  # fmt: skip
    header = ("arm", "seed", "state", "metric", "direction", "unit", "value", "untrained", "targets")
    return csv_of(header, itertools.chain(trained, beside))


def numbers_of(paired: Paired | None) -> tuple[object, ...]:
    """How many seeds, and what their differences say, as cells of a row."""
    if paired is None:
        return (0, *[None] * 6)
    low, high = paired.interval or (None, None)
    return len(paired.seeds), paired.mean, paired.sd, low, high, paired.higher, paired.lower


def comparisons_csv(folder: Folder, comparisons: Sequence[Comparison], found: Sequence[Shift] = ()) -> str:
    """One row for each comparison and metric, p and verdict for the primary metric only; then one for each change."""
    primary = folder.plan.primary
    rows: list[tuple[object, ...]] = []
    for comparison in comparisons:
        for metric in metrics_of(folder):
            is_primary = metric == primary
            arm, against = comparison.arm, comparison.against
            paired = comparison.paired if is_primary else pair_metric(folder, arm, metric.name, against)
            names = (arm.name, against.name, metric.name)
            said = _tested(comparison) if is_primary else (None,) * 6
            role = "primary" if is_primary else "secondary"
            rows.append((*names, role, *numbers_of(paired), *said, arm.at))
    for shift in found:
        names = (shift.before.arm.variant, shift.before.against.variant, folder.plan.metric)
        between = " less ".join(reversed(shift.values))
        rows.append((*names, "change", *numbers_of(shift.paired), *_tested(shift), between))
    header = (
        "arm", "baseline", "metric", "role", "seeds", "mean_difference", "sd", "interval_low", "interval_high",
        "seeds_higher", "seeds_lower", "sign_flip_p", "p_is_exact", "joint_p", "level", "verdict", "reason", "at",
    )  # fmt: skip
    return csv_of(header, rows)


def _tested(found: Comparison | Shift) -> tuple[object, ...]:
    """What was tested, as the last cells of a row."""
    of, joint = found.paired, found.joint
    p = of.sign_flip if of and not of.is_nothing else None
    return (
        p.p if p else None, p.exact if p else None, joint.p if joint else None, joint.level if joint else None,
        found.verdict.word, found.verdict.reason,
    )  # fmt: skip


TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    MINUS: "$-$",
    NOTHING: "--",
    THIN: r"\,",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def _tex(words: str) -> str:
    return "".join(TEX.get(c, c) for c in words)


def table_tex(folder: Folder, comparisons: Sequence[Comparison]) -> str:
    """The table of arms for a paper; it needs the package booktabs."""
    metric = folder.plan.primary
    named = with_unit(metric.name, metric.unit) if metric else "metric"
    by_arm = {c.arm.name: c for c in comparisons if c.against.is_baseline}
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{tabular}{lrrrrlr}",
        "\\toprule",
        f"arm & {_tex(named)} & difference & 95\\,\\% interval & joint $p$ & verdict & parameters \\\\",
        "\\midrule",
    ]
    for arm in folder.plan.arms:
        shown = figure(folder, arm, metric) if metric else Figure(NOTHING, "", "", "")
        comparison = by_arm.get(arm.name)
        cells = [
            arm.name,
            f"{shown.mean} ± {shown.sd}" if shown.sd else shown.mean,
            shown.difference,
            shown.interval,
            probability(comparison.joint.p if comparison and comparison.joint else None)
            if comparison
            else "",
            comparison.verdict.word if comparison else "baseline" if arm.is_baseline else "",
            large(mean_cost(folder, arm, "parameters")),
        ]
        lines.append(f"{' & '.join(map(_tex, cells))} \\\\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


@frozen
class Used:
    """A component of some arms: its kind with its qualified name, whose it is, and the arms."""

    component: str
    owner: str
    source: str
    arms: str


def provenance(plan: Plan) -> list[Used]:
    """Every component with its owner and the hash of its source, and the arms that use it."""
    users: dict[tuple[str, str, str], list[str]] = {}
    for arm in plan.arms:
        for name, of in arm.components.items():
            key = (name, f"{of.distribution} {of.version}", of.source)
            users.setdefault(key, []).append(arm.name)
    everywhere = len(plan.arms)
    return [
        Used(*key, "all" if len(arms) == everywhere else ", ".join(arms))
        for key, arms in sorted(users.items())
    ]
