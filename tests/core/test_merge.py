"""`flowvae merge`: folders that the engine made, as one; the sources are compared byte by byte afterwards."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from conftest import TINY
from flowvae.ablation import merge as module
from flowvae.ablation.drive import run_recipe
from flowvae.cli.main import main
from flowvae.folder.lock import locked
from flowvae.folder.plan_records import Plan
from flowvae.folder.run_records import Result
from flowvae.folder.status import Status
from flowvae.recipe import read_recipe
from flowvae.report.looks import earlier_looks
from flowvae.report.reading import read_folder

pytestmark = pytest.mark.slow
FEW = (*TINY, "train.steps=2", "evaluation.every=2", "train.checkpoint_every=2")


def make(out, catalogue, *settings):
    said = []
    run_recipe(read_recipe("ablation_snake", (*FEW, *settings)), out, said.append, catalogue)
    return said


@pytest.fixture(scope="module")
def made(tmp_path_factory, catalogue):
    """The same recipe in two folders with seeds of their own; nobody changes them."""
    root = tmp_path_factory.mktemp("machines")
    make(root / "a", catalogue, "ablation.seeds=2")
    make(root / "b", catalogue, "ablation.seeds=1", "seed=2")
    return root


@pytest.fixture
def two(made, tmp_path):
    """A copy of both that a test may change."""
    for name in ("a", "b"):
        shutil.copytree(made / name, tmp_path / name)
    return tmp_path


def content(*folders):
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for f in folders for p in f.rglob("*") if p.is_file()}


def merge(target, *folders):
    return main(["merge", str(target), *map(str, folders)])


def edit(path, change):
    said = json.loads(path.read_text())
    change(said)
    path.write_text(json.dumps(said))


def test_seeds_of_two_machines_become_one_ablation_that_reports_and_resumes(
    made, tmp_path, catalogue, capsys
):
    before = content(made / "a", made / "b")
    target = tmp_path / "all"
    assert merge(target, made / "a", made / "b") == 0
    said = capsys.readouterr().out
    assert f"report: {target / 'report.html'}" in said
    assert content(made / "a", made / "b") == before
    plan = Plan.read(target)
    assert plan.seeds == (0, 1, 2)
    found = read_folder(target)
    assert not found.problems
    assert [run.state for run in found.runs] == ["done"] * 6
    for run in found.runs:
        source = made / ("b" if run.seed == 2 else "a") / "runs" / run.arm / f"seed-{run.seed}"
        assert run.result == Result.read(source)
    page = (target / "report.html").read_text()
    assert "merged from 4 runs of seeds 2 (0 to 1)" in page
    assert "6 of 6 runs finished" in page
    assert not [*target.rglob(".*")]
    assert not [*tmp_path.glob(".*")]
    # It goes on as any other: nothing is done again, and a seed can be added.
    told = make(target, catalogue, "ablation.seeds=3")
    assert "runs to do: 0, 6 done before" in "\n".join(told)
    assert Plan.read(target).ledger == plan.ledger
    told = make(target, catalogue, "ablation.seeds=4")
    assert "runs to do: 2, 6 done before" in "\n".join(told)
    assert all(run.state == "done" for run in read_folder(target).runs)


def test_arms_of_two_machines_become_one_ablation(made, tmp_path, catalogue):
    recipe = tmp_path / "other.toml"
    recipe.write_text(
        'extends = "ablation_snake"\n[ablation.vary]\n"defaults.activation" = ["snake", "elu"]\n'
    )
    source = read_recipe(str(recipe), (*FEW, "ablation.seeds=2"))
    run_recipe(source, tmp_path / "c", lambda _: None, catalogue)
    assert merge(tmp_path / "all", made / "a", tmp_path / "c") == 0
    plan = Plan.read(tmp_path / "all")
    assert [arm.name for arm in plan.arms] == ["snake", "leaky_relu", "elu"]
    assert "arm added" in [entry.what for entry in plan.ledger]
    assert {run.state for run in read_folder(tmp_path / "all").runs} == {"done"}


def test_seeds_that_were_planned_after_others_could_be_seen_count_as_added_after_a_look(two):
    first, second = Plan.read(two / "a"), Plan.read(two / "b")
    # The engine made them one after the other.
    edit(
        two / "b/plan.json",
        lambda p: p["ledger"][0].update(
            when=(datetime.fromisoformat(first.ledger[0].when) + timedelta(hours=3)).isoformat()
        ),
    )
    assert merge(two / "late", two / "a", two / "b") == 0
    late = Plan.read(two / "late")
    [added] = [entry for entry in late.ledger if entry.what == "seeds"]
    assert (added.finished, added.seeds, added.after) == (4, (0, 1), "3 (0 to 2)")
    assert [set(look.seeds) for look in earlier_looks(late)[0]] == [{0, 1}]
    # Planned at the same moment, nobody can have seen anything.
    edit(two / "b/plan.json", lambda p: p["ledger"][0].update(when=first.ledger[0].when))
    assert merge(two / "together", two / "b", two / "a") == 0
    together = Plan.read(two / "together")
    [added] = [entry for entry in together.ledger if entry.what == "seeds"]
    assert added.finished == 0
    assert earlier_looks(together)[0] == ()
    assert [entry.what for entry in together.ledger][-1] == "merged"
    assert together.ledger[-1].finished == 6
    assert second.seeds == (2,)


DIFFERENT = {
    "train.batch_size": (["train.batch_size=3"], "train.batch_size: 2 in snake of "),
    "sounds": (['data={ use = "synthetic_percussion", n_sounds = 49 }'], "data fingerprint: "),
    "metric": (['ablation.metric="si_sdr"'], "metric: "),
    "metrics": (['evaluation.metrics=["spectral_distance"]'], "metrics: si_sdr, higher, dB"),
    "looks": (["ablation.seeds={ first = 2, most = 3, looks = 2 }"], "looks: none in "),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_is_named_and_nothing_is_written(name, made, tmp_path, catalogue, capsys):
    settings, told = DIFFERENT[name]
    make(tmp_path / "c", catalogue, "ablation.seeds=1", "seed=5", *settings)
    capsys.readouterr()
    assert merge(tmp_path / "all", made / "a", tmp_path / "c") == 9
    said = capsys.readouterr().err
    assert told in said
    assert not re.search(r"[A-Z]\w+\(\w+=", said), said  # no record as Python writes it
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c"]


def test_another_source_or_version_of_a_component_is_named(two, capsys):
    def others(said):
        component = said["arms"][0]["components"]["activation flowvae:snake"]
        component["source"] = "00" * 32

    edit(two / "b/plan.json", others)
    edit(two / "b/arms.json", lambda said: said["arms"]["snake"].update(identity="00"))
    assert merge(two / "all", two / "a", two / "b") == 9
    assert "the source of activation flowvae:snake is another one" in capsys.readouterr().err
    edit(
        two / "b/plan.json",
        lambda said: said["arms"][0]["components"]["activation flowvae:snake"].update(version="7"),
    )
    assert merge(two / "all", two / "a", two / "b") == 9
    assert "activation flowvae:snake is of flowvae 0.1.0" in capsys.readouterr().err


def test_a_run_that_is_there_twice_is_told_where_it_is_the_same_and_refused_where_it_is_not(two, capsys):
    shutil.copytree(two / "a", two / "copy")
    # What it cost is the machine's.
    edit(two / "copy/runs/snake/seed-0/result.json", lambda said: said["costs"].update(train_seconds=1e6))
    assert merge(two / "all", two / "a", two / "copy", two / "b") == 0
    assert "snake seed 0 is the same in " in capsys.readouterr().out
    assert len(list((two / "all").glob("runs/*/seed-*"))) == 6
    edit(
        two / "copy/runs/snake/seed-0/result.json",
        lambda said: said["metrics"]["si_sdr"].update(value=77.0),
    )
    assert merge(two / "again", two / "a", two / "copy") == 9
    said = capsys.readouterr().err
    assert "snake seed 0 is there twice" in said
    assert "with other figures (si_sdr)" in said
    assert not (two / "again").exists()


def test_runs_without_an_end_are_left_and_told_and_failed_ones_come_along(two, catalogue, capsys):
    stopped, failed = (two / "b/runs" / arm / "seed-2" for arm in ("snake", "leaky_relu"))
    Status(stopped, 2).write("stopped", 1, reason="signal 15")
    Status(failed, 2).write("failed", 1, reason="loss is nan")
    assert merge(two / "all", two / "a", two / "b") == 0
    assert f"snake seed 2 of {two / 'b'} is left there: stopped, no end yet" in capsys.readouterr().out
    states = {(run.arm, run.seed): run.state for run in read_folder(two / "all").runs}
    assert states["snake", 2] == "waiting"
    assert states["leaky_relu", 2] == "failed"
    told = make(two / "all", catalogue, "ablation.seeds=3")
    assert "runs to do: 2, 4 done before" in "\n".join(told)
    assert {run.state for run in read_folder(two / "all").runs} == {"done"}


def test_what_is_done_in_one_folder_comes_before_what_failed_in_another(two):
    shutil.copytree(two / "a", two / "copy")
    Status(two / "a/runs/snake/seed-0", 2).write("failed", 1, reason="loss is nan")
    assert merge(two / "all", two / "a", two / "copy") == 0
    assert {run.state for run in read_folder(two / "all").runs} == {"done"}


def test_runs_of_one_seed_with_other_versions_of_torch_are_no_pair(two, capsys):
    def other(said):
        said["distributions"]["torch"] = "2.11.0"

    edit(two / "b/runs/snake/seed-2/environment.json", other)
    assert merge(two / "all", two / "a", two / "b") == 9
    assert "snake seed 2 was computed with torch 2.11.0" in capsys.readouterr().err
    edit(two / "b/runs/leaky_relu/seed-2/environment.json", other)
    assert merge(two / "all", two / "a", two / "b") == 0


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from flowvae.ablation import merge
from flowvae.cli.main import main
place, count = sys.argv[1], int(sys.argv[2])
die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
if place == "copy":
    original, seen = shutil.copytree, []
    merge.shutil.copytree = lambda *a, **k: (seen.append(a), len(seen) == count and die(), original(*a, **k))[-1]
elif place == "page":
    merge.write_report = die
elif place == "before the name":
    merge.os.sync = die
elif place == "after the name":
    original = Path.rename
    Path.rename = lambda self, to: (original(self, to), die() if self.name.endswith(".merging") else None)
main(["merge", *sys.argv[3:]])
"""


