"""Planned looks as the driver takes them: where the runs end, what the ledger says, and what a kill on the way leaves.

Runs are pretended by the executor, which writes the files of a finished run with a figure of the test's choice; everything
else is the engine's.
"""

import csv
import math
import shutil
import signal
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from attrs import evolve, fields

from flowvae.ablation import drive, looks
from flowvae.ablation.warming import launched
from flowvae.errors import AblationError
from flowvae.folder.plan_records import Plan
from flowvae.folder.run_records import StatusRecord
from flowvae.probe import __main__ as probe
from flowvae.processes.launcher import Called
from flowvae.recipe import plan_ablation, read_recipe
from flowvae.report import write
from flowvae.report.write import Pictures
from flowvae_components.executors.processes import Processes
from pretended_runs import write_run
from tiers import swept

NINE = "ablation.seeds={ first = 6, most = 12, looks = 3 }"
EIGHT = "ablation.seeds={ first = 8, most = 12, looks = 3 }"
THREE = 'ablation.vary={ "defaults.activation" = ["snake", "leaky_relu", "elu"] }'
ARMS = ("snake", "leaky_relu", "elu")
NOISE = np.random.default_rng(5).normal(0, 0.1, (3, 40))


def clear(arm, seed):
    """leaky_relu is worse at every seed; elu differs by nothing but noise."""
    return nothing(arm, seed) + (0.8 if arm == "leaky_relu" else 0.0)


def nothing(arm, seed):
    """No arm differs by more than noise."""
    return 3.0 + NOISE[ARMS.index(arm), seed]


class Machine:
    """Where runs are pretended: `figure` gives that of an arm and a seed, None a failed run, a number a signal."""

    def __init__(self, folder, settings, catalogue):
        self.folder, self.settings, self.catalogue = folder, settings, catalogue
        self.figure, self.ran, self.said, self.most = clear, [], [], 1000

    def take(self, jobs, poll):
        statuses = {}
        for job in jobs:
            if len(self.ran) == self.most:
                raise KeyboardInterrupt
            folder = job.log.parent
            arm, seed = folder.parent.name, int(folder.name.removeprefix("seed-"))
            value = self.figure(arm, seed)
            self.ran.append((arm, seed))
            if isinstance(value, signal.Signals):
                StatusRecord(state="running", step=3, steps=6).write(folder)
            elif value is None:
                StatusRecord(state="failed", step=3, steps=6, reason="a loss is not finite").write(folder)
            else:
                write_run(folder, seed, value, quality=0, n_clips=0)
            statuses[job.name] = -value if isinstance(value, signal.Signals) else 3 * (value is None)
        return statuses

    def probe(self, command):
        return Called(probe.main(self.folder, command[command.index("flowvae.probe") + 2 :]) or 0, "", "")

    def drive(self, *settings, recipe="ablation_snake"):
        self.ran, self.said = [], []
        source = read_recipe(recipe, (*self.settings, "execution.device=cpu", *settings))
        drive.run_recipe(source, self.folder, self.said.append, self.catalogue)
        return self.plan

    def killed(self, *settings, after):
        self.most = after
        with pytest.raises(KeyboardInterrupt):
            self.drive(*settings)
        self.most = 1000

    @property
    def plan(self):
        return Plan.read(self.folder)

    @property
    def looks(self):
        return [(entry.after, entry.ended) for entry in self.plan.looks_taken]

    @property
    def seeds_run(self):
        return sorted({int(path.name.removeprefix("seed-")) for path in self.folder.glob("runs/*/*")})


@pytest.fixture(scope="module")
def probed(catalogue, tmp_path_factory):
    """A folder whose arms have been built: that takes longest."""
    from conftest import TINY

    machine = Machine(tmp_path_factory.mktemp("probed") / "out", TINY, catalogue)
    with pytest.MonkeyPatch.context() as patch:
        pretend(patch, machine)
        machine.drive("ablation.seeds=1", THREE)
    for path in ("plan.json", "runs", "report.html"):
        shutil.rmtree(machine.folder / path) if path == "runs" else (machine.folder / path).unlink()
    return machine


