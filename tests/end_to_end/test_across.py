"""Two arms at two budgets over two seeds, by the command: what the engine plans, runs, writes and says of it."""

import csv
import json
import subprocess
import sys

import pytest

from conftest import TINY
from flowvae.folder.session import session_of
from flowvae.folder.tensorboard import Session

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-c", "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"]
VERB = [sys.executable, "-c", "import sys; from flowvae.cli.main import main; sys.exit(main())"]
RECIPE = """
extends = "ablation_snake"
[ablation]
seeds = 2
across = { "train.steps" = [6, 12] }
"""
PLACES = [(variant, steps) for steps in (6, 12) for variant in ("snake", "leaky_relu")]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder, what the command said, and the command itself."""
    place = tmp_path_factory.mktemp("across")
    (place / "a.toml").write_text(RECIPE)
    settings = [f"--set={s}" for s in TINY if not s.startswith("train.steps")]
    command = [*COMMAND, str(place / "a.toml"), "--out", str(place / "out"), *settings]
    said = run(*command)
    assert said.returncode == 0, said.stderr
    return place / "out", said.stdout, command


def figure(out, variant, steps, seed):
    result = json.loads((out / f"runs/{variant}-steps-{steps}/seed-{seed}/result.json").read_text())
    return result["metrics"]["spectral_distance"]["value"]


def test_every_arm_is_planned_and_run_at_every_budget(done):
    out, said, _ = done
    assert "arms: 4, seeds: 2; runs to do: 8" in said
    assert "snake-steps-12: the baseline at train.steps = 12" in said
    plan = json.loads((out / "plan.json").read_text())
    assert plan["across"] == {"train.steps": ["6", "12"]}
    assert plan["axes"] == ["defaults.activation", "train.steps"]
    assert [(arm["variant"], int(arm["at"])) for arm in plan["arms"]] == PLACES
    assert [arm["is_baseline"] for arm in plan["arms"]] == [True, False] * 2
    for arm in plan["arms"]:
        assert arm["flags"] == []
        for seed in range(2):
            status = json.loads((out / f"runs/{arm['name']}/seed-{seed}/status.json").read_text())
            assert (status["state"], status["step"]) == ("done", arm["steps"])
    *_, base, leaky = plan["arms"]
    assert [change["path"] for change in base["difference"]] == ["train.steps"]
    assert "train.steps" not in {change["path"] for change in leaky["difference"]}


def test_differences_and_their_change_are_those_of_the_runs(done):
    out, _, _ = done
    content = json.loads((out / "comparisons.json").read_text())
    by_hand = {
        steps: {
            str(seed): figure(out, "leaky_relu", steps, seed) - figure(out, "snake", steps, seed)
            for seed in range(2)
        }
        for steps in (6, 12)
    }
    assert [(c["arm"], c["against"]) for c in content["comparisons"]] == [
        (f"leaky_relu-steps-{steps}", f"snake-steps-{steps}") for steps in (6, 12)
    ]
    for comparison, expected in zip(content["comparisons"], by_hand.values(), strict=True):
        assert comparison["paired"]["differences"] == pytest.approx(expected)
    [shift] = content["shifts"]
    change = {seed: by_hand[12][seed] - by_hand[6][seed] for seed in ("0", "1")}
    assert shift["paired"]["differences"] == pytest.approx(change)
    with (out / "comparisons.csv").open() as file:
        [row] = [row for row in csv.DictReader(file) if row["role"] == "change"]
    assert float(row["mean_difference"]) == pytest.approx(sum(change.values()) / 2)


def test_curves_of_different_lengths_stand_on_one_page(done):
    out, _, _ = done
    with (out / "validations.csv").open() as file:
        rows = list(csv.DictReader(file))
    steps = {
        arm: {int(row["step"]) for row in rows if row["arm"] == arm} for arm in {row["arm"] for row in rows}
    }
    assert steps["snake-steps-6"] == {0, 3, 6}
    assert steps["leaky_relu-steps-12"] == {0, 3, 6, 9, 12}
    page = (out / "report.html").read_text()
    assert "Curves over the steps" in page
    assert "The difference by train.steps" in page
    assert "6 or 12 steps each" in page


def test_a_board_is_told_the_value_of_every_run(done):
    out, _, _ = done
    found = {steps: session_of(out / f"runs/snake-steps-{steps}/seed-0") for steps in (6, 12)}
    assert all(isinstance(session, Session) for session in found.values())
    assert [session.told["train.steps"] for session in found.values()] == ["6", "12"]


def test_the_same_command_does_nothing_again_and_status_counts_the_steps_of_each(done):
    out, _, command = done
    again = run(*command)
    assert again.returncode == 0, again.stderr
    assert "runs to do: 0, 8 done before" in again.stdout
    said = json.loads(run(*VERB, "status", str(out), "--json").stdout)
    assert {(row["arm"], row["steps"]) for row in said["runs"]} == {
        (f"{variant}-steps-{steps}", steps) for variant, steps in PLACES
    }
