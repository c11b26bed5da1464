"""The difference over the steps: a verdict belongs to a budget, and where the difference still moves, to that budget alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen

from flowvae.folder.journal import CURVE
from flowvae.folder.plan_records import PlannedArm, PlannedMetric
from flowvae.report.answers import Finding
from flowvae.report.arm_styles import ArmStyle
from flowvae.report.comparison import Comparison, pair_shared
from flowvae.report.figure_style import INK, Picture, panels, picture, short
from flowvae.report.number_format import signed, span, whole, with_unit
from flowvae.report.reading import Folder
from flowvae.statistics.paired import Paired, t_interval

FEWEST_SEEDS = 3
"""Below, the interval of a change is wider than any change."""


@frozen
class OverSteps:
    """The paired differences of one arm from the baseline at each validation that both have, the untrained models' left out."""

    arm: PlannedArm
    steps: tuple[int, ...]
    paired: tuple[Paired, ...]

    @property
    def change(self) -> tuple[int, tuple[float, float]] | None:
        """How the difference has moved since about half of the steps, seed by seed: since which step, and the interval."""
        earlier = [i for i, step in enumerate(self.steps) if 2 * step <= self.steps[-1]] if self.steps else []
        if not earlier:
            return None
        then, now = (_by_seed(self.paired[i]) for i in (earlier[-1], -1))
        changes = [now[seed] - then[seed] for seed in now.keys() & then.keys()]
        interval = t_interval(changes) if len(changes) >= FEWEST_SEEDS else None
        return (self.steps[earlier[-1]], interval) if interval else None


def over_steps(folder: Folder, comparisons: Sequence[Comparison], metric: PlannedMetric) -> list[OverSteps]:
    """For each arm that is compared with the baseline."""
    found = []
    for comparison in comparisons:
        if not comparison.against.is_baseline:
            continue
        theirs, ours = (_at_steps(folder, arm, metric) for arm in (comparison.against, comparison.arm))
        pairs = {step: pair_shared(theirs[step], ours[step]) for step in sorted(theirs.keys() & ours.keys())}
        known = {step: paired for step, paired in pairs.items() if paired and step > 0}
        found.append(OverSteps(comparison.arm, tuple(known), tuple(known.values())))
    return found


def still_moving(folder: Folder, comparisons: Sequence[Comparison]) -> list[Finding]:
    """A sentence for each arm whose difference was still growing or shrinking when the training ended."""
    metric = folder.plan.primary
    if metric is None:
        return []
    return [
        Finding("caution", said)
        for moving in over_steps(folder, comparisons, metric)
        if (said := _moving(moving, metric, some=folder.over_steps(metric.name)[0] == CURVE))
    ]


def _moving(moving: OverSteps, metric: PlannedMetric, *, some: bool) -> str:
    if moving.change is None or moving.change[1][0] <= 0 <= moving.change[1][1]:
        return ""
    since, interval = moving.change
    then, now = moving.paired[moving.steps.index(since)].mean, moving.paired[-1].mean
    how = "changing sides" if then * now < 0 else "shrinking" if abs(now) < abs(then) else "growing"
    before, after = (with_unit(signed(value), metric.unit) for value in (then, now))
    last = whole(moving.steps[-1])
    return (
        f"The difference of {moving.arm.name} was {before} at {whole(since)} steps and {after} at {last}: it was still {how} "
        f"(95 % interval of that change {span(interval)}{', on some of the held-out sounds' if some else ''}). What is said of it holds for {last} steps."
    )


def budget_picture(
    folder: Folder, comparisons: Sequence[Comparison], styles: Mapping[str, ArmStyle]
) -> Picture | None:
    """The difference of each arm from the baseline over the steps, with its interval as a band."""
    metric = folder.plan.primary
    found = over_steps(folder, comparisons, metric) if metric else []
    found = [moving for moving in found if len(moving.steps) > 1]
    if metric is None or not found:
        return None
    with panels(1, 2.7) as (figure, [axis]):
        axis.axhline(0, color=INK, linewidth=1.0)
        for moving in found:
            _draw(axis, moving, styles[moving.arm.name])
        baseline = folder.plan.baseline
        whom = short(baseline.name, 20) if baseline and not folder.plan.across else "the baseline"
        axis.set_title(f"difference from {whom}, 95 % interval")
        axis.set_xlabel("step")
        axis.set_ylabel(", ".join(filter(None, (short(metric.name), metric.unit))))
        axis.xaxis.get_major_locator().set_params(integer=True)
        return picture(
            figure, f"The paired difference of {metric.name} at each validation, with its interval"
        )


def _draw(axis: Any, moving: OverSteps, style: ArmStyle) -> None:
    means = [paired.mean for paired in moving.paired]
    if not style.in_focus:
        axis.plot(moving.steps, means, color=style.colour, linewidth=0.8, zorder=2)
        return
    axis.plot(
        moving.steps,
        means,
        color=style.colour,
        linewidth=2.2,
        linestyle=style.dash,
        marker=style.marker,
        markersize=4,
    )
    ends = np.array([paired.interval or (paired.mean, paired.mean) for paired in moving.paired])
    axis.fill_between(moving.steps, ends[:, 0], ends[:, 1], color=style.colour, alpha=0.15, linewidth=0)


def _at_steps(folder: Folder, arm: PlannedArm, metric: PlannedMetric) -> dict[int, dict[int, float]]:
    """Step to seed to figure."""
    found: dict[int, dict[int, float]] = {}
    phase, key = folder.over_steps(metric.name)
    for run in folder.of(arm.name):
        for step, value in run.curve(phase, key):
            found.setdefault(int(step), {})[run.seed] = value
    return found


def _by_seed(paired: Paired) -> dict[int, float]:
    return dict(zip(paired.seeds, paired.differences, strict=True))
