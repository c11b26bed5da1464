"""A run that begins with the weights of another: what is taken, from which run, and what is refused."""

import shutil

import pytest
import torch

from conftest import TINY
from flowvae.ablation.runs import all_runs
from flowvae.data.sounds import prepare_all
from flowvae.errors import RecipeError
from flowvae.folder import starts
from flowvae.folder.checkpoint import newest_whole
from flowvae.folder.run_records import Started
from flowvae.folder.starts import begun, check_starts
from flowvae.recipe import plan_ablation, read_recipe, resolve
from flowvae.training.start import take_weights
from flowvae.training.state import state_of
from short_runs import planned_runs, take, training_of, weights


@pytest.fixture(scope="module")
def parents(catalogue, tmp_path_factory):
    """Two finished runs of the small recipe, seeds 0 and 1, and one that was never begun."""
    folder = tmp_path_factory.mktemp("parents")
    finished = planned_runs((*SETTINGS, "ablation.seeds=2"), catalogue, folder, "ablation_snake")
    for run in finished:
        if run.arm.name == "leaky_relu":
            assert take(run) == 0
    return folder / "runs" / "leaky_relu"


SETTINGS = (*TINY, "train.steps=3")
AVERAGE = "average"


def start(parents, seed="{seed}", **more):
    said = "".join(f", {key} = {value}" for key, value in more.items())
    return f'start={{ from = "{parents}/seed-{seed}"{said} }}'


def recipe_of(catalogue, *settings, seed=0):
    return begun(resolve(read_recipe("percussion_small", (*SETTINGS, *settings)), catalogue), seed)


def parts_of(training, recipe):
    training.parts.recipe = recipe
    return training.parts


def trained(folder, module):
    return state_of(newest_whole(folder / "checkpoints"), module)


def test_the_averaged_weights_of_the_other_run_are_taken_and_nothing_of_its_optimizer(
    parents, catalogue, tmp_path
):
    setting = start(parents, 0).replace("{seed}", "0")
    training = training_of((*SETTINGS, setting), catalogue)
    training.parts.recipe = begun(training.recipe, 0)
    before = weights(training_of(SETTINGS, catalogue))
    told = take_weights(training.parts)
    expected = trained(parents / "seed-0", AVERAGE)
    assert {*told.taken} == {f"model.{name}" for name in expected}
    assert not told.new
    assert not told.left
    for name, tensor in expected.items():
        assert torch.equal(training.model.state_dict()[name], tensor), name
        assert torch.equal(training.average.state_dict()[name], tensor), name
    assert any(not torch.equal(tensor, before[name]) for name, tensor in expected.items())
    assert not training.state.optimizers["optimizer"].state


def test_the_run_says_what_it_took_and_needs_the_other_no_more(parents, catalogue, tmp_path, capsys):
    moved = shutil.copytree(parents, tmp_path / "moved")
    runs = planned_runs((*SETTINGS, start(moved), "seed=1"), catalogue, tmp_path / "out")
    shutil.rmtree(moved)
    assert take(runs[0]) == 0
    told = Started.read(runs[0].folder)
    assert len(told.taken) > 40
    assert f"begins with {len(told.taken)} tensors of another run: model." in capsys.readouterr().out
    text = (runs[0].folder / "recipe.toml").read_text()
    assert str(tmp_path) not in text
    assert 'from = "../../../files/' in text


def test_what_is_begun_with_is_part_of_the_identity_by_its_content(parents, catalogue, tmp_path):
    def identities(folder, *settings):
        return [run.identity for run in planned_runs((*SETTINGS, *settings), catalogue, tmp_path / folder)]

    elsewhere = shutil.copytree(parents, tmp_path / "elsewhere")
    (elsewhere / "seed-0" / "log.txt").write_text("what does not count")
    first = identities("one", start(parents, 0))
    assert first == identities("two", start(elsewhere, 0))
    assert first != identities("three", start(parents, 1))
    assert first != identities("four")


