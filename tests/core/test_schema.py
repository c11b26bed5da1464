"""The schema for editors agrees with what resolves a recipe, as far as one file can tell."""

import json

import pytest
import tomli
from jsonschema import Draft7Validator

from flowvae.catalogue import Catalogue, Plugin, hooks
from flowvae.cli.main import main
from flowvae.contracts import Activation
from flowvae.errors import RecipeError
from flowvae.recipe import plan_ablation, read_recipe
from flowvae.recipe.shipped import shipped_recipes
from flowvae.recipe.writing import write_recipe
from flowvae.reference.json_schema import recipe_schema


@pytest.fixture(scope="module")
def validator(catalogue):
    return Draft7Validator(recipe_schema(catalogue))


def faults(validator, text):
    return [error.json_path for error in validator.iter_errors(tomli.loads(text))]


def test_the_schema_is_draft_07(catalogue):
    schema = recipe_schema(catalogue)
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_is_valid_as_written_and_as_resolved(name, validator, catalogue):
    assert not faults(validator, shipped_recipes()[name].read_text())
    assert not faults(validator, write_recipe(plan_ablation(read_recipe(name), catalogue).recipe))


GOOD = {
    "nothing": "",
    "a string for a table": 'data = "synthetic_percussion"',
    "a table": '[defaults]\nactivation = { use = "snake", alpha = 2 }',
    "a key for the component of the base": "[model.decoder]\nwidth = 32",
    "a slot in a slot": '[model.decoder]\nuse = "soundstream"\nactivation = { use = "leaky_relu", slope = 0.1 }',
    "a slot of the component's own kind": '[train]\nschedule = { use = "warmup", then = { use = "warmup", then = "linear" } }',
    "a qualified name": '[defaults]\nactivation = "flowvae:snake"',
    "a qualified name in a table": '[defaults]\nactivation = { use = "flowvae:snake", alpha = 2.0 }',
    "nothing where nothing is allowed": '[train]\nclip = "none"',
    "a weight of flowvae's own": '[[losses]]\nuse = "multi_scale_mel"\nweight = 15',
    "keys of flowvae's own": '[data]\nuse = "folder"\npath = "~/drums"\nheld_out = 0.1',
    "a weight in the slot of a component": '[data]\nuse = "mix"\n[data.sources.one]\nuse = "folder"\npath = "x"\nweight = 2',
    "strings in an array": 'augmentations = ["polarity", { use = "random_crop" }]',
    "a free table": '[ablation.vary]\n"defaults.activation" = ["snake", { use = "leaky_relu", slope = 0.0 }]',
    "names of arms": '[ablation.names]\nleaky_relu = "plain"',
    "two numbers": '[train]\noptimizer = { use = "adamw", betas = [0.9, 0.999] }',
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_a_recipe_may_say_is_valid(validator, text):
    assert not faults(validator, text)


# Each with the place of the fault, and laid over a recipe that is in order, so that the resolver can judge it too.
BAD = {
    "a word for a number": ('[train]\nsteps = "x"', "$.train.steps"),
    "a fraction of a step": ("[train]\nsteps = 2.9", "$.train.steps"),
    "a number for a boolean": ("[data]\nstrict = 1", "$.data"),
    "out of range": ("[model]\nchannels = 0", "$.model.channels"),
    "out of range where nothing is allowed": ("[train]\nema = 1.5", "$.train.ema"),
    "not one of the choices": ('[train]\nprecision = "fp16"', "$.train.precision"),
    "an unknown table": ("[trian]\nsteps = 5", "$"),
    "an unknown key": ("[train]\nstep = 5", "$.train"),
    "an unknown key of a component": ('[model.decoder]\nuse = "soundstream"\nwidht = 4', "$.model.decoder"),
    "a key of another component": (
        '[defaults]\nactivation = { use = "snake", slope = 0.1 }',
        "$.defaults.activation",
    ),
    "an unknown component": ('[defaults]\nactivation = "snaek"', "$.defaults.activation"),
    "an unknown owner": ('[defaults]\nactivation = "nobody:snake"', "$.defaults.activation"),
    "a component of another kind": ('[defaults]\nactivation = "transposed_conv"', "$.defaults.activation"),
    "an unknown kind": ('[defaults]\nactivaton = "snake"', "$.defaults"),
    "a fault in a nested slot": (
        '[model.decoder]\nactivation = { use = "snake", alpha = "1" }',
        "$.model.decoder",
    ),
    "a part that is called use": ('[losses]\nuse = "multi_scale_mel"', "$.losses"),
    "an array whose table names nothing": ("[[losses]]\nweight = 2.0", "$.losses"),
    "a weight where there is none": ('[regularizer]\nuse = "kl"\nweight = 2.0', "$.regularizer"),
    "a list for the name of an arm": ('[ablation.names]\nplain = ["x", "y"]', "$.ablation.names.plain"),
    "one number for two": ('[train]\noptimizer = { use = "adamw", betas = [0.9] }', "$.train.optimizer"),
    "one alternative": (
        '[ablation]\nmetric = "kl_nats"\n[ablation.vary]\nseed = [1]',
        "$.ablation.vary.seed",
    ),
}


@pytest.mark.parametrize(("text", "place"), BAD.values(), ids=BAD)
def test_what_the_resolver_refuses_is_marked_where_it_stands(validator, catalogue, tmp_path, text, place):
    assert faults(validator, text) == [place]
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'extends = "percussion_small.toml"\n{text}\n')
    with pytest.raises(RecipeError):
        plan_ablation(read_recipe(str(recipe)), catalogue)


