"""A run's folder that comes from a stranger: nothing outside it is written to, nothing is waited for, and faults are told."""

import json
import os
import shutil
import tracemalloc

import pytest

from flowvae.ablation.drive import run_recipe
from flowvae.ablation.plan import refuse_another
from flowvae.errors import CheckpointError, RunFolderError, Stopped
from flowvae.folder import checkpoint
from flowvae.folder.checkpoint import find_newest
from flowvae.folder.files import refuse_links, write_bytes, write_json
from flowvae.folder.journal import Journal, read_journal
from flowvae.folder.lock import is_held, locked
from flowvae.folder.plan_records import Plan
from flowvae.folder.record import FORMAT
from flowvae.folder.run_records import Order, StatusRecord
from flowvae.folder.status import read_status
from flowvae.recipe import plan_ablation, read_recipe
from short_runs import go, planned_runs, take, training_of
from tiers import swept

NAMES = [
    "lock",
    ".status.json.tmp",
    ".metrics.jsonl.tmp",
    "metrics.jsonl",
    ".events.tmp",
    "error.txt",
    ".reserve",
]


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text("mine")
    return path


@pytest.fixture
def begun(tiny, catalogue, tmp_path):
    [run] = planned_runs(tiny, catalogue, tmp_path / "out")
    return run


@pytest.mark.parametrize("way", ["link", "dangling link", "pipe"])
def test_case_59_links_and_pipes_in_a_folder_are_not_written_through_nor_waited_for(way, begun, secret):
    elsewhere = secret.with_name("nothing")
    for name in NAMES:
        if way == "pipe":
            os.mkfifo(begun.folder / name)
        else:
            (begun.folder / name).symlink_to(secret if way == "link" else elsewhere)
    assert take(begun) == 0
    assert secret.read_text() == "mine"
    assert not elsewhere.exists()
    assert read_status(begun.folder).state == "done"
    for name in ("lock", "metrics.jsonl"):
        assert (begun.folder / name).is_file()
        assert not (begun.folder / name).is_symlink()


@pytest.mark.parametrize("way", ["link", "pipe"])
def test_case_59_event_files_that_are_links_are_none_of_ours(way, tmp_path, secret):
    other = tmp_path / "run" / "events.out.tfevents.0000000001.7"
    other.parent.mkdir()
    if way == "link":
        other.symlink_to(secret)
    else:
        os.mkfifo(other)
    with Journal(tmp_path / "run", 0) as journal:
        journal.write("train", 1, {"loss": 1.0})
    assert secret.read_text() == "mine"


def test_case_59_a_lock_that_is_a_pipe_is_asked_in_no_time(tmp_path):
    os.mkfifo(tmp_path / "lock")
    assert is_held(tmp_path) is not True
    with locked(tmp_path):
        assert is_held(tmp_path)


def test_case_59_a_record_that_is_a_pipe_is_damaged(tmp_path):
    os.mkfifo(tmp_path / StatusRecord.file)
    os.mkfifo(tmp_path / "metrics.jsonl")
    with pytest.raises(CheckpointError, match="no regular file"):
        StatusRecord.read(tmp_path)
    assert read_status(tmp_path).state == "waiting"
    assert read_journal(tmp_path) == ((), 0)


def test_case_59_a_folder_of_ours_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunFolderError, match="is a link"):
        refuse_links([tmp_path / "runs"])


def test_case_13_a_folder_of_a_newer_format_is_refused_by_both_numbers(begun, tiny, catalogue, tmp_path):
    newer = FORMAT + 1
    said = f"is of format {newer}; this flowvae reads format {FORMAT}"
    order = begun.folder / Order.file
    order.write_text(json.dumps({**json.loads(order.read_text()), "format": newer}))
    before = order.read_bytes()
    assert take(begun) == CheckpointError.exit_status == 5
    assert said in read_status(begun.folder).reason
    assert order.read_bytes() == before
    write_json(tmp_path / Plan.file, {"format": newer, "name": "of a time to come"})
    with pytest.raises(CheckpointError, match=said) as caught:
        refuse_another(tmp_path, plan_ablation(read_recipe("percussion_small", tiny), catalogue))
    assert "environment.json names it" in caught.value.do


def test_case_59_a_file_is_made_anew_beside_what_had_its_name(tmp_path, secret):
    os.link(secret, tmp_path / ".a.tmp")
    write_bytes(tmp_path / "a", b"new")
    assert secret.read_text() == "mine"


DEEP = "[" * 100_000
MANIFESTS = {
    "deep": DEEP,
    "a list of files": '{"format": 1, "files": [["a", 1]]}',
    "an entry that is text": '{"format": 1, "files": {"state.json": "x"}}',
    "an endless number": '{"format": 1e999, "files": {}}',
    "sizes that are tables": '{"format": 1, "files": {"state.json": {"size": {}, "sha256": 1}}}',
    "no table": "3",
}


