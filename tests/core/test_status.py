"""`flowvae status`: read from what runs wrote, while a run is at work, after it was killed, and from another machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from flowvae.ablation import standing as standing_module
from flowvae.ablation.standing import SILENT_AFTER_S, Watched, standing
from flowvae.cli.main import main
from flowvae.folder.lock import locked
from flowvae.folder.run_records import Order, StatusRecord
from flowvae.folder.status import Status
from pretended_runs import BASE, WORSE, write_tree
from short_runs import planned_runs, take

# A run at work, as far as its folder tells: it holds the lock and says that it runs.
WORKER = """
import sys, time
from pathlib import Path
from flowvae.folder.lock import locked
from flowvae.folder.status import Status
folder = Path(sys.argv[1])
with locked(folder, wait=True):
    Status(folder, 100).write("running", 40, phase="train", loss=1.25, steps_per_second=4.0)
    print("at work", flush=True)
    time.sleep(300)
"""


@pytest.fixture
def at_work(tmp_path):
    """Starts a process that is at work in a run's folder."""
    started = []

    def start(folder):
        folder.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "at work\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def shown(capsys, *arguments):
    assert main(["status", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def states(capsys, folder):
    found = json.loads(shown(capsys, folder, "--json"))["runs"]
    return {f"{run['arm']} seed {run['seed']}": run["state"] for run in found}


def test_a_run_at_work_runs_and_once_it_was_killed_it_never_runs_again(at_work, tmp_path, capsys):
    root = write_tree(tmp_path / "out", [BASE[:2], WORSE[:1]], seeds=[0, 1])
    process = at_work(root / "runs/leaky_relu/seed-1")
    said = shown(capsys, root)
    assert "3 done, 1 running" in said
    assert "about 15 s left" in said
    assert [line.split() for line in said.splitlines() if line.startswith("leaky_relu seed 1")] == [
        ["leaky_relu", "seed", "1", "40/100", "15", "s", "train", "1.250", "4.0"]
    ]
    assert "a command is at work here" in said
    process.kill()
    process.wait()
    said = shown(capsys, root)
    assert "3 done, 1 interrupted" in said
    assert "leaky_relu seed 1: interrupted at step 40 (it ended without a word after step 40)" in said
    assert "the command that began it continues" in said
    assert "left" not in said.splitlines()[0]


def test_a_copy_of_a_folder_whose_run_is_elsewhere_is_silent_after_a_while_and_not_running_for_ever(
    at_work, tmp_path, capsys, monkeypatch
):
    root = write_tree(tmp_path / "out", [BASE[:1], []], seeds=[0])
    folder = root / "runs/leaky_relu/seed-0"
    at_work(folder)
    copy = shutil.copytree(root, tmp_path / "copy") / "runs/leaky_relu/seed-0"
    # On another machine the name of the host is another one.
    monkeypatch.setattr(standing_module, "is_held", lambda folder: None)
    assert states(capsys, tmp_path / "copy")["leaky_relu seed 0"] == "running"
    long_ago = time.time() - SILENT_AFTER_S - 100
    os.utime(copy / StatusRecord.file, (long_ago, long_ago))
    assert states(capsys, tmp_path / "copy")["leaky_relu seed 0"] == "silent"
    assert "look on the machine that it ran on" in shown(capsys, tmp_path / "copy")


def test_a_lock_that_another_host_has_signed_tells_nothing_and_one_of_ours_does(tmp_path, monkeypatch):
    from flowvae.folder import lock

    assert lock.is_held(tmp_path) is None
    with locked(tmp_path):
        assert lock.is_held(tmp_path) is True
    assert lock.is_held(tmp_path) is False
    monkeypatch.setattr(lock.socket, "gethostname", lambda: "another")
    assert lock.is_held(tmp_path) is None


def test_who_only_looks_keeps_nobody_from_a_folder(tmp_path):
    with locked(tmp_path):
        pass
    code = "import fcntl, sys, time\nwith open(sys.argv[1], 'rb') as file:\n    fcntl.flock(file, fcntl.LOCK_SH)\n"
    code += "    print('looks', flush=True)\n    time.sleep(0.05)\n"
    looks = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    assert looks.stdout.readline() == "looks\n"
    with locked(tmp_path):
        pass
    looks.communicate()


def test_slow_steps_are_no_silence(tmp_path):
    run = Watched("arm", 0, tmp_path)
    Status(tmp_path, 100).write("running", 40, steps_per_second=0.01)
    age = time.time() - 2 * SILENT_AFTER_S
    os.utime(tmp_path / StatusRecord.file, (age, age))
    assert standing(run, 100).state == "running"


def test_a_real_run_is_told_at_its_end_and_after_a_failure_with_its_last_words(
    tiny, catalogue, tmp_path, capsys
):
    [run] = planned_runs(("train.steps=2", *tiny[1:]), catalogue, tmp_path)
    assert states(capsys, run.folder) == {run.name: "waiting"}
    assert take(run) == 0
    capsys.readouterr()
    assert states(capsys, run.folder) == {run.name: "done"}
    Order.read(run.folder)
    (run.folder / "result.json").write_text("{")
    assert "left no result that can be read" in shown(capsys, run.folder)
    capsys.readouterr()
    shutil.rmtree(run.folder / "checkpoints")
    (run.folder / "recipe.toml").write_text((run.folder / "recipe.toml").read_text() + "\nseed = 77\n")
    (run.folder / "log.txt").write_text("first\n\nsecond\nthird\nfourth\x1b[2J\n")
    assert take(run) != 0
    capsys.readouterr()
    said = shown(capsys, run.folder)
    assert f"{run.name}: failed at step 0" in said
    assert "second\n    third\n    fourth\\x1b[2J" in said


def test_a_stopped_run_says_by_which_signal(tmp_path, capsys):
    root = write_tree(tmp_path / "out", [BASE[:1], WORSE[:1]], seeds=[0])
    Status(root / "runs/snake/seed-0", 500).write("stopped", 30, reason=f"signal {int(signal.SIGTERM)}")
    said = shown(capsys, root)
    assert "snake seed 0: stopped at step 30 (signal 15)" in said
    assert "nothing is at work here" in said


def test_a_folder_that_is_none_is_a_usage_error(tmp_path, capsys):
    assert main(["status", str(tmp_path)]) == 2
    assert "holds no plan.json" in capsys.readouterr().err
    assert main(["status", str(tmp_path / "none")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_damaged_plan_is_told(tmp_path, capsys):
    root = write_tree(tmp_path / "out", [BASE[:1], WORSE[:1]], seeds=[0])
    (root / "plan.json").write_text("{")
    assert main(["status", str(root)]) == 5
    assert "plan.json" in capsys.readouterr().err


def test_it_changes_nothing_and_needs_no_torch(tmp_path):
    root = write_tree(tmp_path / "out", [BASE[:2], WORSE[:1]], seeds=[0, 1])
    with locked(root / "runs/snake/seed-0"):
        pass
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*")}
    code = "import sys; sys.modules.update(dict.fromkeys(('torch', 'rich', 'scipy', 'matplotlib')))\n"
    code += "from flowvae.cli.main import main; sys.exit(main(['status', sys.argv[1]]))"
    subprocess.run([sys.executable, "-c", code, str(root)], check=True, capture_output=True)
    assert before == {p: p.stat().st_mtime_ns for p in root.rglob("*")}