def pretend(patch, machine):
    patch.setattr(Processes, "__call__", lambda _, jobs, poll: machine.take(jobs, poll))
    launcher = SimpleNamespace(call=machine.probe, start=None)
    patch.setattr(drive, "launched", lambda *_: nullcontext(launcher))
    patch.setattr(write, "_draw", lambda *_: Pictures(*[None] * len(fields(Pictures))))


@pytest.fixture
def machine(probed, tmp_path, monkeypatch):
    shutil.copytree(probed.folder, tmp_path / "out")
    machine = Machine(tmp_path / "out", probed.settings, probed.catalogue)
    pretend(monkeypatch, machine)
    return machine


def rows_of(folder):
    rows = csv.DictReader((folder / "comparisons.csv").read_text().splitlines())
    return {row["arm"]: row for row in rows if row["role"] == "primary"}


def test_the_runs_end_at_the_look_that_decides_everything(machine):
    plan = machine.drive(NINE)
    assert machine.seeds_run == list(range(9))
    assert plan.seeds == tuple(range(9))
    assert plan.has_ended
    first, second = plan.looks_taken
    assert (first.seeds, first.level, first.ended, first.finished) == (tuple(range(6)), 0.0125, False, 12)
    assert (second.seeds, second.level, second.ended, second.finished) == (
        tuple(range(9)),
        0.028125,
        True,
        18,
    )
    assert first.after == "1 of 3 at 6 seeds: leaky_relu not shown; the runs went on"
    assert second.after == "2 of 3 at 9 seeds: leaky_relu worse; everything is decided, so the runs ended"
    row = rows_of(machine.folder)["leaky_relu"]
    assert (row["verdict"], float(row["level"]), row["seeds"]) == ("worse", 0.028125, "9")
    page = (machine.folder / "report.html").read_text()
    assert "The runs ended at the 2nd of 3 looks, as planned." in page
    assert "The runs ended early because the differences were clear by then" in page
    assert "6 seeds reach p = 0.031 at best: that look cannot claim anything. Look 1 of 3 at 6 seeds" in page
    assert "Changed after" not in page
    assert "number of seeds was changed" not in page
    assert f"look {second.after}" in page


def test_the_terminal_hears_what_each_look_found(machine):
    machine.drive(NINE)
    assert "arms: 2, seeds: 6, at most 12 in 3 looks; runs to do: 12" in machine.said
    at = machine.said.index("look 1 of 3 at 6 seeds: leaky_relu not shown; the runs went on")
    assert machine.said[at + 1] == (
        "  leaky_relu: not shown; 6 seeds can reach p = 0.031 at best, and 0.013 is what the looks allow by now: "
        "this look could not have shown a difference"
    )
    assert any(line.startswith("look 2 of 3 at 9 seeds: leaky_relu worse") for line in machine.said)


def test_where_nothing_shows_all_planned_seeds_are_run(machine):
    machine.figure = nothing
    plan = machine.drive(NINE)
    assert machine.seeds_run == list(range(12))
    assert [ended for _, ended in machine.looks] == [False, False, True]
    assert plan.looks_taken[-1].after == "3 of 3 at 12 seeds: leaky_relu not shown; the runs ended"
    page = (machine.folder / "report.html").read_text()
    assert "The runs ended at the 3rd of 3 looks, as planned." in page
    assert "ended early" not in page


def test_a_first_look_that_can_claim_ends_the_runs(machine):
    machine.drive(EIGHT)
    assert machine.seeds_run == list(range(8))
    assert [ended for _, ended in machine.looks] == [True]


def test_the_runs_go_on_while_one_arm_of_several_is_undecided(machine):
    machine.drive(NINE, THREE)
    assert [ended for _, ended in machine.looks] == [False, False, True]
    assert "2 of 3 at 9 seeds: leaky_relu worse, elu not shown; the runs went on" in machine.looks[1]
    verdicts = {arm: row["verdict"] for arm, row in rows_of(machine.folder).items()}
    assert verdicts == {"leaky_relu": "worse", "elu": "not shown"}


