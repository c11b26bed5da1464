"""What a recipe may say of arms that cost the same, and what `check` says of it."""

import json

import pytest

from flowvae.cli.main import main
from flowvae.errors import RecipeError
from flowvae.recipe import plan_ablation, read_recipe
from flowvae.recipe.matching import at_width

HEAD = """
extends = "percussion_small"
[ablation]
metric = "spectral_distance"
match = {{ by = "{by}", what = "{what}" }}
[ablation.vary]
{vary}
"""
DECODERS = '"model.decoder" = ["soundstream", "wavegan"]'


def recipe(write, by="model.decoder.width", what="parameters", vary=DECODERS):
    return write("matched.toml", HEAD.format(by=by, what=what, vary=vary))


@pytest.mark.parametrize(
    ("by", "vary", "what"),
    [
        ("model.decoder.wide", DECODERS, "the baseline has no such key"),
        ("model.decoder.activation.use", DECODERS, "is no whole number"),
        ("model.n_samples", DECODERS, "is no key of a part of the model"),
        ("model.decoder.width", '"model.decoder.width" = [16, 8]', "is varied itself"),
        ("model.decoder.dilations", DECODERS, "is no whole number"),
    ],
)
def test_a_width_that_cannot_be_matched_is_told_with_its_line(write, catalogue, by, vary, what):
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(recipe(write, by, vary=vary)), catalogue)
    faults = [fault for fault in caught.value.faults if what in fault.what]
    assert faults, caught.value
    assert faults[0].place.line in {5, 7}


def test_an_arm_that_lacks_the_width_is_named(write, catalogue):
    written = recipe(
        write, "model.posterior.flow.n_couplings", vary='"model.posterior" = ["flow", "gaussian"]'
    )
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(written), catalogue)
    [fault] = caught.value.faults
    assert "the arm gaussian has no such key" in fault.what
    assert fault.place.line == 5


def test_a_near_name_is_suggested(write, catalogue):
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(recipe(write, "model.decoder.widht")), catalogue)
    assert "model.decoder.width" in caught.value.faults[0].suggestions


def test_an_arm_at_a_width_differs_there_alone(write, catalogue):
    plan = plan_ablation(read_recipe(recipe(write)), catalogue)
    arm = plan.arms[1]
    after = at_width(arm, "model.decoder.width", 11, catalogue).recipe
    before = arm.recipe.leaves()
    assert {path: value for path, value in after.leaves().items() if value != before[path]} == {
        "model.decoder.width": 11
    }
    assert after.origins["model.decoder.width"] == "matched to the baseline"


def test_check_says_that_it_will_be_matched(write, capsys):
    assert main(["check", recipe(write, what="multiply_adds")]) == 0
    said = capsys.readouterr().out
    assert (
        "model.decoder.width of each alternative will be matched: as many multiply-adds as soundstream"
        in said
    )
    assert main(["check", recipe(write), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["match"] == {"by": "model.decoder.width", "what": "parameters"}
