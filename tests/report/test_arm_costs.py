"""What the table of arms says of each arm alone: the interval of its mean, and its costs in training and use."""

import pytest
from attrs import evolve

from flowvae.folder.run_records import Result
from flowvae.report.arm_costs import cost_tables
from flowvae.report.number_format import NOTHING
from flowvae.report.reading import read_folder
from flowvae.report.tables import own_interval
from pretended_runs import BASE, WORSE


def tables(folder):
    return {table.title: table for table in cost_tables(read_folder(folder))}


def without(folder, cost, arms=("snake", "leaky_relu")):
    for arm in arms:
        for run in (folder / "runs" / arm).iterdir():
            result = Result.read(run)
            evolve(result, costs={k: v for k, v in result.costs.items() if k != cost}).write(run)


def column(table, words):
    at = table.names.index(words)
    return {arm: cells[at] for arm, cells in table.cells.items()}


def test_training_and_use_are_told_apart(runs):
    found = tables(runs([BASE, WORSE]))
    assert "seconds a step" in found["Cost of training"].names
    assert "to decode one sound, ms" in found["Cost of use"].names
    assert not set(found["Cost of training"].names) & set(found["Cost of use"].names)


def test_to_decode_a_sound_takes_its_length_over_the_real_time_factor(runs):
    folder = runs([BASE, WORSE])
    factor = Result.read(folder / "runs/snake/seed-0").costs["real_time_factor"]
    shown = column(tables(folder)["Cost of use"], "to decode one sound, ms")["snake"].value
    assert float(shown.replace("\N{NARROW NO-BREAK SPACE}", "")) == pytest.approx(330 / factor, rel=0.01)


def test_a_slower_arm_shows_by_how_much(runs):
    cells = column(tables(runs([BASE, WORSE]))["Cost of training"], "seconds a step")
    assert cells["leaky_relu"].change.startswith("+9.5")
    assert not cells["snake"].change


def test_runs_that_differ_show_the_least_and_the_most(runs):
    folder = runs([BASE, WORSE])
    result = Result.read(folder / "runs/snake/seed-1")
    evolve(result, costs={**result.costs, "seconds_per_step": 0.42}).write(folder / "runs/snake/seed-1")
    cells = column(tables(folder)["Cost of training"], "seconds a step")
    assert cells["snake"].ends == "0.210 to 0.420"
    assert not cells["leaky_relu"].ends


def test_a_cost_that_nobody_measured_is_told_as_missing(runs):
    folder = runs([BASE, WORSE])
    without(folder, "peak_memory_mb")
    assert tables(folder)["Cost of training"].missing == "Not measured: peak memory, MB."


def test_a_cost_that_one_arm_lacks_is_a_gap_in_its_row(runs):
    folder = runs([BASE, WORSE])
    without(folder, "peak_memory_mb", ["snake"])
    cells = column(tables(folder)["Cost of training"], "peak memory, MB")
    assert [cells["snake"].value, cells["leaky_relu"].value, cells["leaky_relu"].change] == [
        NOTHING,
        "812",
        "",
    ]


def test_the_interval_of_a_mean_is_that_of_the_arm_alone(runs):
    folder = read_folder(runs([BASE, WORSE]))
    # t(0.975, 5) * 0.1463 / sqrt(6) on either side of 3.092
    assert own_interval(folder, folder.plan.arms[0], folder.plan.primary) == "2.94 to 3.24"


def test_one_seed_has_no_interval(runs):
    folder = read_folder(runs([BASE[:1], WORSE[:1]]))
    assert own_interval(folder, folder.plan.arms[0], folder.plan.primary) == ""
