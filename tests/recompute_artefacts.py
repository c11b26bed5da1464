"""The table of artefacts a second time, from result.json: for `recompute`."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from second_statistics import By, spread
from shown_numbers import Check, Table


class Known(Protocol):
    """What is asked of a folder."""

    plan: Mapping[str, Any]
    arms: list[str]
    results: dict[str, dict[int, Any]]

    def values(self, arm: str, metric: str) -> By:
        """The figure of each seed."""


def check_artefacts(check: Check, folder: Known, tables: Sequence[Table]) -> None:
    """For each metric, and each arm: trained, untrained, the targets themselves, and trained less targets."""
    metrics = [one["name"] for one in folder.plan["metrics"] if one["family"] == "artefact"]
    for table in tables:
        metric = ""
        arms = iter(folder.arms)
        for row in table.rows:
            if len(row) == 1:
                metric, arms = row[0].main.partition(",")[0], iter(folder.arms)
                check.same("artefacts", metric in metrics, mine=True)
                continue
            arm = next(arms)
            check.same(f"artefacts.{metric}", row[0].main, arm)
            for cell, values in zip(row[1:], columns(folder, arm, metric), strict=True):
                mean, _, sd = cell.main.partition(" ± ")
                check.shown(f"artefacts.{arm}.{metric}", mean, spread(values)[0])
                check.shown(f"artefacts.{arm}.{metric}.sd", sd, spread(values)[1])


def columns(folder: Known, arm: str, metric: str) -> tuple[By, By, By, By]:
    """By seed."""
    trained = folder.values(arm, metric)
    untrained, targets = (
        {seed: value for seed, value in beside(folder, arm, metric, key).items() if value is not None}
        for key in ("untrained", "targets")
    )
    return trained, untrained, targets, {s: v - targets[s] for s, v in trained.items() if s in targets}


def beside(folder: Known, arm: str, metric: str, key: str) -> dict[int, float | None]:
    """What a run says of a metric beside its figure; nothing where it was made before that was measured."""
    return {seed: result.get(key, {}).get(metric) for seed, result in folder.results[arm].items()}


def check_beside(check: Check, folder: Known, arm: str, metric: str, figures: Mapping[str, Any]) -> None:
    """The same of comparisons.json."""
    for key in ("untrained", "targets"):
        mine = {str(seed): value for seed, value in beside(folder, arm, metric, key).items()}
        check.same(f"{arm}.{metric}.{key}", figures[key], mine)