def test_what_makes_less_difference_than_is_worth_it_is_decided(machine):
    machine.drive(EIGHT, THREE, "ablation.worthwhile_difference=0.5")
    assert machine.looks[0][0].startswith("1 of 3 at 8 seeds: leaky_relu worse, elu equivalent;")
    assert "of 98.3 % for 3 looks," in rows_of(machine.folder)["elu"]["reason"]


def test_a_crossed_ablation_looks_at_its_effects(machine):
    crossed = 'ablation.vary={ "defaults.activation" = ["snake", "leaky_relu"], "train.optimizer.lr" = [0.001, 0.002] }'
    machine.figure = lambda arm, seed: clear("leaky_relu" if "leaky_relu" in arm else "snake", seed)
    machine.folder = machine.folder.with_name("crossed")
    machine.drive(EIGHT, crossed, "ablation.cross=true")
    assert "leaky_relu instead of snake worse" in machine.looks[0][0]
    assert machine.looks[-1][1]


@pytest.mark.slow
def test_an_ablation_across_values_looks_at_each_and_at_the_changes(machine):
    across = 'ablation.across={ "train.batch_size" = [2, 3] }'
    kept = tuple(setting for setting in machine.settings if not setting.startswith("train.batch_size"))
    machine.settings = kept
    machine.figure = lambda arm, seed: clear("leaky_relu" if "leaky_relu" in arm else "snake", seed)
    machine.folder = machine.folder.with_name("across")
    machine.drive(EIGHT, across)
    first = machine.looks[0][0]
    assert "leaky_relu-batch_size-2 worse, leaky_relu-batch_size-3 worse" in first
    assert "leaky_relu beside snake, 3 less 2 not shown" in first
    assert machine.looks[-1][1]


def without_times(plan):
    return evolve(plan, ledger=tuple(evolve(entry, when="") for entry in plan.ledger))


@pytest.mark.parametrize("after", swept([12, 5, 0, 17], quick=2))
def test_a_look_that_was_interrupted_is_no_second_look(machine, after):
    machine.killed(NINE, after=after)
    before = machine.looks
    assert len(before) == (after >= 12)
    machine.drive(NINE)
    assert machine.looks[: len(before)] == before
    assert (len(machine.ran), len(machine.looks)) == (18 - after, 2)
    interrupted = without_times(machine.plan)
    shutil.rmtree(machine.folder / "runs")
    (machine.folder / "plan.json").unlink()
    assert without_times(machine.drive(NINE)) == interrupted


