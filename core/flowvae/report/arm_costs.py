"""What each arm costs: while it trains, and when its sounds are made; what nobody measured is told as missing."""

from collections.abc import Callable, Iterable

import numpy as np
from attrs import frozen

from flowvae.folder.plan_records import PlannedArm
from flowvae.report.comparison import mean_cost
from flowvae.report.number_format import NOTHING, large, percent, plain, whole
from flowvae.report.reading import Folder, Run


@frozen
class Cost:
    """A cost: its key in the results, its words on the page, and how its numbers are written."""

    key: str
    words: str
    write: Callable[[float | None], str] = plain


DECODING = "decoding"
"""Not in the results: it follows from the real-time factor and the length of a sound."""
TRAINING = (
    Cost("discriminator_parameters", "parameters of discriminators", large),
    Cost("seconds_per_step", "seconds a step"),
    Cost("train_seconds", "the whole training, s"),
    Cost("peak_memory_mb", "peak memory, MB"),
)
USE = (
    Cost("parameters", "parameters", large),
    Cost("macs_per_second", "multiply-adds for 1 s of audio", large),
    Cost("receptive_field", "receptive field, samples", whole),
    Cost(DECODING, "to decode one sound, ms"),
    Cost("real_time_factor", "seconds of audio made in a second"),
)
RECORDED = tuple(cost for cost in (*TRAINING, *USE) if cost.key != DECODING)
"""What the records of runs hold."""
ONLY_OF_SOME = {"discriminator_parameters"}
"""Where no arm has it, it is no gap."""


@frozen
class Cell:
    """One cost of one arm: the mean over its runs, the least and the most of them, and the change from the baseline."""

    value: str
    ends: str
    change: str


@frozen
class CostTable:
    """The costs of one kind that any arm has, a cell for each of them by arm, and those that none has."""

    title: str
    names: tuple[str, ...]
    cells: dict[str, tuple[Cell, ...]]
    missing: str


def cost_tables(folder: Folder) -> tuple[CostTable, ...]:
    """Training and use; nothing of a folder that knows no cost at all."""
    tables = (_table(folder, "Cost of training", TRAINING), _table(folder, "Cost of use", USE))
    return tables if any(table.names for table in tables) else ()


def _table(folder: Folder, title: str, costs: Iterable[Cost]) -> CostTable:
    plan, arms = folder.plan, folder.plan.arms
    means = {cost: {arm.name: _mean(folder, arm, cost.key) for arm in arms} for cost in costs}
    known = [cost for cost, by_arm in means.items() if any(value is not None for value in by_arm.values())]
    unknown = [cost.words for cost in means if cost not in known and cost.key not in ONLY_OF_SOME]
    return CostTable(
        title,
        tuple(cost.words for cost in known),
        {
            arm.name: tuple(
                _cell(folder, arm, cost, means[cost], (plan.baseline_of(arm) or arm).name) for cost in known
            )
            for arm in arms
        },
        f"Not measured: {', '.join(unknown)}." if unknown else "",
    )


def _cell(folder: Folder, arm: PlannedArm, cost: Cost, means: dict[str, float | None], base: str) -> Cell:
    value, beside = means[arm.name], means[base]
    each = [found for run in folder.of(arm.name) if (found := _of_run(folder, run, cost.key)) is not None]
    ends = (cost.write(min(each)), cost.write(max(each))) if each else (NOTHING, NOTHING)
    is_beside = beside and value is not None and arm.name != base
    return Cell(
        cost.write(value),
        f"{ends[0]} to {ends[1]}" if ends[0] != ends[1] else "",
        percent(value or 0.0, beside or 1.0) if is_beside else "",
    )


def _mean(folder: Folder, arm: PlannedArm, key: str) -> float | None:
    each = [found for run in folder.of(arm.name) if (found := _of_run(folder, run, key)) is not None]
    return float(np.mean(each)) if each else mean_cost(folder, arm, key)


def _of_run(folder: Folder, run: Run, key: str) -> float | None:
    costs = run.result.costs if run.result else {}
    if key != DECODING:
        return costs.get(key)
    factor = costs.get("real_time_factor")
    return 1000 * folder.plan.data.seconds / factor if factor else None
