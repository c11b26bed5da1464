"""Sounds of one kit are copies of each other more than they are sounds: no interval becomes narrower by having more of them."""

import json

import numpy as np
import pytest
from attrs import evolve

from flowvae.folder.run_records import Result
from flowvae.report.write import write_report
from pretended_runs import BASE, WORSE

KITS = ("GMkit", "TR808")
OVER_RUNS = {"interval", "sd", "mean", "p", "differences", "values", "higher", "lower"}
"""Keys of comparisons.json for what is said of a population."""


def measured(folder, copies):
    """Each run has figures of two kits, each of so many sounds that are alike; its own figure is their mean."""
    for place in folder.glob("runs/*/*/result.json"):
        result = Result.read(place.parent)
        value = result.metrics["spectral_distance"].value
        of_kits = np.random.default_rng([result.seed, round(1000 * value)]).normal(value, 0.3, len(KITS))
        figures = np.repeat(of_kits, copies)
        figure = evolve(
            result.metrics["spectral_distance"],
            value=float(np.mean(of_kits)),
            per_sound=tuple(figures.tolist()),
        )
        evolve(
            result,
            metrics={**result.metrics, "spectral_distance": figure},
            sounds=tuple(f"{kit}/{i}" for kit in KITS for i in range(copies)),
            groups=tuple(np.repeat(KITS, copies).tolist()),
            classes=("snare",) * (len(KITS) * copies),
        ).write(place.parent)


def told(content, path=()):
    """All that comparisons.json says of a population, by where it stands."""
    if isinstance(content, dict):
        for key, one in content.items():
            if key in OVER_RUNS:
                yield (*path, key), one
            yield from told(one, (*path, key))
    elif isinstance(content, list):
        for i, one in enumerate(content):
            yield from told(one, (*path, i))


def said(runs, copies):
    folder = runs([BASE, WORSE, BASE[::-1]], names=("snake", "leaky_relu", "elu"))
    measured(folder, copies)
    write_report(folder)
    return dict(told(json.loads((folder / "comparisons.json").read_text()))), folder


def flat(one):
    return [*one.values()] if isinstance(one, dict) else one


def test_a_hundred_copies_of_each_of_two_kits_narrow_no_interval(runs):
    (few, _), (many, _) = said(runs, 3), said(runs, 100)
    assert few.keys() == many.keys()
    intervals = [path for path, one in few.items() if path[-1] == "interval" and one]
    # Of the arms, of their comparisons, and of both by class.
    assert {path[0] for path in intervals} == {"arms", "comparisons"}
    assert {"classes", "figures", "metrics", "paired"} <= {key for path in intervals for key in path}
    for path, one in few.items():
        assert flat(many[path]) == pytest.approx(flat(one), rel=1e-9, nan_ok=True), path


def test_tables_beside_the_page_count_seeds_and_say_how_many_sounds_there_were(runs):
    _, folder = said(runs, 100)
    rows = [line.split(",") for line in (folder / "by_class.csv").read_text().splitlines()]
    columns = {name: rows[0].index(name) for name in ("sounds", "seeds", "paired_seeds")}
    assert {row[columns["sounds"]] for row in rows[1:]} == {"200"}
    assert {row[columns["seeds"]] for row in rows[1:]} == {"6"}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "6 seeds, 200 held-out sounds of 2 groups" in page.replace("\N{NARROW NO-BREAK SPACE}", " ")
