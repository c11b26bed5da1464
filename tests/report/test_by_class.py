"""Claims of the figures by class: the median over a class's sounds, the seed as unit, and what is left out."""

import csv
import io
import re

import numpy as np
import pytest
from attrs import evolve
from scipy.stats import ttest_rel

from flowvae.folder.run_records import MeasuredFigure, Result
from flowvae.report.by_class import by_class, by_class_csv, left_out
from flowvae.report.number_format import plain, signed
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report

CLASSES = ("kick", "snare", "kick", "", "snare", "kick", "rim", "snare", "", "", "kick", "=x")
BASE, WORSE = [3.0, 3.2, 2.9, 3.1], [3.2, 3.4, 3.0, 3.3]


def figures_of(arm, seed):
    """Those of twelve sounds; nobody's kicks are worse but leaky_relu's."""
    values = np.random.default_rng([seed, arm == "snake"]).normal(3, 0.1, 12)
    values[np.array(CLASSES) == "kick"] += arm != "snake"
    return values


def measured(folder, figures=figures_of, classes=CLASSES):
    """Lets every run have measured these sounds, as its process would have written it."""
    for run in folder.glob("runs/*/seed-*"):
        result = Result.read(run)
        values = tuple(figures(run.parent.name, result.seed).tolist())
        metrics = {"si_sdr": MeasuredFigure(1.0, values), "spectral_distance": MeasuredFigure(3.0, values)}
        names = tuple(f"sound-{i}" for i in range(len(classes)))
        evolve(
            result, metrics={**result.metrics, **metrics}, classes=classes, sounds=names, groups=names
        ).write(run)
    return folder


@pytest.fixture
def folder(runs):
    return measured(runs([BASE, WORSE]))


def medians(arm, name):
    rows = np.array(CLASSES) == name
    return [float(np.median(figures_of(arm, seed)[rows])) for seed in range(4)]


def test_a_class_is_compared_by_its_medians_with_the_seed_as_unit(folder):
    primary, _ = by_class(read_folder(folder))
    assert primary.metric.name == "spectral_distance"
    assert [(row.name, row.sounds) for row in primary.rows] == [("kick", 4), ("snare", 3), ("", 3)]
    ours, theirs = primary.rows[0].cells[1], primary.rows[0].cells[0]
    base, arm = medians("snake", "kick"), medians("leaky_relu", "kick")
    interval = ttest_rel(arm, base).confidence_interval()
    assert (theirs.mean, theirs.difference) == (plain(np.mean(base)), "")
    assert ours.mean == plain(np.mean(arm))
    assert ours.difference == signed(np.mean(arm) - np.mean(base))
    assert ours.interval == f"{signed(interval.low)} to {signed(interval.high)}"


def test_every_class_stands_in_the_file_and_no_cell_is_a_formula(folder):
    rows = list(csv.DictReader(io.StringIO(by_class_csv(read_folder(folder)))))
    assert len(rows) == 2 * 5 * 2
    assert {row["class"] for row in rows} == {"kick", "snare", "rim", "", "'=x"}
    [kick] = [r for r in rows if (r["class"], r["arm"], r["metric"]) == ("kick", "leaky_relu", "si_sdr")]
    assert (kick["sounds"], kick["seeds"], kick["paired_seeds"], kick["baseline"]) == ("4", "4", "4", "snake")
    assert float(kick["median"]) == pytest.approx(np.mean(medians("leaky_relu", "kick")), rel=1e-12)
    differences = np.subtract(medians("leaky_relu", "kick"), medians("snake", "kick"))
    assert float(kick["mean_difference"]) == pytest.approx(differences.mean(), rel=1e-12)
    assert float(kick["sd"]) == pytest.approx(differences.std(ddof=1), rel=1e-12)


def test_classes_of_fewer_than_three_sounds_are_left_out_and_said(folder):
    assert left_out(read_folder(folder)) == "=x (1), rim (1), with fewer than 3 held-out sounds"


def test_the_page_says_that_it_is_exploratory_and_draws_no_verdict(folder):
    html = write_report(folder).read_text()
    section = html[html.index('<section id="classes">') : html.index('<section id="other">')]
    text = " ".join(re.sub(r"<[^>]*>", " ", section).split())
    assert "Exploratory" in text
    assert "no verdict is drawn" in text
    assert "no known class" in text
    assert "=x (1), rim (1), with fewer than 3" in text
    assert "better than" not in text
    assert "verdict " not in section.replace("no verdict is", "")
    assert (folder / "by_class.csv").read_text() == by_class_csv(read_folder(folder))


def test_a_sound_without_a_figure_leaves_its_class_without_one_in_that_run(runs):
    def gap(arm, seed):
        values = figures_of(arm, seed)
        values[0] = np.nan if (arm, seed) == ("leaky_relu", 2) else values[0]
        return values

    folder = measured(runs([BASE, WORSE]), gap)
    rows = list(csv.DictReader(io.StringIO(by_class_csv(read_folder(folder)))))
    seeds = {(r["class"], r["arm"]): (r["seeds"], r["paired_seeds"]) for r in rows if r["metric"] == "si_sdr"}
    assert seeds["kick", "leaky_relu"] == ("3", "3")
    assert seeds["kick", "snake"] == ("4", "0")
    assert seeds["snare", "leaky_relu"] == ("4", "4")


@pytest.mark.parametrize("classes", [(), ("",) * 12])
def test_without_classes_there_is_no_table(runs, classes):
    folder = measured(runs([BASE, WORSE]), classes=classes)
    assert not by_class(read_folder(folder))


def test_more_classes_than_a_page_takes_are_counted(runs):
    classes = tuple(f"c{i // 3:02d}" for i in range(3 * 23))
    folder = measured(runs([BASE, WORSE]), lambda _arm, seed: np.arange(69.0) + seed, classes)
    found = read_folder(folder)
    assert len(by_class(found)[0].rows) == 20
    assert left_out(found) == "3 classes for which there is no room"
