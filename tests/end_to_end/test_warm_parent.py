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
    "ablation.seeds=1",
    "train.steps=20",
    "train.checkpoint_every=5",
    "evaluation.references={ same = { use = 'identity' } }",
)


def command(code, out, *settings):
    return [
        *(sys.executable, "-c", code, "ablation_snake", "--out", str(out)),
        *(f"--set={s}" for s in (*SETTINGS, *settings)),
    ]


def go(code, out, *settings):
    done = subprocess.run(
        command(code, out, *settings), capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stderr


def made(out):
    """All that a folder holds of figures, sounds and weights, without times and memory."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = str(path.relative_to(out))
        if path.suffix in {".wav", ".safetensors"} or path.name in {
            "metrics.jsonl",
            "references.json",
        }:
            found[name] = path.read_bytes()
        elif path.name == "arms.json":
            found[name] = json.loads(path.read_text())
            for arm in found[name]["arms"].values():
                del arm["probed"]["memory"]  # an estimate, which two probes of one process give in two ways
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
    assert len([name for name in warm if name.endswith("result.json")]) == 2
    assert {name for name in warm if warm[name] != plain[name]} == set()


def children(pid):
    """The copies of warm parents, or these themselves, that a process has started and that are not over."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(parent) == pid and state != "Z" and b"flowvae.processes.warm_parent" in line:
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
            wait_until(lambda: list(out.glob("runs/*/*/checkpoints/step-000000005")), process)
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
    wait_until(lambda: list(out.glob("runs/*/*/checkpoints/step-000000005")), process)
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
