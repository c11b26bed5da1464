"""What pairing is worth by what is swapped, from the records of the book: `python tests/benchmarks/pairing/swaps.py`."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median, variance
from typing import Any

RECORDS = Path(__file__).parents[3] / "docs" / "book" / "records"
SETS = ("drums", "kits")
METRICS = ("spectral_distance", "tonal_artefact", "kl_nats")


def worth(record: dict[str, Any], arm: str, metric: str) -> float:
    """Formula: (var a + var b) / var (a - b) over the seeds, with a the arm and b the baseline: 1 where they are strangers."""
    one, other = (record["arms"][name]["figures"][metric] for name in (arm, record["baseline"]["name"]))
    seeds = [seed for seed in one if one[seed] is not None and other.get(seed) is not None]
    a, b = ([side[seed] for seed in seeds] for side in (one, other))
    return float((variance(a) + variance(b)) / variance(x - y for x, y in zip(a, b, strict=True)))


def table() -> Iterator[str]:
    """A row for each alternative of each question, and the median of all."""
    heads = [f"{metric}: {', '.join(SETS)}" for metric in METRICS]
    yield f"| question | arm | {' | '.join(heads)} |"
    yield "| --- |" + " --- |" * (1 + len(METRICS))
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for question in sorted({path.name.split(".")[0] for path in RECORDS.glob("*.json")}):
        sides = [json.loads((RECORDS / f"{question}.{name}.json").read_text()) for name in SETS]
        for arm in sides[0]["arms"]:
            if arm == sides[0]["baseline"]["name"]:
                continue
            cells = {metric: [worth(side, arm, metric) for side in sides] for metric in METRICS}
            for metric, values in cells.items():
                found[metric] += values
            row = (", ".join(f"{value:.1f}" for value in values) for values in cells.values())
            yield f"| {question} | {arm} | {' | '.join(row)} |"
    yield f"| | median of all | {' | '.join(f'{median(values):.1f}' for values in found.values())} |"


if __name__ == "__main__":
    print("\n".join(table()))