def test_who_is_killed_between_the_last_run_and_the_look_takes_it_later(machine, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(drive, "look", killed)
    with pytest.raises(KeyboardInterrupt):
        machine.drive(NINE)
    assert (len(machine.ran), machine.looks) == (12, [])
    monkeypatch.undo()
    pretend(monkeypatch, machine)
    machine.drive(NINE)
    assert (len(machine.ran), [ended for _, ended in machine.looks]) == (6, [False, True])


def test_after_the_end_the_same_command_runs_nothing_and_looks_no_more(machine, catalogue):
    ended = machine.drive(NINE)
    assert machine.drive(NINE) == ended
    assert machine.ran == []
    assert "arms: 2, seeds: 9, at most 12 in 3 looks; runs to do: 0, 18 done before" in machine.said
    plan = plan_ablation(read_recipe("ablation_snake", (*machine.settings, NINE)), catalogue)
    with launched(plan, machine.folder) as launcher:
        assert launcher.parent is None


def test_a_look_goes_on_with_the_seeds_that_there_are(machine):
    machine.figure = lambda arm, seed: None if (arm, seed) == ("leaky_relu", 2) else clear(arm, seed)
    with pytest.raises(AblationError, match="1 of 18 runs failed: leaky_relu seed 2: a loss is not finite"):
        machine.drive(NINE)
    assert machine.ran.count(("leaky_relu", 2)) == 1
    (first, went_on), (second, ended) = machine.looks
    assert first == (
        "1 of 3 at 6 seeds, without leaky_relu seed 2, which failed: leaky_relu not shown; the runs went on"
    )
    assert "at 9 seeds, without leaky_relu seed 2, which failed: leaky_relu worse; everything is d" in second
    assert (went_on, ended) == (False, True)
    taken = machine.plan.looks_taken
    machine.figure = clear
    machine.drive(NINE)
    assert machine.ran == [("leaky_relu", 2)]
    assert machine.plan.looks_taken == taken


def test_an_arm_that_failed_with_every_seed_keeps_nobody_waiting(machine):
    machine.figure = lambda arm, seed: None if arm == "elu" else clear(arm, seed)
    with pytest.raises(AblationError):
        machine.drive(EIGHT, THREE)
    assert machine.looks[-1][0].endswith(
        "leaky_relu worse, elu not shown; everything is decided, so the runs ended"
    )
    assert len(machine.looks) == 1


def test_a_run_that_was_killed_is_not_looked_past(machine):
    machine.figure = lambda arm, seed: signal.SIGKILL if (arm, seed) == ("snake", 2) else clear(arm, seed)
    with pytest.raises(AblationError, match="1 of 12 runs failed: snake seed 2: killed by signal 9"):
        machine.drive(NINE)
    assert machine.looks == []
    machine.figure = clear
    machine.drive(NINE)
    assert len(machine.ran) == 7
    assert [ended for _, ended in machine.looks] == [False, True]


def test_seeds_that_are_added_after_the_planned_end_get_half_of_what_the_looks_left(machine):
    machine.figure = nothing
    machine.drive(NINE)
    plan = machine.drive("ablation.seeds=15")
    assert machine.seeds_run == list(range(15))
    assert (plan.ledger[-1].what, plan.ledger[-1].before) == ("seeds", "6, 9, 12 at 3 looks (0 to 11)")
    spent = math.floor(0.05 * 2**11) / 2**11
    level = float(rows_of(machine.folder)["leaky_relu"]["level"])
    assert level == pytest.approx(spent + (0.05 - spent) / 2, abs=1e-4)
    assert (
        "The number of seeds was changed after runs had been seen"
        in (machine.folder / "report.html").read_text()
    )


def test_looks_that_are_planned_after_a_look_have_no_level_of_their_own(machine):
    machine.figure = nothing
    machine.drive("ablation.seeds=6")
    plan = machine.drive(NINE)
    assert [look.level for look in plan.looks] == [None, None, None]
    assert [len(entry.seeds) for entry in plan.looks_taken] == [6, 9, 12]
    page = (machine.folder / "report.html").read_text()
    assert "The number of seeds was changed after runs had been seen" in page
    assert float(rows_of(machine.folder)["leaky_relu"]["level"]) < 0.05
    # The first six were a look with all of the level, and are none again.
    assert plan.looks_taken[0].level is None


def test_looks_that_are_planned_before_anything_was_seen_have_their_levels(machine):
    machine.killed("ablation.seeds=6", after=0)
    plan = machine.drive(NINE)
    assert [look.level for look in plan.looks] == [0.0125, 0.028125, 0.05]
    assert "number of seeds was changed" not in (machine.folder / "report.html").read_text()


def test_more_looks_after_the_end_go_on_from_there(machine):
    machine.drive(NINE)
    machine.figure = nothing
    machine.drive("ablation.seeds={ first = 6, most = 15, looks = 4 }")
    assert machine.seeds_run[:9] == list(range(9))
    assert [len(entry.seeds) for entry in machine.plan.looks_taken][:2] == [6, 9]
    assert len(machine.plan.looks_taken) > 2


@pytest.mark.parametrize(("n", "level"), [(8, 0.05 * (8 / 12) ** 2), (9, 0.9 * 0.05 * (10 / 12) ** 2)])
def test_who_goes_back_to_fewer_seeds_after_a_look_has_no_more_of_the_level(machine, n, level):
    machine.figure = nothing
    machine.killed(EIGHT, after=18)
    assert [ended for _, ended in machine.looks] == [False]
    machine.drive(f"ablation.seeds={n}")
    row = rows_of(machine.folder)["leaky_relu"]
    assert (row["seeds"], float(row["level"])) == (str(n), pytest.approx(level))


def test_seeds_without_looks_are_read_once_more_by_nobody(machine, monkeypatch):
    def refuse(_):
        raise AssertionError("nothing is looked at")

    monkeypatch.setattr(looks, "read_folder", refuse)
    machine.drive("ablation.seeds=2")
    assert machine.looks == []
