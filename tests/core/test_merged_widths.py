"""`flowvae merge` of folders whose widths were sought by the clock: that of each machine is another one."""

import shutil
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from attrs import fields

from conftest import TINY
from flowvae.ablation import drive
from flowvae.cli.main import main
from flowvae.folder.matched import Matching
from flowvae.folder.plan_records import Plan
from flowvae.probe import matching
from flowvae.probe.__main__ import main as probe
from flowvae.probe.width_search import Cost
from flowvae.processes.launcher import Called
from flowvae.recipe import read_recipe
from flowvae.report import write
from flowvae.report.reading import read_folder
from two_players import in_this_process

pytestmark = pytest.mark.slow
WIDTH = "model.decoder.width"
RECIPE = f"""
extends = "percussion_small"
[ablation]
metric = "spectral_distance"
match = {{ by = "{WIDTH}", what = "seconds" }}
[ablation.vary]
"model.decoder.dilations" = [[1], [1, 3]]
[model]
decoder = {{ use = "soundstream", width = 4, strides = [4, 4] }}
"""
SETTINGS = (*(one for one in TINY if "model.decoder" not in one), "train.steps=1", "evaluation.every=1")


@pytest.fixture
def run(tmp_path, catalogue, monkeypatch):
    """Runs one seed of the recipe on a machine that finds a width; gives how often one was sought."""
    (tmp_path / "matched.toml").write_text(RECIPE)
    in_this_process(monkeypatch)
    monkeypatch.setattr(write, "_draw", lambda *_: write.Pictures(*[None] * len(fields(write.Pictures))))
    sought = []

    def call(command):
        place = Path(command[4])
        if command[3] == "flowvae.probe.matching":
            sought.append(Matching.read(place).asked)
            return Called(matching.main(place), "", "")
        return Called(probe(place, command[5:]), "", "")

    def run(folder, seed, width):
        def timed(*_):
            return lambda recipe: Cost.exact(recipe.leaves()[WIDTH] / width)

        monkeypatch.setattr(drive, "launched", lambda *_: nullcontext(SimpleNamespace(call=call, start=None)))
        monkeypatch.setitem(matching.WAYS, "seconds", timed)
        sought.clear()
        settings = (*SETTINGS, f"seed={seed}", "ablation.seeds=1")
        source = read_recipe(str(tmp_path / "matched.toml"), settings)
        drive.run_recipe(source, tmp_path / folder, lambda _: None, catalogue)
        return len(sought)

    return run


def test_other_widths_are_refused_with_their_reason_and_those_of_one_machine_can_be_taken(
    run, tmp_path, capsys
):
    assert [run("a", 0, 3), run("b", 1, 2)] == [1, 1]
    where = [str(tmp_path / name) for name in ("all", "a", "b", "again")]
    assert main(["merge", *where[:3]]) == 9
    said = " ".join(capsys.readouterr().err.split())
    assert f"{WIDTH}: 3 in " in said
    assert ", 2 in " in said
    assert '(each sought for itself: match = "seconds")' in said
    assert "arms.json of" in said
    assert not (tmp_path / "all").exists()
    # What it says to do.
    (tmp_path / "again").mkdir()
    shutil.copy(tmp_path / "a/arms.json", tmp_path / "again")
    assert run("again", 1, 2) == 0
    assert main(["merge", where[0], where[1], where[3]]) == 0
    plan = Plan.read(tmp_path / "all")
    assert (plan.seeds, plan.arms[1].matched.width) == ((0, 1), 3)
    assert {found.state for found in read_folder(tmp_path / "all").runs} == {"done"}
    assert "of one recipe" not in said


def test_machines_that_find_one_width_by_other_clocks_merge(run, tmp_path):
    run("a", 0, 3)
    run("b", 1, 3.2)
    assert main(["merge", *(str(tmp_path / name) for name in ("all", "a", "b"))]) == 0
    assert Plan.read(tmp_path / "all").seeds == (0, 1)
