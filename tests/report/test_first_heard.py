"""The first screen: one clip, arm against arm, beside the answer."""

import re
import shutil

import pytest
from attrs import evolve

from flowvae.folder.run_records import MeasuredFigure, Result
from flowvae.report.comparison import compare
from flowvae.report.first_heard import evidence, first_heard
from flowvae.report.listening import listening
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import BASE, WORSE

LIKE = [3.02, 3.1, 2.95, 3.2, 3.2, 3.1]


def masthead(folder):
    page = write_report(folder).read_text(encoding="utf-8")
    return re.search(r'<header class="masthead">.*?</header>', page, re.DOTALL)[0]


def heard(folder):
    found = read_folder(folder)
    comparisons = compare(found)
    return first_heard(found, comparisons, listening(found))


def told(folder):
    found = read_folder(folder)
    return evidence(found, compare(found))


def measure(folder, differences):
    """The alternatives' figures lie above the baseline's by so much, a difference a written clip."""
    for place in (folder / "runs").glob("*/seed-*"):
        extra = differences if place.parent.name != "snake" else [0.0] * len(differences)
        figures = tuple(3.0 + i + one for i, one in enumerate(extra))
        result = Result.read(place)
        value = result.metrics["spectral_distance"].value
        metrics = {**result.metrics, "spectral_distance": MeasuredFigure(value, figures)}
        names = tuple(f"drum/{i}" for i in range(len(differences)))
        evolve(result, metrics=metrics, sounds=names, groups=("a", "a", "b")).write(place)


def test_baseline_and_alternative_are_heard_beside_the_target(runs):
    folder = runs([BASE, WORSE], n_clips=3)
    found = heard(folder)
    assert [name for name, _ in found.arms] == ["snake", "leaky_relu"]
    assert {take.seed for _, take in found.arms} == {0}
    page = masthead(folder)
    assert page.count("<audio") == 3
    assert page.index("<audio") < page.index('class="matrix"')


@pytest.mark.parametrize(
    ("differences", "middle"), [([0.3, 0.1, 0.2], 2), ([0.1, -0.4, -0.2], 2), ([-1.0, 0.0, 5.0], 1)]
)
def test_the_clip_is_that_whose_difference_is_the_median(runs, differences, middle):
    folder = runs([BASE, WORSE], n_clips=3)
    measure(folder, differences)
    found = heard(folder)
    assert found.row.title == f"drum-{middle}"
    assert found.why == "the clip whose difference is the median of 3"
    assert found.why in masthead(folder)


def test_where_no_figure_belongs_to_a_clip_it_is_the_first(runs):
    found = heard(runs([BASE, WORSE], n_clips=3))
    assert (found.row.title, found.why) == ("drum-0", "the first clip")


def test_the_alternative_is_that_with_a_verdict_else_that_with_the_largest_difference(runs):
    names = ("snake", "alike", "far")
    far = [value + 0.9 * (-1) ** i + 0.5 for i, value in enumerate(BASE)]
    assert heard(runs([BASE, LIKE, far], names=names, n_clips=1)).arms[1][0] == "far"
    assert heard(runs([BASE, WORSE, far], names=names, n_clips=1)).arms[1][0] == "alike"


def test_the_line_below_the_headline_says_what_the_answer_rests_on(runs):
    folder = runs([BASE, WORSE], n_clips=3)
    said = told(folder).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert re.fullmatch(
        r"leaky_relu: spectral_distance \+0\.\d+ \(95 % interval \+\S+ to \+\S+\) at 500 steps; "
        r"6 seeds, 4 held-out sounds of 2 groups",
        said,
    )
    assert told(folder) in masthead(folder)


def test_runs_that_are_not_comparable_get_no_size(runs):
    folder = runs([BASE, WORSE], n_clips=1)
    place = folder / "runs/leaky_relu/seed-0"
    evolve(Result.read(place), threads=7).write(place)
    assert told(folder) == ""
    assert 'class="evidence"' not in masthead(folder)


def test_one_arm_is_heard_beside_its_target(runs):
    folder = runs([[3.0]], names=("percussion",), n_clips=2)
    assert [name for name, _ in heard(folder).arms] == ["percussion"]
    assert masthead(folder).count("<audio") == 2
    assert told(folder) == ""


@pytest.mark.parametrize(("silent", "left"), [("snake", "leaky_relu"), ("leaky_relu", "snake")])
def test_an_arm_without_a_sound_leaves_the_other_beside_the_target(runs, silent, left):
    folder = runs([BASE, WORSE], n_clips=2)
    for run in (folder / "runs" / silent).glob("seed-*"):
        shutil.rmtree(run / "audio")
    assert [name for name, _ in heard(folder).arms] == [left]
    assert masthead(folder).count("<audio") == 2


def test_arms_that_share_no_seed_are_not_set_against_each_other(runs):
    folder = runs([BASE[:2], WORSE[:2]], n_clips=2)
    shutil.rmtree(folder / "runs/snake/seed-0/audio/step-000000500")
    shutil.rmtree(folder / "runs/snake/seed-0/audio/step-000000100")
    assert {take.seed for _, take in heard(folder).arms} == {1}
    shutil.rmtree(folder / "runs/leaky_relu/seed-1/audio/step-000000500")
    shutil.rmtree(folder / "runs/leaky_relu/seed-1/audio/step-000000100")
    assert len(heard(folder).arms) == 1


def test_without_a_sound_there_is_no_player(runs):
    assert "<audio" not in masthead(runs([BASE, WORSE]))
