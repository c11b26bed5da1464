"""What the metrics of single sounds say class by class: where arms may differ, for whoever goes on to ask."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from attrs import frozen

from flowvae.folder.records import PlannedArm, PlannedMetric
from flowvae.report.comparison import pair_shared
from flowvae.report.reading import Folder, Run
from flowvae.report.tables import Figure, csv_of, figure_of, metrics_of, numbers_of
from flowvae.statistics.paired import Paired

FEWEST = 3
"""Held-out sounds from which the median of a class is more than one of them."""
MOST_CLASSES = 20
"""On the page; the file has all."""


@frozen
class ClassRow:
    """One class on one metric: how many sounds, and a figure for each arm."""

    name: str
    """What the sounds are; "" where nothing says it."""
    sounds: int
    cells: tuple[Figure, ...]


@frozen
class ByClass:
    """A metric that has a figure for every sound, class by class."""

    metric: PlannedMetric
    rows: tuple[ClassRow, ...]


def by_class(folder: Folder) -> list[ByClass]:
    """A table for each metric of single sounds, the primary one first; none where no sound has a class."""
    shown = _shown(folder)
    if not any(shown):
        return []
    return [
        ByClass(metric, tuple(_row(folder, metric, name, sounds) for name, sounds in shown.items()))
        for metric in _per_sound(folder)
    ]


def left_out(folder: Folder) -> str:
    """The classes that the page leaves out, and why."""
    sounds, shown = _sounds(folder), _shown(folder)
    few = [f"{name or 'no known class'} ({n})" for name, n in sounds.items() if n < FEWEST]
    more = len(sounds) - len(shown) - len(few)
    said = [f"{', '.join(few)}, with fewer than {FEWEST} held-out sounds"] if few else []
    return "; ".join([*said, f"{more} classes for which there is no room"] if more else said)


def by_class_csv(folder: Folder) -> str:
    """One row for each metric of single sounds, each class however small, and each arm."""
    baseline = folder.plan.baseline
    header = (
        "metric", "direction", "unit", "class", "sounds", "arm", "baseline", "seeds", "median",
        "paired_seeds", "mean_difference", "sd", "interval_low", "interval_high", "seeds_higher", "seeds_lower",
    )  # fmt: skip
    rows = []
    for metric in _per_sound(folder):
        for name, sounds in _sounds(folder).items():
            for arm in folder.plan.arms:
                medians = _by_seed(folder, arm, metric, name)
                told = (metric.name, metric.direction, metric.unit, name, sounds, arm.name)
                against = baseline.name if baseline and not arm.is_baseline else ""
                mean = float(np.mean(list(medians.values()))) if medians else None
                paired = _paired(folder, arm, metric, name)
                rows.append((*told, against, len(medians), mean, *numbers_of(paired)))
    return csv_of(header, rows)


def _row(folder: Folder, metric: PlannedMetric, name: str, sounds: int) -> ClassRow:
    cells = (
        figure_of(_by_seed(folder, arm, metric, name).values(), _paired(folder, arm, metric, name))
        for arm in folder.plan.arms
    )
    return ClassRow(name, sounds, tuple(cells))


def _paired(folder: Folder, arm: PlannedArm, metric: PlannedMetric, name: str) -> Paired | None:
    """The unit is the seed: the sounds of a class make its median steadier, and never count as more runs."""
    baseline = folder.plan.baseline
    if baseline is None or arm.is_baseline:
        return None
    return pair_shared(_by_seed(folder, baseline, metric, name), _by_seed(folder, arm, metric, name))


def _by_seed(folder: Folder, arm: PlannedArm, metric: PlannedMetric, name: str) -> dict[int, float]:
    """The median over the sounds of a class, by seed."""
    found = ((run.seed, _median(run, metric.name, name)) for run in folder.of(arm.name))
    return {seed: value for seed, value in found if value is not None}


def _median(run: Run, metric: str, name: str) -> float | None:
    values, classes = run.per_sound(metric), run.result.classes if run.result else ()
    if len(values) != len(classes):
        return None
    own = [value for value, kind in zip(values, classes, strict=True) if kind == name]
    known = [value for value in own if value is not None]
    # A figure that is missing for some sounds would compare different sounds: then there is none.
    return float(np.median(known)) if known and len(known) == len(own) else None


def _per_sound(folder: Folder) -> list[PlannedMetric]:
    """The metrics that have a figure for each sound, the primary one first."""
    primary = folder.plan.primary
    found = [m for m in metrics_of(folder) if any(run.per_sound(m.name) for run in folder.runs)]
    return sorted(found, key=lambda metric: metric != primary)


def _sounds(folder: Folder) -> Mapping[str, int]:
    """How many held-out sounds each class has; the largest first, what has no class last."""
    most: Counter[str] = Counter()
    for run in folder.runs:
        most |= Counter(run.result.classes if run.result else ())
    return dict(sorted(most.items(), key=lambda item: (not item[0], -item[1], item[0])))


def _shown(folder: Folder) -> Mapping[str, int]:
    enough = [item for item in _sounds(folder).items() if item[1] >= FEWEST]
    return dict(enough[:MOST_CLASSES])
