"""Two players as a user runs them: killed in the second phase, tuned on from a finished run, stopped by numbers."""

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


def test_a_run_killed_in_the_second_phase_ends_in_the_same_bits(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    recipe = "percussion_small_adversarial"
    done = run(recipe, whole, *SECOND)
    assert done.returncode == 0, done.stderr
    driver = subprocess.Popen(
        command(recipe, parts, *SECOND),
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
    again = run(recipe, parts, *SECOND)
    assert again.returncode == 0, again.stderr
    assert read_status(run_of(parts)).exact
    expected, found = (
        newest_whole(run_of(out) / "checkpoints")["tensors.safetensors"] for out in (whole, parts)
    )
    assert expected == found
    results = [json.loads((run_of(out) / "result.json").read_text())["metrics"] for out in (whole, parts)]
    assert results[0] == results[1]


def test_a_finished_run_is_tuned_on_against_discriminators(tmp_path):
    """The two commands of the recipe, typed in one folder."""
    settings = [f"--set={s}" for s in (*TINY, *STEPS)]
    plain = subprocess.run(
        [*COMMAND, "percussion_small", *settings],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert plain.returncode == 0, plain.stderr
    second = [f"--set={s}" for s in SECOND[1:]]
    tuned = subprocess.run(
        [*COMMAND, "finetune_adversarial", *settings, *second],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert tuned.returncode == 0, tuned.stderr
    folder = run_of(tmp_path / "runs" / "finetune_adversarial")
    started = json.loads((folder / "start.json").read_text())
    assert len(started["taken"]) > 40
    assert not started["new"]
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    before = [
        json.loads(line)
        for line in (run_of(tmp_path / "runs/percussion_small") / "metrics.jsonl").read_text().splitlines()
    ]

    def validation(rows, step):
        return next(row for row in rows if row["phase"] == "validation" and row["step"] == step)

    # It begins as the other ended, and has moved since.
    assert {**validation(rows, 0), "step": 24} == validation(before, 24)
    assert validation(rows, 24) != {**validation(rows, 0), "step": 24}


def test_the_arms_of_an_ablation_share_everything_until_the_adversary_joins(tmp_path):
    recipe = tmp_path / "arms.toml"
    recipe.write_text(
        """extends = "percussion_small_adversarial"
[ablation]
question = "Is it needed?"
metric = "spectral_distance"
seeds = 1
[ablation.vary]
"adversarial" = [false, { discriminators = [{ use = "wavegan", width = 1 }] }, { discriminators = [{ use = "multi_period", width = 1 }] }]
"""
    )
    done = run(str(recipe), tmp_path / "out", *SECOND[:2])
    assert done.returncode == 0, done.stderr
    journals = {
        folder.parent.name: [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for folder in (tmp_path / "out").glob("runs/*/seed-0")
    }
    assert {*journals} == {"without-adversarial", "wavegan", "multi_period"}
    early = {name: [row for row in rows if row["step"] <= 8] for name, rows in journals.items()}
    assert early["wavegan"] == early["multi_period"] == early["without-adversarial"]
    late = [[row for row in rows if row["step"] == 24] for rows in journals.values()]
    assert late[0] != late[1] != late[2]


def test_a_figure_of_the_discriminators_that_is_no_number_stops_the_run(tmp_path):
    done = run("percussion_small_adversarial", tmp_path / "out", *SECOND, "adversarial.optimizer.lr=1e30")
    assert done.returncode == 7, done.stderr
    assert "discriminator/" in done.stderr or "adversarial" in done.stderr
    assert newest_whole(run_of(tmp_path / "out") / "checkpoints")
