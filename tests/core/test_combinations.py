"""Whatever a recipe may combine: parts by name in chains, axes and orders; what they keep; values of Python."""

from pathlib import Path

import pytest
import torch

import flowvae
from flowvae.errors import PluginError, RecipeError, UsageError
from flowvae.probe.probe import probe
from flowvae.recipe import plan_ablation, read_recipe, resolve
from flowvae.recipe.datasets import data_setting
from flowvae.recipe.identity import identity
from flowvae.training.state import TrainingState
from pretend import catalogue_with, offering, plugin

LONG = 'extends = "percussion_small"\n[losses.long]\nuse = "multi_scale_mel"\nweight = 2.0\n'


def resolved(catalogue, path, *settings):
    return resolve(read_recipe(path, settings), catalogue)


def arms(catalogue, write, vary, base=LONG):
    text = f'{base}[ablation]\nmetric = "spectral_distance"\n[ablation.vary]\n{vary}\n'
    return plan_ablation(read_recipe(write("vary.toml", text)), catalogue).arms


def faults(catalogue, write, vary, base=LONG):
    with pytest.raises(RecipeError) as caught:
        arms(catalogue, write, vary, base)
    return caught.value.faults


def test_a_recipe_on_top_changes_a_named_part_without_saying_its_component_again(catalogue, write):
    base = write("base.toml", LONG)
    top = write("top.toml", 'extends = "base.toml"\n[losses.long]\nweight = 3.0\n')
    for recipe in (resolved(catalogue, top), resolved(catalogue, base, "losses.long={ weight = 3.0 }")):
        assert (recipe.losses["long"].name, recipe.losses["long"].extras["weight"]) == (
            "multi_scale_mel",
            3.0,
        )


def test_tables_of_a_named_part_are_alternatives_with_short_names(catalogue, write):
    found = arms(catalogue, write, '"losses.long" = [{ weight = 1.0 }, { weight = 3.0 }, false]')
    assert [arm.name for arm in found] == ["long-weight-1.0", "long-weight-3.0", "without-long"]
    assert [a.recipe.losses["long"].extras["weight"] for a in found[:2]] == [1.0, 3.0]
    assert "long" not in found[2].recipe.losses


def test_the_baseline_may_be_the_one_without(catalogue, write):
    found = arms(catalogue, write, '"augmentations.polarity" = [false, "polarity"]')
    assert [arm.name for arm in found] == ["without-polarity", "polarity"]
    assert [list(arm.recipe.augmentations)[2:] for arm in found] == [[], ["polarity"]]
    extra = '"losses.extra" = [false, { use = "multi_scale_mel", weight = 0.1 }]'
    assert ["extra" in arm.recipe.losses for arm in arms(catalogue, write, extra)] == [False, True]


def test_flowvaes_own_keys_stay_where_a_component_is_swapped(catalogue, write):
    found = arms(catalogue, write, '"losses.long" = ["multi_scale_mel", "multi_resolution_stft"]')
    assert [arm.recipe.losses["long"].extras["weight"] for arm in found] == [2.0, 2.0]
    kept = resolved(catalogue, "percussion_small", "data.held_out=0.4", 'data={ use = "folder", path = "." }')
    assert kept.data.extras["held_out"] == 0.4


def test_the_order_of_parts_is_a_part_of_the_run(catalogue):
    one, other = (
        resolved(catalogue, "percussion_small", f"augmentations={order}")
        for order in ('["dequantize", "polarity"]', '["polarity", "dequantize"]')
    )
    assert identity(one, 0, "sounds") != identity(other, 0, "sounds")


def test_both_orders_are_arms_and_their_difference_is_told(catalogue, write):
    vary = '"augmentations" = [["dequantize", "polarity"], ["polarity", "dequantize"]]'
    assert len(arms(catalogue, write, vary)) == 2