def test_every_key_says_what_it_means(catalogue):
    schema = recipe_schema(catalogue)
    for (kind, name), [component] in catalogue.components.items():
        table = schema["definitions"][f"{kind}.{component.plugin.distribution}.{name}"]
        assert table["description"] == component.signature.summary
        for parameter in component.signature.parameters.values():
            assert table["properties"][parameter.name].get("description", "") == parameter.meaning
    assert schema["properties"]["model"]["properties"]["latent_dim"] == {
        "type": "integer",
        "description": "width of the latent vector",
        "minimum": 1,
        "maximum": 65536,
        "default": 128,
    }


class Ripple:
    """Bends what is positive.

    Parameters:
        alpha: how far
    """

    def __init__(
        self, *, alpha: float = 1.0, choice: tuple[int, float] | None = None, inner: Activation | None = None
    ) -> None: ...


def a_plugin(distribution):
    class Module:
        @hooks.hookimpl
        def flowvae_components(register):
            register("activation", "ripple", Ripple)

    return Plugin("a", distribution, "1", module=Module)


def test_clashing_components_are_told_apart_by_their_owners():
    validator = Draft7Validator(recipe_schema(Catalogue.of([a_plugin("one"), a_plugin("two")])))
    assert faults(validator, '[defaults]\nactivation = "ripple"') == ["$.defaults.activation"]
    assert not faults(validator, '[defaults]\nactivation = { use = "two:ripple", alpha = 3 }')
    assert not faults(validator, '[defaults]\nactivation = { use = "two:ripple", choice = [1, 2.0] }')
    assert not faults(validator, '[defaults]\nactivation = { use = "two:ripple", choice = "none" }')
    assert faults(validator, '[defaults]\nactivation = { use = "two:ripple", choice = [1, 2.0, 3] }')


def test_a_slot_takes_nothing_only_where_it_may_stay_empty():
    validator = Draft7Validator(recipe_schema(Catalogue.of([a_plugin("one")])))
    assert not faults(validator, '[defaults]\nactivation = { use = "ripple", inner = "none" }')
    assert faults(validator, '[defaults]\nactivation = "none"') == ["$.defaults.activation"]


def test_a_kind_without_components_takes_nothing():
    validator = Draft7Validator(recipe_schema(Catalogue.of([])))
    assert faults(validator, '[defaults]\nactivation = "snake"') == ["$.defaults.activation"]


def test_schema_writes_what_it_prints(capsys, tmp_path):
    assert main(["schema"]) == 0
    printed = capsys.readouterr().out
    assert main(["schema", "--out", str(tmp_path / "recipe.schema.json")]) == 0
    assert (tmp_path / "recipe.schema.json").read_text() == printed
    assert json.loads(printed)["title"] == "A flowvae recipe"
    with pytest.raises(SystemExit):
        main(["schema", "--help"])
    assert "#:schema" in capsys.readouterr().out
