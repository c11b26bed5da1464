"""Runs that are copies of one process: the bits of plain ones, and nothing is lost with that process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import TINY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="copies of a warm parent are Linux's"),
]
WARM = "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"
PLAIN = f"import os; del os.pidfd_open; {WARM}"
"""On a system whose processes cannot be waited for without being reaped, there is no warm parent."""
SETTINGS = (
    *TINY,
    "ablation.seeds=2",
    "train.steps=40",
    "train.checkpoint_every=10",
    "evaluation.references={ same = { use = 'identity' } }",
)


def command(code, out, *settings):
    return [
        *(sys.executable, "-c", code, "ablation_snake", "--out", str(out)),
        *(f"--set={s}" for s in (*SETTINGS, *settings)),
    ]


def go(code, out, *settings):
    # Two threads, whatever the caller's environment says: libraries read it at their import.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command(code, out, *settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
        env=environment,
    )
    assert done.returncode == 0, done.stderr


def made(out):
    """All that a folder holds of figures, sounds and weights, without times and memory."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = str(path.relative_to(out))
        if path.suffix in {".wav", ".safetensors"} or path.name in {
            "metrics.jsonl",
            "arms.json",
            "references.json",
        }:
            found[name] = path.read_bytes()
        elif path.name == "result.json":
            result = json.loads(path.read_text())
            found[name] = {key: result[key] for key in ("metrics", "untrained", "threads", "exact")}
    return found


@pytest.fixture(scope="module", params=[1, 2])
def whole(request, tmp_path_factory):
    """The number of threads, and what plain processes make."""
    out = tmp_path_factory.mktemp("plain") / "out"
    go(PLAIN, out, f"execution.threads={request.param}")
    return request.param, made(out)


def test_copies_make_what_plain_processes_make_to_the_bit(whole, tmp_path):
    threads, plain = whole
    go(WARM, tmp_path / "out", f"execution.threads={threads}")
    warm = made(tmp_path / "out")
    assert warm.keys() == plain.keys()
    assert len([name for name in warm if name.endswith("result.json")]) == 4
    assert {name for name in warm if warm[name] != plain[name]} == set()


def children(pid):
    """The processes that a process has started and that are not over, with the first word of ours in their command."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return found


def wait_until(condition, process, seconds=200):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        assert process.poll() is None
        time.sleep(0.01)


@pytest.mark.parametrize("moment", ["early", "at work"])
def test_the_warm_parent_may_be_killed_and_nothing_is_lost(moment, whole, tmp_path):
    threads, plain = whole
    out = tmp_path / "out"
    process = subprocess.Popen(
        command(WARM, out, f"execution.threads={threads}"),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        wait_until(lambda: children(process.pid), process)
        [parent] = children(process.pid)
        if moment == "at work":
            wait_until(lambda: list(out.glob("runs/*/*/checkpoints/step-000000010")), process)
            assert children(parent)
        os.kill(parent, signal.SIGKILL)
        _, said = process.communicate(timeout=400)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert {name for name, content in made(out).items() if content != plain.get(name)} == set()


def test_nothing_is_left_when_an_ablation_is_through_or_its_driver_is_killed(tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(command(WARM, out), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_until(lambda: list(out.glob("runs/*/*/checkpoints/step-000000010")), process)
    [parent] = children(process.pid)
    pids = [parent, *children(parent)]
    assert len(pids) >= 2
    process.kill()
    process.wait()
    end = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < end, f"{pids} are left"
        time.sleep(0.05)
    go(WARM, out)
    mine = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and _is_of(entry, out)]
    assert not mine


def _is_of(entry, out):
    try:
        return any(str(out) in str(file.readlink()) for file in (entry / "fd").iterdir())
    except OSError:
        return False
