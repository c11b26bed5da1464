"""Which arms a figure tells apart: six colours do not make sixty lines."""

import numpy as np

from flowvae.report.arm_styles import COLOURS
from flowvae.report.comparison import values_by_seed
from flowvae.report.reading import Folder

MOST_TOLD_APART = 12
"""Six colours with two dashes each."""


def told_apart(folder: Folder) -> tuple[str, ...]:
    """All arms of up to a dozen; of more the baseline and, as far as there are colours, those of the best primary metric.

    They stand in the order of the plan.
    """
    plan, metric = folder.plan, folder.plan.primary
    names = [arm.name for arm in plan.arms]
    if len(names) <= MOST_TOLD_APART:
        return tuple(names)
    first = [plan.baseline.name] if plan.baseline else []
    rest = [name for name in names if name not in first]
    if metric is not None and metric.direction != "none":
        figures = {name: [*values_by_seed(folder.of(name), metric.name).values()] for name in rest}
        sign = 1.0 if metric.direction == "lower" else -1.0
        rest.sort(key=lambda name: sign * float(np.mean(figures[name])) if figures[name] else np.inf)
    chosen = {*first, *rest[: len(COLOURS) - len(first)]}
    return tuple(name for name in names if name in chosen)
