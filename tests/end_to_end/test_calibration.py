"""The comparison is measured on itself: an arm beside its double, and beside one that must be worse.

The shipped recipes, trained for real at small size, with the six seeds that they ask for.
"""

import csv
import re

import pytest

from conftest import TINY
from flowvae.ablation.drive import run_recipe
from flowvae.catalogue import Catalogue
from flowvae.recipe import read_recipe

pytestmark = pytest.mark.slow
VARIED = ("train.steps=", "evaluation.every=", "evaluation.prior_samples=")
SMALL = tuple(s for s in TINY if not s.startswith(VARIED))


def finished(recipe, folder, steps=40):
    """The primary rows of a finished ablation by arm, those of all metrics, and the findings of its page."""
    settings = (*SMALL, f"train.steps={steps}", f"evaluation.every={steps}")
    page = run_recipe(read_recipe(recipe, settings), folder / recipe, lambda _: None, Catalogue.installed())
    table = (page.parent / "comparisons.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.splitlines()))
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))
    return {row["arm"]: row for row in rows if row["role"] == "primary"}, rows, words


@pytest.fixture(scope="module")
def same(tmp_path_factory):
    return finished("ablation_same", tmp_path_factory.mktemp("same"))


def test_of_a_twin_not_a_bit_differs_and_the_page_says_so(same):
    primary, rows, words = same
    twin = [row for row in rows if row["arm"] == "twin"]
    assert len(twin) > 3
    assert {(float(row["mean_difference"]), float(row["sd"])) for row in twin} == {(0.0, 0.0)}
    assert (primary["twin"]["seeds"], primary["twin"]["verdict"]) == ("6", "not shown")
    assert (primary["twin"]["sign_flip_p"], primary["twin"]["joint_p"]) == ("", "")
    said = "Between twin and baseline no difference is shown: both have the same figures to the last digit"
    assert said in words


def test_of_the_same_parts_drawn_anew_no_difference_is_shown(same):
    primary, _, words = same
    redrawn = primary["redrawn"]
    # Chance is at work: the figures differ, as they do between real alternatives, and that is all that is said.
    assert float(redrawn["sd"]) > 0.01
    assert (redrawn["seeds"], redrawn["verdict"]) == ("6", "not shown")
    assert float(redrawn["joint_p"]) > 0.05
    assert "Between redrawn and baseline no difference is shown" in words
    assert "No difference between the arms has been shown." in words


def test_a_planted_difference_is_found(tmp_path_factory):
    # Levels come first, and cost distance: at forty steps the arm that has learned nothing is still nearer.
    primary, _, words = finished("ablation_planted", tmp_path_factory.mktemp("planted"), steps=240)
    [planted] = primary.values()
    assert (planted["seeds"], planted["seeds_higher"], planted["verdict"]) == ("6", "6", "worse")
    assert float(planted["joint_p"]) == 2 / 2**6
    assert "lr-1.5e-05 is worse than lr-0.0015 on spectral_distance." in words
