import hashlib
import json
import os
import random
import subprocess
import sys
import time

import pytest

from flowvae.errors import CheckpointError, MachineError
from flowvae.folder import checkpoint

FILES = {"tensors.safetensors": b"weights" * 100, "state.json": b"{}"}


@pytest.fixture
def two(tmp_path):
    for step in (5, 10):
        checkpoint.commit(tmp_path, step, {**FILES, "state.json": str(step).encode()})
    return tmp_path


def test_what_was_committed_is_found(two):
    found = checkpoint.find_newest(two)
    assert found.step == 10
    assert found.files["state.json"] == b"10"
    assert not found.damaged


def test_a_folder_without_checkpoints_has_none(tmp_path):
    assert checkpoint.find_newest(tmp_path / "none") is None


def damage(path):
    data = path.read_bytes()
    return [b"", data[: len(data) // 2], data[:-1] + bytes([data[-1] ^ 1])]


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("way", [0, 1, 2])
def test_case_08_a_damaged_checkpoint_is_put_aside_and_the_older_one_is_used(two, name, way):
    path = two / "step-000000010" / name
    path.write_bytes(damage(path)[way])
    if name == "manifest.json" and way == 2:
        path.write_bytes(b"[]")
    found = checkpoint.find_newest(two)
    assert found.step == 5
    assert found.damaged[0].startswith("step-000000010")
    assert (two / ".bad-step-000000010").is_dir()


@pytest.mark.parametrize("change", ["missing", "foreign", "path"])
def test_case_08_a_checkpoint_with_strange_content_is_not_read(two, change):
    folder = two / "step-000000010"
    manifest = json.loads((folder / "manifest.json").read_text())
    if change == "missing":
        (folder / "state.json").unlink()
    elif change == "foreign":
        (folder / "other").write_text("x")
    else:
        (two / "secret").write_text("x")
        manifest["files"]["../secret"] = {"size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert checkpoint.find_newest(two).step == 5


def test_case_13_a_checkpoint_of_a_newer_format_is_refused_by_both_numbers_and_stays_where_it_is(two):
    """An older one beside it is no way out: the run would lose what the newer flowvae has trained."""
    path = two / "step-000000010" / "manifest.json"
    written = json.loads(path.read_text())
    path.write_text(json.dumps({**written, "format": checkpoint.FORMAT + 1}))
    with pytest.raises(CheckpointError) as caught:
        checkpoint.find_newest(two)
    ours, theirs = checkpoint.FORMAT, checkpoint.FORMAT + 1
    assert f"is of format {theirs}; this flowvae reads formats up to {ours}" in caught.value.what
    assert "environment.json names it" in caught.value.do
    assert caught.value.exit_status == 5
    assert sorted(p.name for p in two.iterdir()) == ["step-000000005", "step-000000010"]
    path.write_text(json.dumps(written))
    assert checkpoint.find_newest(two).step == 10


@pytest.mark.parametrize("times", [(2000, 1000), (1000, 1000)])
def test_case_19_the_newest_checkpoint_is_that_of_the_highest_step_whatever_the_clock_said(two, times):
    for step, when in zip((5, 10), times, strict=True):
        for path in (two / f"step-{step:09d}", *(two / f"step-{step:09d}").iterdir()):
            os.utime(path, (when, when))
    assert checkpoint.find_newest(two).step == 10
    assert checkpoint.newest_whole(two)["state.json"] == b"10"
    assert checkpoint.last_step(two) == 10
    checkpoint.retain(two, 1)
    assert [path.name for path in checkpoint.steps_in(two)] == ["step-000000010"]


def test_case_09_damaged_checkpoints_alone_never_start_a_run_over(two):
    for path in two.glob("step-*/manifest.json"):
        path.write_text("")
    with pytest.raises(CheckpointError, match="no usable checkpoint is left") as caught:
        checkpoint.find_newest(two)
    assert "step-000000005" in caught.value.what
    assert "step-000000010" in caught.value.what
    with pytest.raises(CheckpointError, match="put aside before"):
        checkpoint.find_newest(two)


def test_case_01_leftovers_of_an_interrupted_commit_are_removed(two):
    (two / ".tmp-step-000000011").mkdir()
    (two / ".trash-step-000000001").mkdir()
    checkpoint.find_newest(two)
    assert not list(two.glob(".t*"))


def test_case_10_a_failed_commit_leaves_the_folder_as_it_was(two, monkeypatch):
    def refuse(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_write_flushed", refuse)
    with pytest.raises(MachineError, match="No space left"):
        checkpoint.commit(two, 15, FILES)
    assert sorted(p.name for p in two.iterdir()) == ["step-000000005", "step-000000010"]


def test_case_12_retention_keeps_the_newest_and_what_is_not_its_own(two):
    (two / "notes.txt").write_text("mine")
    (two / "step-mine").mkdir()
    os.utime(two / "step-000000010", (0, 0))  # the newest is of the highest step, whatever a clock said
    checkpoint.retain(two, 1)
    assert sorted(p.name for p in two.iterdir()) == ["notes.txt", "step-000000010", "step-mine"]


def test_case_11_what_a_disk_does_not_let_go_is_no_fault_of_a_save_and_is_tried_again(two, monkeypatch):
    def refuse(path):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "_discard", refuse)
        checkpoint.retain(two, 1)
    assert checkpoint.find_newest(two).step == 10
    assert len(checkpoint.steps_in(two)) == 2
    checkpoint.retain(two, 1)
    assert [p.name for p in checkpoint.steps_in(two)] == ["step-000000010"]


def test_case_03_every_file_is_flushed_before_the_rename_and_the_parent_after_it(tmp_path, monkeypatch):
    events = []
    import os
    from pathlib import Path

    fsync, rename = os.fsync, Path.rename
    monkeypatch.setattr(
        os, "fsync", lambda f: (events.append(str(Path(f"/proc/self/fd/{f}").readlink())), fsync(f))
    )
    monkeypatch.setattr(Path, "rename", lambda s, t: (events.append("rename"), rename(s, t)))
    checkpoint.commit(tmp_path, 1, FILES)
    at = events.index("rename")
    flushed = [e.rpartition("/")[2] for e in events[:at]]
    assert flushed == ["tensors.safetensors", "state.json", "manifest.json", ".tmp-step-000000001"]
    assert events[at + 1 :] == [str(tmp_path)]


SAVING = """
import sys, time
from pathlib import Path
from flowvae.folder import checkpoint
folder, step = Path(sys.argv[1]), int(sys.argv[2])
print("begun", flush=True)
while True:
    step += 1
    checkpoint.commit(folder, step, {name: b"%09d" % step * 300_000 for name in ("tensors.safetensors", "state.json")})
    checkpoint.retain(folder, 2)
"""


def test_case_02_a_kill_at_any_moment_of_saving_leaves_one_whole_step(tmp_path):
    moments, step = random.Random(7), 0
    for _ in range(10):
        command = [sys.executable, "-c", SAVING, str(tmp_path), str(step)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as saving:
            assert saving.stdout.readline() == b"begun\n"
            time.sleep(moments.uniform(0.02, 0.4))
            saving.kill()
        found = checkpoint.find_newest(tmp_path)
        if found is None:
            continue
        assert not found.damaged
        assert {data[:9] for data in found.files.values()} == {b"%09d" % found.step}
        assert all(data == data[:9] * 300_000 for data in found.files.values())
        assert found.step >= step
        step = found.step
    assert step > 0
