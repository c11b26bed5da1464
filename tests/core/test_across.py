"""`ablation.across`: every arm at each value of one more key, each beside the baseline of its own value."""

import json

import pytest

from flowvae.cli.main import main
from flowvae.errors import RecipeError
from flowvae.recipe import plan_ablation, read_recipe

ACROSS = """
extends = "percussion_small"
[ablation]
question = "?"
metric = "spectral_distance"
across = {across}
{more}
[ablation.vary]
"defaults.activation" = ["snake", "leaky_relu", "elu"]
"""
STEPS = '{ "train.steps" = [1250, 5000] }'


@pytest.fixture
def plan(catalogue, write):
    def plan(across=STEPS, more="", settings=()):
        text = ACROSS.format(across=across, more=more)
        return plan_ablation(read_recipe(write("a.toml", text), settings), catalogue)

    return plan


def test_every_arm_and_the_baseline_are_run_at_each_value(plan):
    found = plan()
    assert [(arm.name, arm.recipe.train.steps) for arm in found.arms] == [
        (f"{name}-steps-{steps}", steps) for steps in (1250, 5000) for name in ("snake", "leaky_relu", "elu")
    ]
    assert found.across == {"train.steps": ("1250", "5000")}
    beside = {arm.name: found.baseline_of(arm).name for arm in found.arms}
    assert beside["elu-steps-5000"] == "snake-steps-5000"
    assert beside["elu-steps-1250"] == beside["snake-steps-1250"] == "snake-steps-1250"


def test_what_is_run_across_may_be_any_key(plan):
    found = plan('{ "train.optimizer.lr" = [1e-4, 3e-4] }')
    assert [arm.recipe.train.optimizer.values["lr"] for arm in found.arms] == [1e-4] * 3 + [3e-4] * 3
    assert found.arms[4].name == "leaky_relu-lr-0.0003"
    named = plan('{ "defaults.upsampler" = ["resize_conv", "transposed_conv"] }').arms
    assert [arm.name for arm in named][::3] == ["snake-resize_conv", "snake-transposed_conv"]


def test_an_arm_is_held_against_the_baseline_of_its_value_and_that_one_against_the_first(plan):
    found = plan()
    changed = {arm.name: {entry["path"] for entry in found.difference(arm)} for arm in found.arms}
    assert changed["snake-steps-1250"] == set()
    assert changed["snake-steps-5000"] == {"train.steps"}
    assert "train.steps" not in changed["elu-steps-5000"]
    assert changed["elu-steps-5000"] == changed["elu-steps-1250"] != set()
    assert not any(found.flags(arm) for arm in found.arms)


def test_what_else_an_arm_or_a_value_changes_is_flagged(plan):
    many = '{ "train" = [{ steps = 1250 }, { steps = 5000, batch_size = 4 }] }'
    assert not any(plan(many).flags(arm) for arm in plan(many).arms)  # all of it is below what is declared
    found = plan('{ "defaults.upsampler" = ["resize_conv", "transposed_conv"] }')
    paths = {entry["path"] for entry in found.difference(found.arms[3])}
    assert paths
    assert all("upsampler" in path for path in paths)
    assert found.flags(found.arms[3]) == []


def test_names_and_pairs_are_those_of_the_arms_without_their_value(plan):
    found = plan(more='names = { snake = "ripple" }\npairs = [["leaky_relu", "elu"]]')
    assert found.arms[3].name == "ripple-steps-5000"
    assert found.pairs == (
        ("leaky_relu-steps-1250", "elu-steps-1250"),
        ("leaky_relu-steps-5000", "elu-steps-5000"),
    )


def test_what_is_left_out_is_left_out_at_each_value(catalogue, write):
    text = ACROSS.partition("[ablation.vary]")[0].format(across=STEPS, more='leave_one_out = "losses"')
    found = plan_ablation(read_recipe(write("a.toml", text)), catalogue)
    assert [len(arm.recipe.losses) for arm in found.arms] == [3, 2, 2, 2] * 2


