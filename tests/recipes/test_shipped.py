"""The recipes that come with flowvae: each resolves, varies what its name says, and takes a step."""

import json
from pathlib import Path

import pytest
import torch

from conftest import TINY
from flowvae.recipe import plan_ablation, read_recipe
from flowvae.recipe.difference import effective_difference, undeclared
from flowvae.recipe.shipped import shipped_recipes
from flowvae.statistics.level import seeds_to_reach
from published_networks import PRESETS
from short_runs import begin
from tiers import swept

RECIPES = shipped_recipes()
TRAINED = [name for name in RECIPES if name.removesuffix("_small") not in PRESETS]
"""Those that take a step here: of the published systems the small sizes do so in test_presets, as they are."""
ABLATIONS = [name for name in RECIPES if name.startswith("ablation_")]
GOLDEN = Path(__file__).with_name("golden.json")


SECOND = ("adversarial.from_step=3", "adversarial.hears_samples=4096")
"""Settings over the second player of a tiny recipe, whose discriminators are made narrow below."""


def tiny(name):
    """A recipe at tiny size, begun with no other run."""
    root = read_recipe(name).root.plain()
    # Nothing is validated here, and how many sounds its metrics need is for the recipe to say.
    settings = [setting for setting in TINY if not setting.startswith("evaluation.")]
    if "adversarial" in root:
        settings += SECOND[name == "finetune_adversarial" :]
        settings += [f"adversarial.discriminators.{d}.width=2" for d in root["adversarial"]["discriminators"]]
        settings += ["adversarial.warmup_steps=0"]
    if "prior_fit" in root:
        settings.append("prior_fit.from_step=2")
    return (*settings, *(["start=false"] if "start" in root else []))


@pytest.mark.parametrize("name", swept(TRAINED, quick=6))
def test_every_arm_takes_a_step_of_each_phase_at_tiny_size(name, catalogue, tmp_path):
    for arm in plan_ablation(read_recipe(name, tiny(name)), catalogue).arms:
        training = begin(arm.recipe)
        for phase in training.phases:
            figures = training.step(phase.from_step)
            assert all(bool(torch.isfinite(figure)) for figure in figures.values())
            assert all(figures[f"{turn.told_as}grad_norm"] > 0 for turn in phase.turns)


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_differs_on_its_declared_axis_alone(name, catalogue):
    plan = plan_ablation(read_recipe(name), catalogue)
    assert len(plan.arms) >= 2
    assert len(plan.seeds) >= 6
    for arm in plan.arms[1:]:
        difference = effective_difference(plan.recipe, arm.recipe)
        assert difference
        assert not undeclared(difference, plan.recipe.ablation.vary)


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_has_seeds_enough_to_be_answered(name, catalogue):
    """The least p of the joint test is that of one arm, however many there are."""
    assert len(plan_ablation(read_recipe(name), catalogue).seeds) >= seeds_to_reach()


def test_the_question_is_in_every_ablation(catalogue):
    for name in ABLATIONS:
        assert plan_ablation(read_recipe(name), catalogue).recipe.ablation.question.endswith("?")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_can_be_read_at_a_glance(name):
    limit = 15 if name in ABLATIONS else 120
    assert len(RECIPES[name].read_text().splitlines()) <= limit


def test_five_seeded_steps_give_the_losses_that_they_gave(catalogue, tmp_path):
    """A commit that moves these losses writes golden.json anew and says why."""
    torch.set_num_threads(1)
    training = begin(plan_ablation(read_recipe("percussion_small", TINY), catalogue).recipe)
    losses = [training.step(step)["loss"].item() for step in range(5)]
    # Other processors round otherwise; a change of the computation is far larger.
    assert losses == pytest.approx(json.loads(GOLDEN.read_text()), rel=1e-3)