@pytest.fixture
def two(make, tmp_path):
    """A run that was stopped, with checkpoints of steps 3 and 5."""
    asked = iter([0, 0, 0, 0, 15])
    with pytest.raises(Stopped):
        go(make(), tmp_path / "run", lambda: next(asked))
    return tmp_path / "run" / "checkpoints"


@pytest.fixture
def make(catalogue, tiny):
    return lambda: training_of(tiny, catalogue)


@pytest.mark.parametrize("what", MANIFESTS)
def test_case_08_a_strange_manifest_falls_back_to_the_older_checkpoint(what, two):
    (two / "step-000000005" / "manifest.json").write_text(MANIFESTS[what])
    found = find_newest(two)
    assert found.step == 3
    assert found.damaged[0].startswith("step-000000005: ")


def test_case_08_a_folder_whose_name_is_no_step_is_left_alone(two):
    (two / "step-mine").mkdir()
    assert find_newest(two).step == 5
    assert (two / "step-mine").is_dir()


def test_case_08_a_pipe_in_a_checkpoint_is_not_waited_for(two):
    path = two / "step-000000005" / "tensors.safetensors"
    path.unlink()
    os.mkfifo(path)
    assert find_newest(two).step == 3


def test_case_59_a_file_that_is_longer_than_its_manifest_says_is_not_read(two):
    path = two / "step-000000005" / "tensors.safetensors"
    os.truncate(path, 1 << 28)  # it takes no room on the disk
    tracemalloc.start()
    found = find_newest(two)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.step == 3
    assert most < 1 << 26


def test_case_08_a_step_that_is_damaged_twice_is_put_aside_twice(two):
    (two / "step-000000005" / "state.json").write_text("")
    shutil.copytree(two / "step-000000003", two / ".bad-step-000000005")
    assert find_newest(two).step == 3


def forged(folder, change):
    """A checkpoint whose manifest verifies although somebody has changed what it says."""
    files = checkpoint.read_verified(folder)
    checkpoint.commit(folder.parent, int(folder.name[5:]), change(dict(files)))


def without(name):
    from safetensors.torch import load, save

    def change(files):
        tensors = {n: t for n, t in load(files["tensors.safetensors"]).items() if name not in n}
        return {**files, "tensors.safetensors": save(tensors)}

    return change


def state(**more):
    def change(files):
        content = {**json.loads(files["state.json"]), **more}
        return {**files, "state.json": json.dumps(content).encode()}

    return change


FORGED = {
    "without one moment": without("0.exp_avg"),
    "without a weight": without("weights.model.decoder"),
    "deep": lambda files: {**files, "state.json": DEEP.encode()},
    "another step": state(step=4),
    "a step that is a table": state(step={}),
    "modules that are a list": state(modules=[1]),
    "groups that are text": state(optimizers={"optimizer": {"groups": "x", "more": 3}}),
    "tensors that are none": lambda files: {**files, "tensors.safetensors": b"x" * 99},
}


@pytest.mark.parametrize("how", swept(FORGED, quick=4))
def test_case_08_a_checkpoint_that_verifies_and_cannot_be_taken_up_falls_back(how, two, make):
    whole = make()
    go(whole, two.parents[1] / "whole")
    forged(two / "step-000000005", FORGED[how])
    again = make()
    status = go(again, two.parent)
    assert "step-000000005" in status.warnings[0]
    assert "continued from step 3" in status.warnings[0]
    assert (two / ".bad-step-000000005").is_dir()
    theirs = again.model.state_dict()
    assert all(bool((w == theirs[n]).all()) for n, w in whole.model.state_dict().items())


def test_case_09_where_none_can_be_taken_up_all_stay_and_each_is_told(two, make):
    for path in sorted(two.glob("step-*")):
        forged(path, FORGED["a step that is a table"])
    with pytest.raises(CheckpointError, match="no usable checkpoint is left") as caught:
        go(make(), two.parent)
    assert "step-000000003" in caught.value.what
    assert "step-000000005" in caught.value.what
    assert sorted(p.name for p in two.glob("*step-*")) == ["step-000000003", "step-000000005"]


@pytest.mark.parametrize("name", ["runs", "data", "runs/percussion_small/seed-0/checkpoints"])
def test_case_59_an_ablation_whose_folder_holds_a_link_is_refused_before_anything_is_written(
    name, tiny, catalogue, tmp_path
):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out / name).parent.mkdir(parents=True)
    (out / name).symlink_to(elsewhere)
    with pytest.raises(RunFolderError, match="is a link"):
        run_recipe(read_recipe("percussion_small", tiny), out, print, catalogue)
    assert not list(elsewhere.iterdir())


def test_case_59_a_log_that_is_a_link_is_no_log(tiny, catalogue, tmp_path, secret):
    folder = tmp_path / "out" / "runs" / "percussion_small" / "seed-0"
    folder.mkdir(parents=True)
    (folder / "log.txt").symlink_to(secret)
    (folder / "recipe.toml").symlink_to(secret)
    planned_runs(tiny, catalogue, tmp_path / "out")
    assert not (folder / "log.txt").is_symlink()
    assert not (folder / "recipe.toml").is_symlink()
    assert secret.read_text() == "mine"