@pytest.mark.parametrize(
    ("across", "words", "path"),
    [
        ('{ "train.stepps" = [1, 2] }', "stepps", "train.stepps"),
        ('{ "train.steps" = [1250] }', "at least two", 'ablation.across."train.steps"'),
        ('{ "train.steps" = 1250 }', "at least two", 'ablation.across."train.steps"'),
        (
            '{ "train.steps" = [1250, 5000, 1250] }',
            "1250 stands there twice",
            'ablation.across."train.steps"',
        ),
        ('{ "defaults.activation" = ["elu", "snake"] }', "is varied as well", "ablation.across"),
        ('{ "defaults" = [{ upsampler = "resize_conv" }, {}] }', "is varied as well", "ablation.across"),
        ('{ "train.steps" = [1, 2], "train.batch_size" = [1, 2] }', "2 key paths", "ablation.across"),
        ('{ "execution.threads" = [1, 2] }', "no result depends on execution.threads", "ablation.across"),
        ('{ "train.steps" = [1250, "many"] }', "is not a whole number", "train.steps"),
        ('{ "train.steps" = [] }', "at least two", 'ablation.across."train.steps"'),
        ("5", "", "ablation.across"),
    ],
)
def test_what_nothing_can_be_run_across_is_told_with_its_line(plan, across, words, path):
    with pytest.raises(RecipeError) as caught:
        plan(across)
    faults = [fault for fault in caught.value.faults if words in fault.what]
    assert {(fault.path, fault.place.line) for fault in faults} == {(path, 6)}, caught.value.faults


def test_across_is_refused_beside_cross(plan):
    with pytest.raises(RecipeError) as caught:
        plan(more="cross = true")
    [fault] = caught.value.faults
    assert "cross" in fault.what
    assert (fault.path, fault.place.line) == ("ablation.across", 6)


def test_a_setting_of_what_is_run_across_is_told_to_have_no_effect(plan):
    with pytest.raises(RecipeError) as caught:
        plan(settings=("train.steps=10",))
    [fault] = caught.value.faults
    assert "has no effect: the ablation is run across train.steps" in fault.what
    assert "ablation.across" in fault.accepted


def test_values_are_one_decision_which_a_recipe_over_it_replaces(plan, catalogue, write):
    plan()
    over = write("b.toml", 'extends = "a.toml"\n[ablation]\nacross = { "train.batch_size" = [2, 4] }')
    assert plan_ablation(read_recipe(over), catalogue).across == {"train.batch_size": ("2", "4")}
    none = write("c.toml", 'extends = "a.toml"\n[ablation]\nacross = {}')
    assert [arm.name for arm in plan_ablation(read_recipe(none), catalogue).arms] == [
        "snake",
        "leaky_relu",
        "elu",
    ]


def test_check_tells_the_values_and_the_baseline_of_each(plan, write, capsys):
    file = write("a.toml", ACROSS.format(across=STEPS, more=""))
    assert main(["check", file]) == 0
    said = capsys.readouterr().out
    assert "6 arms x 6 seeds, across train.steps = 1250, 5000" in said
    assert "snake-steps-5000 (baseline at train.steps = 5000)" in said
    assert "elu-steps-5000, beside snake-steps-5000" in said
    assert "flagged" not in said
    assert main(["check", file, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["across"] == {"train.steps": ["1250", "5000"]}
    assert [arm["beside"] for arm in content["arms"]][3:] == [None, "snake-steps-5000", "snake-steps-5000"]


def test_explain_and_the_schema_know_the_key(capsys, catalogue):
    assert main(["explain", "ablation"]) == 0
    assert "across: " in capsys.readouterr().out
    from flowvae.reference.json_schema import recipe_schema

    schema = recipe_schema(catalogue)["properties"]["ablation"]["properties"]["across"]
    assert schema["additionalProperties"] == {"type": "array", "minItems": 2}
