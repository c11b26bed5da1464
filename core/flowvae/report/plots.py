"""The figures of the page as SVG in data addresses; the same arm has the same look in each."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowvae.folder.plan_records import PlannedMetric
from flowvae.report.arm_styles import ArmStyle
from flowvae.report.artefacts import of_targets
from flowvae.report.comparison import Comparison, mean_cost, values_by_seed
from flowvae.report.figure_style import INK, Picture, panels, picture, short
from flowvae.report.focus import MOST_TOLD_APART
from flowvae.report.number_format import beside_each_other_in_letters
from flowvae.report.reading import Folder
from flowvae.statistics.paired import t_interval

LOW_ROW_IN = 0.22  # letters of 9 points have room, and no more
IN_LETTERS = {"macs_per_second"}  # too large to be read as digits


def _axis_words(metric: PlannedMetric) -> str:
    good = {"lower": "lower is better", "higher": "higher is better"}.get(metric.direction, "")
    return ", ".join(part for part in (metric.unit, good) if part)


def _rows_of_arms(axis: Any, names: Sequence[str]) -> None:
    axis.set_yticks(range(len(names)), [short(name) for name in names], color=INK)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.spines["left"].set_visible(False)


def _row_in(names: Sequence[str], few: float) -> float:
    """The height of a row: less where there are so many that a figure would not fit into a window."""
    return few if len(names) <= MOST_TOLD_APART else LOW_ROW_IN


def _alike(styles: Mapping[str, ArmStyle], names: Sequence[str]) -> dict[ArmStyle, list[tuple[int, str]]]:
    """The arms of each style with their rows, drawn at once: of sixty arms most are grey, and each drawing has its price."""
    found: dict[ArmStyle, list[tuple[int, str]]] = {}
    for y, name in enumerate(names):
        found.setdefault(styles[name], []).append((y, name))
    return found


def pairs(folder: Folder, comparisons: Sequence[Comparison], styles: dict[str, ArmStyle]) -> Picture | None:
    """Left the figure of each run, joined by seed; right the differences with their intervals."""
    metric, baseline = folder.plan.primary, folder.plan.baseline
    values = {
        arm.name: values_by_seed(folder.of(arm.name), metric.name) for arm in folder.plan.arms if metric
    }
    if metric is None or baseline is None or not any(values.values()):
        return None
    names = list(values)
    with panels(2 if comparisons else 1, 1.3 + _row_in(names, 0.45) * len(names)) as (
        figure,
        (left, *others),
    ):
        _rows_of_arms(left, names)
        # What belongs to one value of what an ablation is run across is one comparison.
        at = {arm.name: arm.at for arm in folder.plan.arms}
        for seed, value in itertools.product(folder.plan.seeds, dict.fromkeys(at.values())):
            here = [(y, name) for y, name in enumerate(names) if at[name] == value]
            points = [(values[name][seed], y) for y, name in here if seed in values[name]]
            left.plot(
                *zip(*points, strict=True), color="#c6c4bd", linewidth=1.0, zorder=1
            ) if points else None
        for style, rows in _alike(styles, names).items():
            points = [(value, y) for y, name in rows for value in values[name].values()]
            left.scatter(
                *_columns(points), s=46, color=style.colour, marker=style.marker,
                edgecolors="white", linewidths=0.8, zorder=3,
            )  # fmt: skip
        means = [
            (float(np.mean([*values[name].values()])), y) for y, name in enumerate(names) if values[name]
        ]
        x, y = _columns(means)
        left.vlines(x, y - 0.28, y + 0.28, color=INK, linewidth=1.6, zorder=2)
        left.set_title("each run, joined by seed" if len(names) > 1 else "each run")
        left.set_xlabel(", ".join(filter(None, (short(metric.name), _axis_words(metric)))))
        for right in others:
            _differences(right, comparisons, names, styles)
            whom = "the baseline" if folder.plan.across else short(baseline.name, 15)
            right.set_title(f"difference from {whom}, 95 % interval")  # no wider than its panel
            right.set_xlabel(", ".join(filter(None, (short(metric.name), metric.unit))))
        beside = f", and differences from {'the baseline at the same value' if folder.plan.across else baseline.name}"
        beside = beside if others else ""
        return picture(figure, f"{metric.name} of each run{beside}; numbers in the table")


def _columns(rows: Sequence[tuple[float, ...]], n: int = 2) -> NDArray[np.float64]:
    """Each column of some rows, also of none."""
    return np.array(rows, dtype=np.float64).reshape(-1, n).T


def _differences(
    axis: Any, comparisons: Sequence[Comparison], names: Sequence[str], styles: dict[str, ArmStyle]
) -> None:
    _rows_of_arms(axis, names)
    axis.tick_params(labelleft=False)
    axis.axvline(0, color=INK, linewidth=1.0)
    known = {c.arm.name: c.paired for c in comparisons if c.against.is_baseline and c.paired}
    for style, rows in _alike(styles, names).items():
        found = [(y, known[name]) for y, name in rows if name in known]
        seeds = [(value, y + 0.2) for y, paired in found for value in paired.differences]
        axis.scatter(*_columns(seeds), s=14, color=style.colour, alpha=0.45, linewidths=0)
        ends = [(y, *paired.interval) for y, paired in found if paired.interval]
        y, low, high = _columns(ends, 3)
        axis.hlines(y, low, high, color=style.colour, linewidth=3.0, capstyle="round")
        axis.scatter(
            *_columns([(paired.mean, y) for y, paired in found]), s=56, color=style.colour,
            marker=style.marker, edgecolors="white", zorder=3,
        )  # fmt: skip
    low, high = axis.get_xlim()
    reach = max(abs(low), abs(high))
    axis.set_xlim(-reach, reach)


def cost_against_quality(folder: Folder, styles: dict[str, ArmStyle]) -> Picture | None:
    """The mean of the primary metric with its interval over seeds, against two costs."""
    metric = folder.plan.primary
    costs = (
        ("macs_per_second", "multiply-adds for a second of audio"),
        ("seconds_per_step", "seconds for a step"),
    )
    if metric is None or len(folder.plan.arms) < 2:
        return None
    known = [
        c for c in costs if sum(mean_cost(folder, arm, c[0]) is not None for arm in folder.plan.arms) > 1
    ]
    if not known:
        return None
    from flowvae.report.axis_numbers import AxisNumbers  # noqa: PLC0415  # imports matplotlib

    with panels(len(known), 2.7) as (figure, axes):
        for axis, (cost, words) in zip(axes, known, strict=True):
            for style, rows in _alike(styles, [arm.name for arm in folder.plan.arms]).items():
                found = [
                    (x, [*values_by_seed(folder.of(name), metric.name).values()])
                    for y, name in rows
                    if (x := mean_cost(folder, folder.plan.arms[y], cost)) is not None
                ]
                ends = [(x, *interval) for x, values in found if values and (interval := t_interval(values))]
                x, low, high = _columns(ends, 3)
                axis.vlines(x, low, high, color=style.colour, linewidth=2.0, alpha=0.6, capstyle="round")
                axis.scatter(
                    *_columns([(x, float(np.mean(values))) for x, values in found if values]), s=80,
                    color=style.colour, marker=style.marker, edgecolors="white", zorder=3,
                )  # fmt: skip
            axis.margins(0.25)
            if cost in IN_LETTERS:
                axis.xaxis.set_major_formatter(AxisNumbers(beside_each_other_in_letters))
            axis.set_xlabel(words)
            axis.set_title(short(metric.name))
        axes[0].set_ylabel(_axis_words(metric))
        return picture(figure, f"{metric.name} against cost; numbers in the tables")


def before_and_after(
    folder: Folder, styles: dict[str, ArmStyle], metrics: Sequence[PlannedMetric]
) -> Picture | None:
    """For each metric the runs before training (hollow) and after it (filled); a line is what the targets have themselves."""
    metrics = [m for m in metrics if any(run.value(m.name) is not None for run in folder.runs)][:3]
    if not metrics:
        return None
    names = [arm.name for arm in folder.plan.arms]
    with panels(len(metrics), 1.3 + _row_in(names, 0.4) * len(names)) as (figure, axes):
        for i, (axis, metric) in enumerate(zip(axes, metrics, strict=True)):
            _rows_of_arms(axis, names)
            for style, rows in _alike(styles, names).items():
                runs = [(y, run) for y, name in rows for run in folder.of(name) if run.result]
                before = [
                    (value, y - 0.13)
                    for y, run in runs
                    if run.result and (value := run.result.untrained.get(metric.name)) is not None
                ]
                after = [
                    (value, y + 0.13)
                    for y, name in rows
                    for value in values_by_seed(folder.of(name), metric.name).values()
                ]
                own = [
                    (value, y - 0.32, y + 0.32)
                    for y, name in rows
                    for value in dict.fromkeys(of_targets(folder.of(name), metric.name).values())
                ]
                axis.vlines(*_columns(own, 3), color=INK, linewidth=1.4)
                axis.scatter(
                    *_columns(before), s=34, facecolors="none", edgecolors=style.colour, marker=style.marker
                )
                axis.scatter(
                    *_columns(after), s=40, color=style.colour, marker=style.marker, edgecolors="white",
                    linewidths=0.6,
                )  # fmt: skip
            if i:
                axis.tick_params(labelleft=False)
            axis.set_title(short(metric.name))
            axis.set_xlabel(_axis_words(metric))
        return picture(figure, f"Before and after training: {', '.join(m.name for m in metrics)}")
