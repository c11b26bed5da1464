"""Two players as a user runs them: killed in the second phase, and tuned on from a finished run."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import TINY
from flowvae.folder.checkpoint import newest_whole
from flowvae.folder.status import read_status

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-c", "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"]
RECIPE = "percussion_small_adversarial"
STEPS = ("train.steps=24", "train.checkpoint_every=4", "evaluation.every=24")
SECOND = (
    "adversarial.from_step=8",
    "adversarial.hears_samples=none",
    "adversarial.discriminators.multi_period.width=1",
    "adversarial.discriminators.multi_resolution.width=1",
)


def command(recipe, out, *settings):
    return [*COMMAND, recipe, "--out", str(out), *(f"--set={s}" for s in (*TINY, *STEPS, *settings))]


def run(*args, **options):
    return subprocess.run(command(*args), capture_output=True, text=True, check=False, timeout=300, **options)


def run_of(out):
    [folder] = out.glob("runs/*/seed-0")
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run with two players that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    done = run(RECIPE, out, *SECOND)
    assert done.returncode == 0, done.stderr
    return out


def test_case_04_a_run_killed_in_the_second_phase_ends_in_the_same_bits(whole, tmp_path):
    parts = tmp_path / "parts"
    driver = subprocess.Popen(
        command(RECIPE, parts, *SECOND),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 120
    while not list(parts.glob("runs/*/seed-0/checkpoints/step-*12")) and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    assert read_status(run_of(parts)).state == "running"
    again = run(RECIPE, parts, *SECOND)
    assert again.returncode == 0, again.stderr
    assert read_status(run_of(parts)).exact
    expected, found = (
        newest_whole(run_of(out) / "checkpoints")["tensors.safetensors"] for out in (whole, parts)
    )
    assert expected == found
    results = [json.loads((run_of(out) / "result.json").read_text())["metrics"] for out in (whole, parts)]
    assert results[0] == results[1]


def test_a_finished_run_is_tuned_on_against_discriminators(whole, tmp_path):
    """As the recipe says, from another run: its discriminators begin anew, for they are not asked for."""
    begin = f"start.from={run_of(whole).parent}/seed-{{seed}}"
    tuned = run("finetune_adversarial", tmp_path / "out", *SECOND[1:], begin)
    assert tuned.returncode == 0, tuned.stderr
    folder = run_of(tmp_path / "out")
    started = json.loads((folder / "start.json").read_text())
    assert len(started["taken"]) > 40
    assert not started["new"]

    def validation(run, step):
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        return next(row for row in rows if row["phase"] == "validation" and row["step"] == step)

    # It begins as the other ended, and has moved since.
    ended = validation(run_of(whole), 24)
    assert validation(folder, 0) == {**ended, "step": 0}
    assert validation(folder, 24) != ended
