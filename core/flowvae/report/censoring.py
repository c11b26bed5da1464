"""Figures that lie on a limit of their metric: what they would have been beyond it is not known."""

from collections.abc import Iterable

from flowvae.folder.plan_records import PlannedMetric
from flowvae.report.reading import Folder, Run

MOST = 0.05
"""Above this share a metric decides nothing."""


def cut_share(runs: Iterable[Run], metric: PlannedMetric) -> float | None:
    """The share of all figures, one for each sound where the metric has them, that lie on a limit; None without limits."""
    if metric.least is None and metric.most is None:
        return None
    values = [value for run in runs for value in _figures(run, metric.name) if value is not None]
    cut = sum(_lies_on(value, metric) for value in values)
    return cut / len(values) if values else None


def censored(folder: Folder, arms: Iterable[str], metric: PlannedMetric) -> str:
    """Why the metric decides nothing between these arms; nothing where at most 5 % of the figures of each are cut."""
    shares = {arm: cut_share(folder.of(arm), metric) for arm in arms}
    told = [f"{100 * share:.0f} % of {arm}" for arm, share in shares.items() if share and share > MOST]
    limits = " or ".join(f"{limit:g}" for limit in (metric.least, metric.most) if limit is not None)
    return f"of its figures, {' and '.join(told)} lie on its limit of {limits} {metric.unit}" if told else ""


def _figures(run: Run, metric: str) -> tuple[float | None, ...]:
    return run.per_sound(metric) or (run.value(metric),)


def _lies_on(value: float, metric: PlannedMetric) -> bool:
    return (metric.least is not None and value <= metric.least) or (
        metric.most is not None and value >= metric.most
    )
