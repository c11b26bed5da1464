"""What the metrics of single sounds say class by class: where arms may differ, for whoever goes on to ask."""

from collections import Counter
from collections.abc import Mapping
from statistics import median

import numpy as np
from attrs import frozen

from flowvae.folder.plan_records import PlannedArm, PlannedMetric
from flowvae.report.comparison import pair_shared
from flowvae.report.reading import Folder
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


@frozen
class Medians:
    """The median over the sounds of each class, by arm, metric and class, and then by seed."""

    metrics: tuple[PlannedMetric, ...]
    """Those of single sounds, the primary one first."""
    sounds: Mapping[str, int]
    """How many each class has."""
    figures: Mapping[tuple[str, str, str], Mapping[int, float]]

    def by_seed(self, arm: PlannedArm, metric: PlannedMetric, name: str) -> Mapping[int, float]:
        """Of one arm."""
        return self.figures.get((arm.name, metric.name, name), {})

    def paired(
        self, against: PlannedArm | None, arm: PlannedArm, metric: PlannedMetric, name: str
    ) -> Paired | None:
        """The unit is the seed: the sounds of a class make its median steadier, and never count as more runs."""
        if against is None or arm == against:
            return None
        return pair_shared(self.by_seed(against, metric, name), self.by_seed(arm, metric, name))


def by_class(folder: Folder) -> list[ByClass]:
    """A table for each metric of single sounds, the primary one first; none where no sound has a class."""
    shown = _shown(folder)
    if not any(shown):
        return []
    found = medians(folder)
    return [
        ByClass(metric, tuple(_row(folder, found, metric, name, n) for name, n in shown.items()))
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
    header = (
        "metric", "direction", "unit", "class", "sounds", "arm", "baseline", "seeds", "median",
        "paired_seeds", "mean_difference", "sd", "interval_low", "interval_high", "seeds_higher", "seeds_lower",
    )  # fmt: skip
    rows, found = [], medians(folder)
    for metric in _per_sound(folder):
        for name, sounds in _sounds(folder).items():
            for arm in folder.plan.arms:
                by_seed, baseline = found.by_seed(arm, metric, name), folder.plan.baseline_of(arm)
                told = (metric.name, metric.direction, metric.unit, name, sounds, arm.name)
                against = baseline.name if baseline and not arm.is_baseline else ""
                mean = float(np.mean(list(by_seed.values()))) if by_seed else None
                paired = found.paired(baseline, arm, metric, name)
                rows.append((*told, against, len(by_seed), mean, *numbers_of(paired)))
    return csv_of(header, rows)


def _row(folder: Folder, found: Medians, metric: PlannedMetric, name: str, sounds: int) -> ClassRow:
    cells = (
        figure_of(
            found.by_seed(arm, metric, name).values(),
            found.paired(folder.plan.baseline_of(arm), arm, metric, name),
        )
        for arm in folder.plan.arms
    )
    return ClassRow(name, sounds, tuple(cells))


def medians(folder: Folder) -> Medians:
    """Of every run that has figures of single sounds."""
    figures: dict[tuple[str, str, str], dict[int, float]] = {}
    places: dict[tuple[str, ...], dict[str, list[int]]] = {}  # the runs of a folder hear the same sounds
    metrics = _per_sound(folder)
    for run in folder.runs:
        classes = run.result.classes if run.result else ()
        if classes not in places:
            places[classes] = {
                kind: [i for i, one in enumerate(classes) if one == kind] for kind in set(classes)
            }
        for metric in metrics:
            values = run.per_sound(metric.name)
            if len(values) != len(classes):
                continue
            for kind, own in places[classes].items():
                known = [value for i in own if (value := values[i]) is not None]
                # A figure that is missing for some sounds would compare different sounds: then there is none.
                if len(known) == len(own):
                    figures.setdefault((run.arm, metric.name, kind), {})[run.seed] = median(known)
    return Medians(tuple(metrics), _sounds(folder), figures)


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
