"""What the layers of each arm leave in a sound, beside what they left before training and what the sounds have themselves."""

from collections.abc import Iterable

from attrs import frozen

from flowvae.folder.plan_records import PlannedMetric
from flowvae.report.comparison import values_by_seed
from flowvae.report.number_format import NOTHING
from flowvae.report.reading import Folder, Run
from flowvae.report.tables import figure_of

COLUMNS = ("trained", "untrained", "the targets themselves", "trained less targets")


@frozen
class Traces:
    """A metric of artefacts: for each arm the columns, each a mean over seeds with its spread."""

    metric: PlannedMetric
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def traces(folder: Folder) -> list[Traces]:
    """Of every metric that has figures; runs that were made before targets were measured have none of these."""
    found = []
    for metric in folder.metrics:
        if metric.family == "artefact" and any(run.value(metric.name) is not None for run in folder.runs):
            rows = ((arm.name, _cells(folder.of(arm.name), metric.name)) for arm in folder.plan.arms)
            found.append(Traces(metric, tuple(rows)))
    return found


def of_targets(runs: Iterable[Run], metric: str) -> dict[int, float]:
    """What the held-out sounds themselves have on a metric, by seed: its periods are those of the run's own layers."""
    found = {run.seed: run.result.targets.get(metric) for run in runs if run.result}
    return {seed: value for seed, value in found.items() if value is not None}


def _cells(runs: tuple[Run, ...], metric: str) -> tuple[str, ...]:
    trained, targets = values_by_seed(runs, metric), of_targets(runs, metric)
    before = (run.result.untrained.get(metric) for run in runs if run.result)
    above = [value - targets[seed] for seed, value in trained.items() if seed in targets]
    untrained = [value for value in before if value is not None]
    return tuple(map(_words, (trained.values(), untrained, targets.values(), above)))


def _words(values: Iterable[float]) -> str:
    shown = figure_of(values, None)
    return f"{shown.mean} ± {shown.sd}" if shown.sd else shown.mean or NOTHING
