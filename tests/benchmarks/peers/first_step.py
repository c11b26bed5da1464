"""P9: from a command to the end of its first training step, at a tiny size, beside RAVE's import, its building and a step of it."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peers.alternating import TOLD, Pair, tell
from conftest import TINY

MAIN = "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"
RAVE = """
import torch
from rave_network import Theirs, published
torch.set_num_threads(1)
model = published("v2", "CAPACITY = 4", "LATENT_SIZE = 8")
rave = Theirs.of(model)
model.warmed_up = False
rave.step(torch.randn(2, 1, 18432), 1)
"""
"""Its shortest clip, and without its data set: it starts with a batch at hand."""
LONGEST = 300
NOTE = (
    "ours is the command of a run: it reads the recipe, makes 48 sounds, probes in a process of its own and starts that of "
    "the run, until the journal has the first step; theirs is one process, without a data set"
)


def ours():
    def run():
        with tempfile.TemporaryDirectory() as place:
            settings = [f"--set={setting}" for setting in (*TINY, "train.steps=1")]
            command = [sys.executable, "-c", MAIN, "percussion_small", "--out", f"{place}/out", *settings]
            started = time.perf_counter()
            running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                wait_for_a_step(Path(place, "out"), running)
                return time.perf_counter() - started
            finally:  # it ends in its own way, with the run's process
                running.terminate()
                running.communicate()

    return run


def wait_for_a_step(folder, running):
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        if any('"train"' in journal.read_text() for journal in folder.glob("runs/*/*/metrics.jsonl")):
            return
        if running.poll() is not None:
            raise RuntimeError(running.stderr.read().decode())
        time.sleep(0.005)
    raise RuntimeError(f"no step after {LONGEST} s")


def theirs():
    def run():
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", RAVE], check=True, capture_output=True)
        return time.perf_counter() - started

    return run


PAIRS = [
    Pair(
        "the first step",
        ours,
        theirs,
        0.4,
        peer="rave",
        rounds=3,
        clock=TOLD,
        note=NOTE,
    ),
]

if __name__ == "__main__":
    tell("P9", __spec__.name, PAIRS)