def test_each_seed_begins_with_its_own_run(parents, catalogue, tmp_path):
    settings = (*SETTINGS, start(parents), "ablation.seeds=2")
    runs = planned_runs(settings, catalogue, tmp_path / "out", "ablation_snake")
    froms = [run.recipe.start.from_.parents[1].name for run in runs if run.arm.name == "snake"]
    assert froms == ["seed-0", "seed-1"]
    plan = plan_ablation(read_recipe("ablation_snake", (*settings, "ablation.seeds=4")), catalogue)
    with pytest.raises(RecipeError) as caught:
        check_starts(plan)
    assert [fault.what.rpartition("/")[2] for fault in caught.value.faults] == ["seed-2", "seed-3"]


def test_a_run_that_began_with_another_goes_on_with_its_own_weights(parents, catalogue, tmp_path):
    [run] = planned_runs((*SETTINGS, start(parents, 0)), catalogue, tmp_path / "out")
    assert take(run) == 0
    ended = trained(run.folder, AVERAGE)
    (run.folder / "result.json").unlink()
    assert take(run) == 0
    for name, tensor in trained(run.folder, AVERAGE).items():
        assert torch.equal(tensor, ended[name]), name


FAULTS = {
    "no folder": ({"seed": 9}, (), "start.from", "there is no folder"),
    "not finished": ({"seed": "../../snake/seed-0"}, (), "start.from", "is not finished: waiting"),
    "no run": ({"seed": "0/checkpoints"}, (), "start.from", "is no run"),
    "another architecture": (
        {"seed": 0},
        ("model.decoder.width=6",),
        "start.from",
        "the other run has in another shape model.decoder",
    ),
    "another activation": ({"seed": 0}, ("defaults.activation=snake",), "start.from", "lacks"),
    "unknown module": (
        {"seed": 0, "take": '["model.decodr"]'},
        (),
        "start.take",
        'there is no module "model.decodr"',
    ),
    "nothing fits": (
        {"seed": 0, "take": '["model.posterior.moments"]', "partly": "true"},
        ("model.latent_dim=10",),
        "start.from",
        "no weight of model.posterior.moments fits",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_start_that_is_not_what_was_meant_is_a_fault(parents, catalogue, tmp_path, fault):
    values, settings, path, what = FAULTS[fault]
    where = start(parents, **values).replace("seed-../../", "../")
    training = training_of((*SETTINGS, *settings), catalogue)
    with pytest.raises(RecipeError) as caught:
        take_weights(parts_of(training, recipe_of(catalogue, *settings, where)))
    [found] = caught.value.faults
    assert found.path == path
    assert what in found.what
    assert found.accepted


def test_what_fits_is_taken_where_the_recipe_says_partly(parents, catalogue, tmp_path):
    settings = ("defaults.activation=leaky_relu",)
    training = training_of((*SETTINGS, *settings), catalogue)
    training.parts.recipe = recipe_of(catalogue, *settings, start(parents, 0, partly="true"))
    told = take_weights(training.parts)
    assert told.taken
    assert not told.new
    assert all("log_alpha" in name for name in told.left)
    training.parts.recipe = recipe_of(catalogue, *settings, start(parents, 0, take='["model.posterior"]'))
    assert all(name.startswith("model.posterior.") for name in take_weights(training.parts).taken)


def test_a_checkpoint_is_verified_once_a_seed_whatever_the_number_of_arms(
    parents, catalogue, tmp_path, monkeypatch
):
    vary = 'ablation.vary={ "train.optimizer.lr" = [1e-4, 2e-4, 3e-4, 4e-4] }'
    source = read_recipe("ablation_snake", (*SETTINGS, "ablation.seeds=2", vary, start(parents)))
    verified = []
    monkeypatch.setattr(
        starts, "read_verified", lambda path, look=starts.read_verified: verified.append(path) or look(path)
    )
    plan = plan_ablation(source, catalogue)
    check_starts(plan)
    assert len(verified) == 2
    sounds = prepare_all(plan.arms, tmp_path / "data", lambda _: None)
    runs = all_runs(plan, sounds, tmp_path / "runs")
    assert (len(runs), len(verified)) == (8, 4)
    assert {run.recipe.start.from_.parents[1] for run in runs} == {parents / "seed-0", parents / "seed-1"}
