"""What was measured beside the arms and never trained, as the page shows it: floors and ceilings of the figures."""

from collections.abc import Iterator
from pathlib import Path

from flowvae.folder.plan_records import PlannedMetric
from flowvae.report.number_format import plain
from flowvae.report.reading import Folder
from flowvae.report.sound_files import RECONSTRUCTION, numbered


def measured(folder: Folder, metric: PlannedMetric | None) -> dict[str, str]:
    """Each reference with its figure on a metric; no reference where the metric reads more than reconstructions."""
    if metric is None:
        return {}
    return {
        name: plain(figures[metric.name].value)
        for name, figures in folder.references.items()
        if metric.name in figures
    }


def sounds_of(folder: Folder, index: int) -> Iterator[tuple[str, Path]]:
    """The sound of each reference that has one of this number."""
    for name in folder.references:
        path = numbered(folder.place / "references" / name, RECONSTRUCTION).get(index)
        if path is not None:
            yield name, path
