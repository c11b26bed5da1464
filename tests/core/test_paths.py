"""A path may stand in any component: it counts by what it points to, and a folder of runs can be moved."""

import shutil
from pathlib import Path

import pytest
import torch

from flowvae.ablation.drive import run_recipe
from flowvae.errors import RecipeError, RunFolderError
from flowvae.folder.plan_records import Plan
from flowvae.folder.probe_records import Arms
from flowvae.folder.run_records import Order
from flowvae.recipe import plan_ablation, read_recipe, resolve
from flowvae.recipe.identity import identity
from pretend import catalogue_with, offering, plugin


class Echo:
    """Adds what a file holds."""

    def __init__(self, sample_rate: int, *, response: Path, others: tuple[Path, ...] = ()) -> None:
        self.level = float(response.read_text()) + sum(float(p.read_text()) for p in others)

    def __call__(self, batch, stream):
        return batch + self.level


@pytest.fixture
def echo():
    return catalogue_with(plugin("fv-echo", flowvae_components=offering(("augmentation", "echo", Echo))))


@pytest.fixture
def write(tmp_path):
    def write(folder, level="0.0", name="room.txt"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(level)
        recipe = tmp_path / folder / "echoes.toml"
        recipe.write_text(f'extends = "percussion_small"\n[augmentations.echo]\nresponse = "{name}"\n')
        return str(recipe)

    return write


def test_a_path_is_meant_from_the_file_that_says_it(echo, write, tmp_path, monkeypatch):
    recipe = resolve(read_recipe(write("one")), echo)
    assert recipe.augmentations["echo"].values["response"] == tmp_path / "one" / "room.txt"
    monkeypatch.chdir(tmp_path / "one")
    there = resolve(read_recipe("percussion_small", ('augmentations.echo={ response = "room.txt" }',)), echo)
    assert there.augmentations["echo"].values["response"] == tmp_path / "one" / "room.txt"
    several = resolve(read_recipe(write("one"), ('augmentations.echo.others=["room.txt"]',)), echo)
    assert several.augmentations["echo"].values["others"] == (tmp_path / "one" / "room.txt",)


def test_a_path_counts_by_content_and_not_by_place(echo, write):
    one, moved, other = (
        resolve(read_recipe(write(*of)), echo) for of in (("one", "0.5"), ("two", "0.5"), ("three", "0.25"))
    )
    assert identity(one, 0, "sounds") == identity(moved, 0, "sounds")
    assert identity(one, 0, "sounds") != identity(other, 0, "sounds")


def test_two_arms_that_point_to_the_same_content_are_one_recipe(echo, write, tmp_path):
    base = write("one", "0.5")
    (tmp_path / "one" / "again.txt").write_text("0.5")
    vary = '[ablation]\nmetric = "spectral_distance"\n[ablation.vary]\n"augmentations.echo.response" = ["room.txt", "{}"]\n'
    Path(base).write_text(Path(base).read_text() + vary.format("again.txt"))
    with pytest.raises(RecipeError, match="is the same recipe as"):
        plan_ablation(read_recipe(base), echo)
    (tmp_path / "one" / "again.txt").write_text("0.75")
    assert len(plan_ablation(read_recipe(base), echo).arms) == 2


def test_a_path_to_nothing_is_told_where_it_stands(echo, write):
    recipe = write("one")
    (Path(recipe).parent / "room.txt").unlink()
    with pytest.raises(RecipeError) as caught:
        resolve(read_recipe(recipe), echo)
    [fault] = caught.value.faults
    assert (fault.path, fault.place.line) == ("augmentations.echo.response", 3)
    assert "there is no file or folder" in fault.what


OFFER = """from flowvae import hookimpl

@hookimpl
def flowvae_components(register):
    register("augmentation", "echo", "fv_echo.echo:Echo")
"""
CLASS = '''"""Adds what a file holds."""
from pathlib import Path

class Echo:
    """Adds what a file holds."""

    def __init__(self, sample_rate: int, *, response: Path) -> None:
        self.level = float(response.read_text())

    def __call__(self, batch, stream):
        return batch + self.level
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A plugin that child processes see as well."""
    site = tmp_path / "site"
    (site / "fv_echo").mkdir(parents=True)
    (site / "fv_echo" / "__init__.py").write_text("")
    (site / "fv_echo" / "plugin.py").write_text(OFFER)
    (site / "fv_echo" / "echo.py").write_text(CLASS)
    (site / "fv_echo-1.0.dist-info").mkdir()
    (site / "fv_echo-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: fv-echo\nVersion: 1.0\n"
    )
    (site / "fv_echo-1.0.dist-info" / "entry_points.txt").write_text("[flowvae]\necho = fv_echo.plugin\n")
    monkeypatch.syspath_prepend(str(site))
    import os

    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    )
    from flowvae.catalogue import Catalogue

    return Catalogue.installed(only=("fv-echo",))


@pytest.mark.slow
def test_a_run_with_a_path_goes_on_where_it_is_moved_and_refuses_other_content(
    installed, write, tiny, tmp_path
):
    few = (*(s for s in tiny if not s.startswith("ablation.")), "train.steps=2", "evaluation.every=1")
    recipe = write("one", "0.125")
    out = tmp_path / "out"
    run_recipe(read_recipe(recipe, few), out, lambda _: None, installed)
    told = [*out.rglob("*.json"), *out.rglob("*.toml"), *out.rglob("*.html"), *out.rglob("*.csv")]
    assert not [file for file in told if str(tmp_path) in file.read_text()]
    assert "content " in Arms.read(out).arms["echoes"].leaves["augmentations.echo.response"]

    moved = tmp_path / "elsewhere" / "deep" / "out"
    moved.parent.mkdir(parents=True)
    shutil.move(out, moved)
    shutil.rmtree(tmp_path / "one")
    (run,) = moved.glob("runs/*/seed-0")
    from flowvae.play.trained import TrainedRun

    trained = TrainedRun.at(run)
    assert trained.recipe.augmentations["echo"].values["response"].read_text() == "0.125"
    assert trained.sample(2).shape == (2, 1, trained.recipe.model.n_samples)
    assert torch.isfinite(trained.sample(2)).all()
    assert Order.read(run).identity
    again = write("two", "0.125")
    run_recipe(read_recipe(again, few), moved, lambda _: None, installed)
    with pytest.raises(RunFolderError, match=r'augmentations\.echo\.response: "content'):
        run_recipe(read_recipe(write("two", "0.5"), few), moved, lambda _: None, installed)
    assert Plan.read(moved).name == "echoes"
