"""The panel of artefacts: the targets' own beside what the models leave, trained and not, and what they make of silence."""

import csv
import json

import numpy as np
import pytest
from attrs import evolve

from flowvae.folder.plan_records import PlannedMetric
from flowvae.folder.run_records import MeasuredFigure, Result
from flowvae.report.arm_styles import arm_styles
from flowvae.report.plots import before_and_after
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import BASE, METRICS, WORSE
from shown_numbers import shown_tables

TONES = next(metric for metric in METRICS if metric.family == "artefact")
HUM = PlannedMetric("hum", "lower", "dBFS", "artefact", -120.0, None, "What <hums> where nothing was played.")
"""No component has this name: the panel goes by the family."""


def with_targets(folder):
    """Gives each run what a run measures today; the figures by arm and state, seed by seed."""
    told = {}
    for place in sorted(folder.glob("runs/*/*/result.json")):
        result, arm = Result.read(place.parent), place.parent.parent.name
        hum = -60.0 + 3 * result.seed + (arm == "leaky_relu")
        evolve(
            result,
            metrics={**result.metrics, "hum": MeasuredFigure(hum, None)},
            untrained={**result.untrained, "hum": hum + 20},
            targets={TONES.name: 1.5 + (arm == "leaky_relu")},
        ).write(place.parent)
        trained = result.metrics[TONES.name].value
        told.setdefault(arm, []).append((trained, trained - 1.5 - (arm == "leaky_relu"), hum))
    return {arm: np.array(rows) for arm, rows in told.items()}


def panel(folder):
    """The rows of the panel's table: the head of each metric, and an arm's cells."""
    page = write_report(folder).read_text(encoding="utf-8")
    [table] = shown_tables(page)["artefacts"]
    return page, table.header, [[cell.main for cell in row] for row in table.rows]


def shown(values):
    mean, sd = np.mean(values), np.std(values, ddof=1)
    return f"{mean:.2f}".replace("-", "\N{MINUS SIGN}"), f"{sd:.2f}"


@pytest.fixture
def written(runs):
    folder = runs([BASE, WORSE], metrics=(*METRICS, HUM))
    return folder, with_targets(folder)


def test_the_panel_shows_the_targets_own_and_how_far_above_it_each_arm_lies(written):
    folder, told = written
    _, header, rows = panel(folder)
    assert header[1:] == ["trained", "untrained", "the targets themselves", "trained less targets"]
    assert rows[0][0].startswith("tonal_artefact, dB")
    for row, arm, own in zip(rows[1:3], ("snake", "leaky_relu"), ("1.50", "2.50"), strict=True):
        assert row[0] == arm
        mean, sd = shown(told[arm][:, 0])
        assert row[1].startswith(f"{mean} ± {sd[:3]}")
        assert row[2].startswith("12.0")
        assert row[3].startswith(own)
        assert row[4].startswith(f"{shown(told[arm][:, 1])[0]} ± {sd[:3]}")


def test_what_is_made_of_silence_stands_beside_it_with_its_own_words(written):
    folder, told = written
    page, _, rows = panel(folder)
    assert rows[3] == ["hum, dBFS"]
    assert "What &lt;hums&gt; where nothing was played." in page
    assert rows[4][0] == "snake"
    mean = f"{told['snake'][:, 2].mean():.1f}".replace("-", "\N{MINUS SIGN}")
    assert rows[4][1].startswith(mean)
    assert rows[4][3:] == ["\N{EN DASH}"] * 2


def test_runs_from_before_have_a_panel_without_the_targets(runs):
    folder = runs([BASE, WORSE])
    for place in folder.glob("runs/*/*/result.json"):
        result = json.loads(place.read_text())
        del result["targets"]
        place.write_text(json.dumps(result))
    plan = json.loads((folder / "plan.json").read_text())
    for metric in plan["metrics"]:
        del metric["summary"]
    (folder / "plan.json").write_text(json.dumps(plan))
    _, _, rows = panel(folder)
    assert [row[0] for row in rows] == ["tonal_artefact, dB", "snake", "leaky_relu"]
    assert all(row[3:] == ["\N{EN DASH}"] * 2 for row in rows[1:])
    assert rows[1][2].startswith("12.0")


def test_the_picture_has_a_line_at_what_the_targets_have(written):
    folder, _ = written
    found = read_folder(folder)
    styles = arm_styles([arm.name for arm in found.plan.arms])
    without = evolve(
        found, runs=tuple(evolve(run, result=evolve(run.result, targets={})) for run in found.runs)
    )
    pictures = [before_and_after(one, styles, [TONES]) for one in (found, without)]
    assert pictures[0].address != pictures[1].address


def test_the_files_for_other_programs_have_the_targets_too(written):
    folder, _ = written
    write_report(folder)
    arms = json.loads((folder / "comparisons.json").read_text())["arms"]
    assert arms[1]["figures"][TONES.name]["targets"] == {str(seed): 2.5 for seed in range(6)}
    assert arms[1]["figures"]["hum"]["targets"] == {str(seed): None for seed in range(6)}
    rows = list(csv.DictReader((folder / "results.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["targets"] for row in rows if row["metric"] == TONES.name} == {"1.5", "2.5"}
    assert {row["targets"] for row in rows if row["metric"] != TONES.name} == {""}
