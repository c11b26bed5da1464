"""Two arms whose figures are the same to the last bit: nothing is to be tested there, and the page says what was seen."""

import csv

import pytest
from attrs import evolve

from flowvae.report.comparison import compare
from flowvae.report.findings import findings
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import BASE, METRICS, WORSE, write_tree

NAMES = ("plain", "twin", "worse")


@pytest.fixture
def folder(runs):
    return runs([BASE, BASE, WORSE], names=NAMES)


def test_the_same_figures_have_no_p_and_are_said_to_be_the_same(folder):
    twin, worse = compare(read_folder(folder))
    assert (twin.verdict.word, twin.joint) == ("not shown", None)
    assert twin.verdict.reason == "both have the same figures to the last digit, over 6 seeds"
    assert worse.verdict.word == "worse"
    write_report(folder)
    lines = (folder / "comparisons.csv").read_text(encoding="utf-8").splitlines()
    row = next(row for row in csv.DictReader(lines) if row["arm"] == "twin")
    assert (row["mean_difference"], row["sign_flip_p"], row["joint_p"]) == ("0.0", "", "")


def test_the_sentence_names_no_side(folder):
    read = read_folder(folder)
    said = next(finding.text for finding in findings(read, compare(read)) if "twin" in finding.text)
    assert said == (
        "Between twin and plain no difference is shown: both have the same figures to the last digit, over 6 seeds."
    )


def test_the_others_are_tested_as_if_the_twin_were_not_there(folder, tmp_path):
    _, among_three = compare(read_folder(folder))
    two = write_tree(tmp_path / "two", [BASE, WORSE], names=("plain", "worse"), n_clips=0)
    [of_two] = compare(read_folder(two))
    assert among_three.joint == of_two.joint


def test_the_same_figures_are_as_good_where_the_plan_says_what_would_matter(runs):
    folder = runs([BASE, BASE], names=("plain", "twin"), worthwhile_difference=0.1)
    read = read_folder(folder)
    [twin] = compare(read)
    assert twin.verdict.word == "equivalent"
    assert findings(read, (twin,))[0].text == (
        "twin is as good as plain: both have the same figures to the last digit, over 6 seeds."
    )


def test_one_seed_that_is_the_same_is_not_as_good(runs):
    [twin] = compare(read_folder(runs([[3.0], [3.0]], names=("plain", "twin"), worthwhile_difference=0.1)))
    assert twin.verdict.word == "not shown"
    assert twin.verdict.reason.endswith("over 1 seed")


def test_the_same_figures_on_the_limit_of_a_metric_are_not_as_good(runs):
    metrics = (evolve(METRICS[0], least=3.0, most=None), *METRICS[1:])
    values = [[3.0] * 6] * 2
    folder = runs(values, names=("plain", "twin"), worthwhile_difference=0.1, metrics=metrics)
    [twin] = compare(read_folder(folder))
    assert twin.verdict.word == "not shown"
    assert "limit" in twin.verdict.reason
