"""Each side at its own best value of what an ablation is run across: chosen on some seeds, compared on the others."""

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from flowvae.report.answers import Finding
from flowvae.report.comparison import pair_shared, values_by_seed
from flowvae.report.number_format import count, signed, span, with_unit
from flowvae.report.reading import Folder
from flowvae.statistics.paired import Direction, Paired

FEWEST = 4
"""Seeds: two that choose, and two that are compared, below which there is no interval."""


@frozen
class OwnBest:
    """An alternative and the baseline, each at the value that is best for it."""

    arm: str
    against: str
    values: tuple[str, str]
    """Of the alternative and of the baseline."""
    chosen_on: tuple[int, ...]
    paired: Paired
    """The alternative less the baseline over the seeds that chose nothing."""


def own_best(folder: Folder) -> tuple[OwnBest, ...]:
    """For each alternative; none where a value is a budget, of which more is no choice, or where seeds are too few.

    Formula: of the seeds that every arm has finished, the first, third, fifth ... choose: for each side the value whose mean
        figure over them is best. The others are compared. A value that was lucky on its seeds is not lucky on others,
        so the choice makes no difference larger.
    """
    plan = folder.plan
    metric = plan.primary
    if (
        metric is None
        or metric.direction == "none"
        or not plan.across
        or len({a.steps for a in plan.arms}) > 1
    ):
        return ()
    figures: dict[str, dict[str, Mapping[int, float]]] = {}
    for arm in plan.arms:
        figures.setdefault(arm.variant, {})[arm.at] = values_by_seed(folder.of(arm.name), metric.name)
    seeds = [s for s in plan.seeds if all(s in one for own in figures.values() for one in own.values())]
    [against] = {arm.variant for arm in plan.arms if arm.is_baseline}
    if len(seeds) < FEWEST:
        return ()
    choosing, judging = tuple(seeds[::2]), seeds[1::2]
    best = {variant: best_value(own, choosing, metric.direction) for variant, own in figures.items()}
    judged = {
        variant: {seed: figures[variant][value][seed] for seed in judging} for variant, value in best.items()
    }
    found = []
    for variant in figures:
        paired = pair_shared(judged[against], judged[variant]) if variant != against else None
        if paired:
            found.append(OwnBest(variant, against, (best[variant], best[against]), choosing, paired))
    return tuple(found)


def best_value(figures: Mapping[str, Mapping[int, float]], seeds: Sequence[int], direction: Direction) -> str:
    """The value whose mean over some seeds is best; of values that are alike, the first.

    >>> best_value({"1e-3": {0: 2.0, 1: 9.0}, "3e-4": {0: 3.0, 1: 0.0}}, [0], "lower")
    '1e-3'
    """
    sign = -1 if direction == "higher" else 1
    return min(figures, key=lambda value: sign * float(np.mean([figures[value][seed] for seed in seeds])))


def own_best_findings(folder: Folder) -> list[Finding]:
    """A sentence for each alternative."""
    metric, key = folder.plan.primary, folder.plan.across_path.rpartition(".")[2]
    if metric is None:
        return []
    return [
        Finding(
            "fact",
            f"Each at its own best {key}, chosen on {count(len(one.chosen_on), 'seed')} and compared on the other "
            f"{len(one.paired.seeds)}: {one.arm} at {one.values[0]} beside {one.against} at {one.values[1]}, "
            f"{metric.name} {with_unit(signed(one.paired.mean), metric.unit)} "
            f"(95 % interval {span(one.paired.interval)}). It is no part of the family, so no verdict is drawn from it.",
        )
        for one in own_best(folder)
    ]
