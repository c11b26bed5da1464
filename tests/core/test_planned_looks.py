"""Looks that a recipe plans: what it may say, what is wrong with it, and what is told of it before the first step."""

import json

import pytest
import tomli
from jsonschema import Draft7Validator

from flowvae.cli.main import main
from flowvae.errors import RecipeError
from flowvae.recipe import plan_ablation, read_recipe
from flowvae.recipe.tables import SeedsUntilShown
from flowvae.reference.json_schema import recipe_schema

LOOKS = "ablation.seeds={ first = 6, most = 12, looks = 3 }"


def faults(text, write, catalogue):
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(write("mine.toml", f'extends = "ablation_snake"\n{text}')), catalogue)
    return caught.value.faults


@pytest.mark.parametrize(
    ("first", "most", "looks", "expected"),
    [(6, 12, 3, (6, 9, 12)), (6, 12, 4, (6, 8, 10, 12)), (6, 7, 2, (6, 7)), (6, 11, 3, (6, 9, 11))],
)
def test_the_looks_are_evenly_spaced_from_the_first_to_the_most(first, most, looks, expected):
    assert SeedsUntilShown(first, most, looks).counts == expected


def test_as_many_looks_as_there_are_numbers_of_seeds_are_all_different():
    for more in range(1, 30):
        assert SeedsUntilShown(6, 6 + more, more + 1).counts == tuple(range(6, 7 + more))


def test_each_look_has_the_seeds_of_the_one_before_it_and_the_plan_all_of_them(catalogue):
    plan = plan_ablation(read_recipe("ablation_snake", (LOOKS, "seed=3")), catalogue)
    assert plan.looks == (tuple(range(3, 9)), tuple(range(3, 12)), tuple(range(3, 15)))
    assert plan.seeds == plan.looks[-1]
    assert repr(plan).endswith("; 6 to 12 seeds")


def test_a_number_plans_one_look(catalogue):
    assert plan_ablation(read_recipe("ablation_snake"), catalogue).looks == (tuple(range(7)),)


def test_looks_may_stand_over_a_number_and_a_number_over_looks(write, catalogue):
    mine = write(
        "mine.toml", 'extends = "ablation_snake"\n[ablation]\nseeds = { first = 6, most = 9, looks = 2 }'
    )
    more = write("more.toml", 'extends = "mine.toml"\n[ablation.seeds]\nmost = 12\nlooks = 3')
    fixed = write("fixed.toml", 'extends = "mine.toml"\n[ablation]\nseeds = 7')
    found = [plan_ablation(read_recipe(name), catalogue).looks for name in (mine, more, fixed)]
    assert [[len(seeds) for seeds in looks] for looks in found] == [[6, 9], [6, 9, 12], [7]]


def test_every_mistake_is_told_where_it_stands(write, catalogue):
    text = "[ablation.seeds]\nfirst = 6\nmost = 6\nlooks = 3\nlokos = 2\n"
    least, unknown = faults(text, write, catalogue)
    assert (least.path, least.place.line, least.place.column) == ("ablation.seeds.most", 4, 8)
    assert "no more than first = 6" in least.what
    assert (unknown.path, unknown.place.line, unknown.suggestions) == ("ablation.seeds.lokos", 6, ("looks",))


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("seeds = { first = 6, most = 8, looks = 4 }", "ablation.seeds.looks", "no 4 looks"),
        ("seeds = { first = 1, most = 8, looks = 2 }", "ablation.seeds.first", "out of range"),
        ("seeds = { first = 6, most = 1001, looks = 2 }", "ablation.seeds.most", "out of range"),
        ("seeds = { first = 6, most = 8, looks = 1 }", "ablation.seeds.looks", "out of range"),
        ("seeds = { first = 6, most = 8.0, looks = 2 }", "ablation.seeds.most", "not a whole number"),
        ("seeds = { first = 6, most = 8 }", "ablation.seeds.looks", "missing"),
        ('seeds = "six"', "ablation.seeds", "not a table of first, most, looks or a whole number"),
        ("seeds = 0", "ablation.seeds", "out of range"),
        ("seeds = false", "ablation.seeds", "false is not"),
    ],
)
def test_a_mistake_in_the_looks_has_its_place(text, path, said, write, catalogue):
    [fault] = faults(f"[ablation]\n{text}\n", write, catalogue)
    assert (fault.path, fault.place.line) == (path, 3)
    assert said in fault.what


def test_seeds_outside_their_table_are_sent_there(write, catalogue):
    [fault] = faults("seeds = 6\n", write, catalogue)
    assert (fault.what, fault.suggestions[:2]) == ('there is no key "seeds"', ("ablation.seeds", "seed"))
    [steps] = faults("steps = 6\n", write, catalogue)
    assert steps.suggestions[0] == "train.steps"


def test_editors_know_the_looks(catalogue):
    judge = Draft7Validator(recipe_schema(catalogue))

    def accepted(seeds):
        return judge.is_valid(tomli.loads(f"[ablation]\nseeds = {seeds}"))

    assert accepted("6")
    assert accepted("{ first = 6, most = 12, looks = 3 }")
    assert not accepted("{ first = 6, mots = 12 }")
    assert not accepted("{ first = 0.5 }")
    assert not accepted("0")


def test_check_says_what_each_look_can_claim(capsys):
    assert main(["check", "ablation_snake", "--set", LOOKS]) == 0
    out = capsys.readouterr().out
    assert "2 arms x 6 to 12 seeds" in out
    assert (
        "look 1 of 3: 6 seeds, p may be 0.013 by then, and 0.031 is the least that can be reached: it cannot claim"
    ) in out
    assert "look 2 of 3: 9 seeds, p may be 0.028 by then, and 0.0039 can be reached" in out
    assert main(["check", "ablation_snake", "--json", "--set", LOOKS]) == 0
    looks = json.loads(capsys.readouterr().out)["looks"]
    assert [(look["n_seeds"], look["level"], look["can_claim"]) for look in looks] == [
        (6, 0.0125, False),
        (9, 0.028125, True),
        (12, 0.05, True),
    ]


def test_check_of_a_recipe_without_looks_says_nothing_of_them(capsys):
    assert main(["check", "ablation_snake"]) == 0
    assert "look" not in capsys.readouterr().out
    assert main(["check", "ablation_snake", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["looks"] == []


def test_explain_shows_the_keys_of_the_looks(capsys):
    assert main(["explain", "ablation.seeds"]) == 0
    out = capsys.readouterr().out
    assert "seeds: a table of first, most, looks or a whole number, default 6" in out
    assert "  first: a whole number, required; runs of each arm by the first look" in out