@pytest.mark.parametrize("place", ["copy 1", "copy 4", "page 0", "before the name 0", "after the name 0"])
def test_a_kill_at_any_point_leaves_the_sources_untouched_and_the_target_whole_or_absent(place, two, capsys):
    before = content(two / "a", two / "b")
    where, _, count = place.rpartition(" ")
    command = [sys.executable, "-c", KILLED, where, count, *(str(two / n) for n in ("all", "a", "b"))]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert content(two / "a", two / "b") == before
    if where == "after the name":
        assert {run.state for run in read_folder(two / "all").runs} == {"done"}
    else:
        assert not (two / "all").exists()
        assert merge(two / "all", two / "a", two / "b") == 0
    assert (two / "all/report.html").is_file()
    assert sorted(p.name for p in two.iterdir()) == ["a", "all", "b"]


def test_a_full_disk_leaves_nothing(two, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.shutil, "copytree", full)
    assert merge(two / "all", two / "a", two / "b") == 8
    assert "No space left" in capsys.readouterr().err
    assert sorted(p.name for p in two.iterdir()) == ["a", "b"]


def test_two_merges_into_one_target_exclude_each_other_and_the_second_harms_nothing(two, capsys):
    draft = two / ".all.merging"
    draft.mkdir()
    (draft / "theirs").touch()
    with locked(draft):
        assert merge(two / "all", two / "a", two / "b") == 6
        assert (draft / "theirs").exists()
    assert "is in use by process" in capsys.readouterr().err


def test_places_that_cannot_be_are_refused(two, capsys):
    (two / "empty").mkdir()
    assert merge(two / "a", two / "b") == 6
    assert merge(two / "all", two / "empty") == 2
    assert merge(two / "all", two / "none") == 2
    assert merge(two / "all", two / "a", two / "a") == 2
    assert merge(two / "a/inside", two / "a", two / "b") == 2
    assert "lies inside" in capsys.readouterr().err
    (two / "a/arms.json").write_text("{")
    assert merge(two / "all", two / "a", two / "b") == 5
    assert sorted(p.name for p in two.iterdir()) == ["a", "b", "empty"]
    assert merge(two / "empty", two / "b") == 0
