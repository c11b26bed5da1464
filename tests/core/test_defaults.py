"""What fills the slots that say nothing, and what it must not fill."""

import pytest

from flowvae.contracts import Activation, Normalization, Schedule
from flowvae.errors import RecipeError
from flowvae.recipe import read_recipe, resolve
from pretend import catalogue_with, offering, plugin


def resolved(catalogue, *settings, recipe="percussion_small"):
    return resolve(read_recipe(recipe, settings), catalogue)


def faults_of(catalogue, *settings, recipe="percussion_small"):
    with pytest.raises(RecipeError) as caught:
        resolved(catalogue, *settings, recipe=recipe)
    return caught.value.faults


def test_a_default_that_would_fill_its_own_slot_is_one_fault(catalogue):
    every = ("defaults.schedule=warmup", 'adversarial.schedule={ use = "warmup", steps = 5 }')
    [fault] = faults_of(catalogue, *every, recipe="percussion_small_adversarial")
    assert fault.path == "defaults.schedule.then"
    assert fault.what == "defaults.schedule stands in itself"
    assert fault.accepted == "then = ..., written inside it: another component of kind schedule"
    assert fault.place.label == "--set defaults.schedule=warmup"


def test_the_own_slot_of_a_default_may_be_filled_as_the_fault_says(catalogue):
    recipe = resolved(catalogue, 'defaults.schedule={ use = "warmup", then = "constant" }')
    assert recipe.train.schedule.values["then"].name == "constant"


def test_a_default_in_its_own_slot_stands_in_itself_however_deep(catalogue):
    deeper = 'defaults.schedule={ use = "warmup", then = { use = "warmup", steps = 3 } }'
    [fault] = faults_of(catalogue, deeper)
    assert fault.path == "defaults.schedule.then.then"


def test_a_default_fills_the_slot_of_a_component_of_its_own_kind(catalogue):
    recipe = resolved(catalogue, "train.schedule=warmup")
    assert recipe.train.schedule.values["then"].name == "one_cycle"


class Dressed:
    """An activation that is normalized by something."""

    def __init__(self, channels: int, *, normalization: Normalization) -> None:
        pass


def bent(layer: object, *, activation: Activation) -> object:
    """A normalization that is bent by something."""
    return layer


def test_two_defaults_that_stand_in_each_other_are_a_fault():
    offers = offering(("activation", "dressed", Dressed), ("normalization", "bent", bent))
    both = ("defaults.activation=dressed", "defaults.normalization=bent")
    faults = faults_of(catalogue_with(plugin("fv-d", flowvae_components=offers)), *both)
    assert {fault.what for fault in faults} == {
        "defaults.activation stands in itself",
        "defaults.normalization stands in itself",
    }


def calm(n_steps: int, *, after: Schedule | None = None) -> object:
    """A schedule that something may follow."""
    return lambda step: 1.0


def test_a_slot_that_may_be_empty_is_filled_by_a_default_and_left_empty_where_it_says_none():
    catalogue = catalogue_with(plugin("fv-d", flowvae_components=offering(("schedule", "calm", calm))))
    assert resolved(catalogue, "train.schedule=calm").train.schedule.values["after"].name == "one_cycle"
    [fault] = faults_of(catalogue, "defaults.schedule=calm")
    assert fault.what == "defaults.schedule stands in itself"
    alone = resolved(catalogue, 'defaults.schedule={ use = "calm", after = "none" }').train.schedule
    assert alone.values["after"] is None


def test_one_line_makes_every_convolution_causal(catalogue):
    recipe = resolved(catalogue, "defaults.convolution=causal")
    for part in (recipe.model.encoder, recipe.model.decoder, recipe.model.decoder.values["head"]):
        assert part.values["convolution"].name == "causal"


def test_the_default_of_learning_rates_does_not_shape_the_weight_of_a_regularizer(catalogue):
    assert resolved(catalogue, "defaults.schedule=cosine").regularizer.values["schedule"] is None
