"""Every file operation of a save fails once, or is the last of its process: a whole checkpoint is there, and it is the old or the new one.

The operations are enumerated with strace, which makes the n-th of them fail or kills the process at it.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from flowvae.errors import MachineError
from flowvae.folder import checkpoint

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")

SAVE = """
import sys
from pathlib import Path
from flowvae.errors import MachineError
from flowvae.folder import checkpoint
folder = Path(sys.argv[1])
try:
    checkpoint.commit(folder, 15, {"tensors.safetensors": b"new" * 4000, "state.json": b"15"})
    checkpoint.retain(folder, 2)
except MachineError as error:
    sys.exit(error.exit_status)
"""
CALLS = ("openat", "write", "fsync", "mkdir", "rename", "unlink", "unlinkat", "rmdir", "close", "statfs")
"""What a save asks the system for; a name that this system has not is left out."""


def files_of(step):
    return {"tensors.safetensors": b"old" * 3000, "state.json": str(step).encode()}


@pytest.fixture
def folder(tmp_path):
    """Two checkpoints, and the leftovers of a save that was interrupted."""
    here = tmp_path / "checkpoints"
    for step in (5, 10):
        checkpoint.commit(here, step, files_of(step))
    (here / ".tmp-step-000000015").mkdir()
    (here / ".tmp-step-000000015" / "state.json").write_text("torn")
    return here


def traced(folder, log, *inject):
    """The exit status of a save under strace; of its calls only those on its folder count."""
    paths = [f"--trace-path={path}" for path in _paths(folder)]
    command = ["strace", "-f", "-y", "-o", str(log), *paths, "-e", f"trace={','.join(CALLS)}", *inject]
    return subprocess.run(
        [*command, sys.executable, "-c", SAVE, str(folder)], capture_output=True, text=True, check=False
    )


def _paths(folder):
    names = ("tensors.safetensors", "state.json", "manifest.json")
    places = [folder]
    for step in (5, 10, 15):
        places += [folder / f"{before}step-{step:09d}" for before in ("", ".tmp-", ".trash-", ".bad-")]
    return [*places, *(place / name for place in places[1:] for name in names)]


def operations(log):
    """The calls of a trace, in their order: name and the rest of the line."""
    found = re.findall(r"^(?:\d+ +)?(\w+)\((.*)$", log.read_text(), re.MULTILINE)
    return [(name, rest) for name, rest in found if name in CALLS]


@pytest.fixture
def points(folder, tmp_path):
    """Every operation of a save as (call, how many of its kind)."""
    copy = tmp_path / "undisturbed" / "checkpoints"
    shutil.copytree(folder, copy)
    log = tmp_path / "trace"
    assert traced(copy, log).returncode == 0
    seen, found = Counter(), []
    for name, _ in operations(log):
        seen[name] += 1
        found.append((name, seen[name]))
    assert len(found) > 25
    return found


def look(folder):
    """What the next start finds, and that it leaves nothing lying about."""
    found = checkpoint.find_newest(folder)
    assert not found.damaged
    assert found.step in {10, 15}
    expected = (
        {"tensors.safetensors": b"new" * 4000, "state.json": b"15"} if found.step == 15 else files_of(10)
    )
    assert found.files == expected
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
    for path in checkpoint.steps_in(folder):
        checkpoint.read_verified(path)
    return found.step


def attack(folder, tmp_path, points, how):
    outcomes = Counter()
    for number, (call, n) in enumerate(points):
        copy = tmp_path / f"attack-{number}" / "checkpoints"
        shutil.copytree(folder, copy)
        done = traced(copy, tmp_path / "log", "-e", f"inject={call}:{how}:when={n}")
        step = look(copy)
        assert done.returncode in {0, 8, -9, 137}, (call, n, done.stderr)
        if done.returncode == 0:
            assert step == 15, (call, n)
        if done.returncode == MachineError.exit_status:
            assert "Traceback" not in done.stderr
        outcomes[done.returncode, step] += 1
    return outcomes


@pytest.mark.slow
def test_case_01_a_save_that_is_killed_at_any_of_its_operations_leaves_the_old_or_the_new_one(
    folder, tmp_path, points
):
    outcomes = attack(folder, tmp_path, points, "signal=KILL")
    steps = {step for _, step in outcomes}
    assert steps == {10, 15}  # both come about: the rename is between them


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "case"), [("ENOSPC", 10), ("EIO", 11)])
def test_case_10_case_11_a_disk_that_refuses_any_operation_leaves_a_whole_one(
    fault, case, folder, tmp_path, points
):
    outcomes = attack(folder, tmp_path, points, f"error={fault}")
    assert outcomes[MachineError.exit_status, 10] > 8


def test_case_01_a_save_that_is_killed_beside_its_rename_leaves_the_old_or_the_new_one(
    folder, tmp_path, points
):
    """The quick tier's share: the operations around the commit, and one of each kind."""
    [commit] = [i for i, (call, n) in enumerate(points) if (call, n) == ("rename", 1)]
    chosen = [
        points[commit - 1],
        points[commit],
        points[commit + 1],
        ("mkdir", 1),
        ("write", 2),
        ("fsync", 3),
    ]
    outcomes = attack(folder, tmp_path, chosen, "signal=KILL")
    assert {step for _, step in outcomes} == {10, 15}


def test_case_03_what_is_renamed_was_flushed_before_and_its_parent_is_after_it(folder, tmp_path):
    log = tmp_path / "trace"
    assert traced(folder, log).returncode == 0
    calls = operations(log)
    [at] = [
        i
        for i, (name, rest) in enumerate(calls)
        if name == "rename" and re.search(r'/\.tmp-step-000000015", ', rest)
    ]
    flushed = [re.search(r"<(.*?)>", rest)[1] for name, rest in calls[:at] if name == "fsync"]
    draft = folder / ".tmp-step-000000015"
    names = ["tensors.safetensors", "state.json", "manifest.json"]
    assert flushed == [*(str(draft / name) for name in names), str(draft)]
    after = [(name, rest) for name, rest in calls[at + 1 :] if name in {"fsync", "rename"}]
    assert after[0][0] == "fsync"
    assert f"<{folder}>" in after[0][1]
    # Nothing of a checkpoint is written to once it has its name.
    assert not [rest for name, rest in calls[at + 1 :] if name == "write"]