@pytest.mark.parametrize(
    "path",
    ["seed", "execution.device", "evaluation.every", "evaluation.curve_points", "evaluation.audio_examples"],
)
def test_what_no_result_depends_on_is_no_axis(catalogue, write, path):
    values = '["cpu", "auto"]' if "device" in path else "[1, 2]"
    assert any("no result depends on" in f.what for f in faults(catalogue, write, f'"{path}" = {values}'))


def test_an_axis_without_quotes_is_told_to_have_them(catalogue, write):
    [fault] = faults(catalogue, write, "losses.long.weight = [1.0, 2.0]")
    assert '"losses.long.weight" = [1.0, 3.0]' in fault.accepted


def test_an_empty_path_is_no_path(catalogue):
    for path in ('""', '" "', '"a\\u0000b"'):
        with pytest.raises(RecipeError, match="is not a path"):
            resolved(catalogue, "percussion_small", f'data={{ use = "folder", path = {path} }}')
    with pytest.raises(UsageError, match="names no folder"):
        data_setting(catalogue, "")


def test_values_of_python_are_values_of_a_recipe(tmp_path):
    plan = flowvae.check("percussion_small", train={"clip": None, "optimizer": {"betas": (0.8, 0.9)}})
    assert plan.recipe.train.clip is None
    assert plan.recipe.train.optimizer.values["betas"] == (0.8, 0.9)
    plan = flowvae.check("percussion_small", losses={"multi_scale_mel": {"weight": 2}})
    assert plan.recipe.losses["multi_scale_mel"].extras["weight"] == 2.0
    with pytest.raises(RecipeError, match="a set is no value of a recipe"):
        flowvae.check("percussion_small", train={"steps": {1, 2}})
    with pytest.raises(flowvae.FlowvaeError, match="nowhere"):
        flowvae.check("percussion_small", data=tmp_path / "nowhere")
    with pytest.raises(RecipeError, match="latent_dim"):
        flowvae.check("percussion_small", model={"latent_dim": "many"})


