"""What a recipe names is built in one place, under its key path; a value that is refused is told where it was written."""

import re

import pytest

from flowvae.ablation.drive import run_recipe
from flowvae.building.builder import Builder
from flowvae.building.construct import construct
from flowvae.contracts import Refused
from flowvae.errors import RecipeError
from flowvae.probe.probe import probe
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.placing import placed
from pretend import catalogue_with, offering, plugin
from short_runs import begin, clips_of


@pytest.fixture
def built(monkeypatch):
    """The paths under which parts were built."""
    paths = []
    build = Builder.build

    def recording(self, part, path, **given):
        paths.append(path)
        return build(self, part, path, **given)

    monkeypatch.setattr(Builder, "build", recording)
    return paths


NAMED = (
    'losses={ multi_scale_mel = { n_ffts = [512], n_mels = [20] }, short = { use = "multi_scale_mel", n_ffts = [256], n_mels = [20] } }',
    'augmentations={ second = { use = "dequantize", bits = 12 } }',
    'evaluation.metrics={ late = { use = "tonal_artefact", tail = 0.5 } }',
)


def test_probe_and_training_build_the_same_parts_under_the_same_paths(catalogue, tiny, tmp_path, built):
    recipe = resolve(read_recipe("percussion_small", (*tiny, *NAMED, "train.ema=none")), catalogue)
    clips_of(recipe)  # or the sounds would be built among the parts
    built.clear()
    probe(recipe, catalogue)
    probed = sorted(built)
    built.clear()
    begin(recipe)
    assert sorted(built) == probed
    assert len(set(probed)) == len(probed)
    assert {"losses.short", "augmentations.second", "evaluation.metrics.late", "train.optimizer"} <= {*probed}
    for path in probed:
        assert re.sub(r"\[\d+\]", "", path) + ".use" in recipe.origins


class Choosy:
    """Refuses a value, and says which in the middle of its message or not at all."""

    def __init__(self, sample_rate: int, *, lead: int = 1, level: float = 1.0, quiet: bool = False) -> None:
        if level > 1 and quiet:
            raise ValueError(f"lead of a level of {level} is too loud")
        if level > 1:
            raise Refused("level", f"lead of a level of {level} is too loud")

    def __call__(self, batch, stream):
        return batch


@pytest.fixture
def choosy():
    return catalogue_with(
        plugin("fv-choosy", flowvae_components=offering(("augmentation", "choosy", Choosy)))
    )


def refused(catalogue, text, tmp_path, monkeypatch):
    """The fault of a recipe, through a probe in this process."""
    (tmp_path / "loud.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    recipe = resolve(read_recipe("loud.toml"), catalogue)
    with pytest.raises(RecipeError) as caught:
        construct(
            recipe.augmentations["choosy"],
            "augmentations.choosy",
            {"sample_rate": 44100},
            recipe.augmentations["choosy"].values,
        )

    [fault] = caught.value.faults
    return placed(fault, recipe)


LOUD = 'extends = "percussion_small"\n[augmentations.choosy]\nlead = 2\nlevel = 3.0\n'


def test_a_refused_value_is_told_by_its_key_and_not_by_the_first_word_of_the_message(
    choosy, tmp_path, monkeypatch
):
    fault = refused(choosy, LOUD, tmp_path, monkeypatch)
    assert (fault.path, str(fault.place)) == ("augmentations.choosy.level", "loud.toml:4:9")


def test_without_a_key_nothing_is_guessed(choosy, tmp_path, monkeypatch):
    fault = refused(choosy, LOUD + "quiet = true\n", tmp_path, monkeypatch)
    assert (fault.path, str(fault.place)) == ("augmentations.choosy", "loud.toml:2:1")


@pytest.mark.slow
def test_a_value_inside_a_slot_is_told_where_it_was_written(catalogue, tiny, tmp_path, monkeypatch):
    """Through the command's own probe: a default of a kind stands in many slots, and is told of the default."""
    text = 'extends = "percussion_small"\n[defaults]\nactivation = { use = "snake", alpha = -1.0 }\n'
    (tmp_path / "bent.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    few = tuple(s for s in tiny if not s.startswith("ablation."))
    with pytest.raises(RecipeError) as caught:
        run_recipe(read_recipe("bent.toml", few), tmp_path / "out", lambda _: None, catalogue)
    fault = caught.value.faults[0]
    assert fault.path.endswith("activation.alpha")
    assert str(fault.place) == "bent.toml:3:39"
    assert fault.what == "alpha must be above 0, got -1.0"