class Growing(torch.nn.Module):
    """Its buffer begins with the first batch."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", None)
        self.seen = {}

    def forward(self, x):
        self.mean = x.mean(0) if self.mean is None else torch.cat([self.mean, x.mean(0)])
        self.seen[len(self.seen)] = (1, float(x.sum()))
        return x

    def get_extra_state(self):
        return {"seen": self.seen, "last": self.mean}

    def set_extra_state(self, state):
        self.seen = state["seen"]


class Plain:
    """No module; what it says changes its form with time."""

    def __init__(self):
        self.state = {"n": 0, "last": None}

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state


def test_state_of_any_form_is_taken_up():
    one, plain = Growing(), Plain()
    for turn in range(3):
        one(torch.full((2, 4), float(turn)))
    plain.state = {"n": 3, "last": torch.ones(2), 7: (1, [2, None]), "deep": {(1, 2): "x"}}
    files = TrainingState({"part": one, "plain": plain}, {}, step=3).files()
    again, other = Growing(), Plain()
    TrainingState({"part": again, "plain": other}, {}).restore(files)
    assert torch.equal(again.mean, one.mean)
    assert again.seen == one.seen
    assert torch.equal(other.state.pop("last"), plain.state["last"])
    assert other.state == {"n": 3, 7: (1, [2, None]), "deep": {(1, 2): "x"}}


def test_state_that_no_file_can_hold_is_refused_by_its_name():
    plain = Plain()
    plain.state = {"rate": object()}
    with pytest.raises(PluginError, match=r"weights\.plain\.rate is a object"):
        TrainingState({"plain": plain}, {}).files()


class Opens:
    """Reads a file that is a folder."""

    def __init__(self, sample_rate: int, *, table: Path) -> None:
        table.read_text()


class FailsLate:
    """Refuses a value only where it sees a batch."""

    def __init__(self, sample_rate: int, *, reach: int = 3) -> None:
        self.reach = reach

    def __call__(self, batch, stream):
        if self.reach > 2:
            raise flowvae_refused("reach", f"reach must fit the batch, got {self.reach}")
        return batch


def flowvae_refused(key, what):
    from flowvae.contracts import Refused

    return Refused(key, what)


@pytest.fixture
def late():
    return catalogue_with(plugin("fv-late", flowvae_components=offering(("augmentation", "late", FailsLate))))


def test_what_is_refused_at_the_first_batch_is_refused_by_the_probe(late, tiny):
    recipe = resolved(late, "percussion_small", *tiny, "augmentations.late={}")
    with pytest.raises(RecipeError) as caught:
        probe(recipe, late)
    [fault] = caught.value.faults
    assert fault.path == "augmentations.late.reach"
    assert fault.what.startswith("reach must fit the batch, got 3; a clip has model.n_samples = ")


def test_a_crop_that_the_slack_has_no_room_for_is_told_before_the_first_run(catalogue, tiny):
    recipe = resolved(catalogue, "percussion_small", *tiny, 'augmentations.again={ use = "random_crop" }')
    with pytest.raises(RecipeError) as caught:
        probe(recipe, catalogue)
    assert caught.value.faults[0].path.startswith("augmentations.again")


def test_whatever_a_component_raises_when_it_is_built_is_its_own_fault(tmp_path):
    from flowvae.building.construct import construct

    catalogue = catalogue_with(
        plugin("fv-opens", flowvae_components=offering(("augmentation", "opens", Opens)))
    )
    setting = f'augmentations.opens={{ table = "{tmp_path}" }}'
    part = resolved(catalogue, "percussion_small", setting).augmentations["opens"]
    with pytest.raises(
        PluginError, match=r"opens .* could not be built at augmentations.opens: IsADirectoryError"
    ):
        construct(part, "augmentations.opens", {"sample_rate": 44100}, part.values)


@pytest.mark.parametrize(
    ("recipe", "names"),
    [
        (
            "ablation_discriminators",
            [
                "without-adversarial",
                "multi_period",
                "multi_resolution",
                "wavegan",
                "multi_period-multi_resolution-wavegan",
            ],
        ),
        ("ablation_freeze", ["freeze-model.encoder-model.posterior", "no-freeze"]),
        ("ablation_feature_matching", ["feature_matching-none", "l1", "relative_l1"]),
        ("ablation_flows", ["baseline", "prior-flow", "posterior-flow", "posterior-flow-prior-flow"]),
        ("ablation_pqmf", ["bands-pqmf", "bands-none"]),
        ("ablation_anti_aliasing", ["snake", "anti_aliased"]),
    ],
)
def test_arms_of_lists_and_tables_go_by_what_is_in_them(catalogue, recipe, names):
    assert [arm.name for arm in plan_ablation(read_recipe(recipe), catalogue).arms] == names


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[losses.multi_resolution_stft]\nn_ffts = [512, 16385]\n", "losses.multi_resolution_stft.n_ffts"),
        ("[losses.long]\nuse = 'rave_spectral'\nn_ffts = [32768]\n", "losses.long.n_ffts"),
        ("[losses.onset_weighted]\nn_ffts = [20000]\n", "losses.onset_weighted.n_ffts"),
    ],
)
def test_a_window_beyond_the_clip_is_a_fault_of_its_line(text, path, catalogue, write):
    file = write("mine.toml", f'extends = "percussion_small"\n{text}')
    with pytest.raises(RecipeError) as caught:
        resolve(read_recipe(file), catalogue)
    [fault] = caught.value.faults
    assert fault.path == path
    assert "is longer than the 16384 samples of a clip" in fault.what
    assert fault.place.line == text.count("\n") + 1


def test_a_window_as_long_as_the_clip_is_no_fault(catalogue, write):
    text = "[losses.multi_resolution_stft]\nn_ffts = [16384]\n"
    recipe = resolve(read_recipe(write("mine.toml", f'extends = "percussion_small"\n{text}')), catalogue)
    assert recipe.losses["multi_resolution_stft"].values["n_ffts"] == (16384,)
