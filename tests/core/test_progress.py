"""What the driver shows of its runs, and how few files it reads for it."""

import pytest

from flowvae.ablation import progress as progress_module
from flowvae.ablation.progress import LOOK_EVERY_S, MOST_NAMED, Progress
from flowvae.ablation.standing import Watched
from flowvae.folder.status import Status, read_status


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when a test says so."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress_module.time, "monotonic", clock.monotonic)
    return clock


@pytest.fixture
def reads(monkeypatch):
    """The runs whose files were read."""
    found = []
    monkeypatch.setattr(
        progress_module, "read_status", lambda folder: found.append(folder.name) or read_status(folder)
    )
    return found


def folders(place, count, state="waiting", step=0):
    """Runs with a status each, as a run writes it; those that wait have none."""
    found = []
    for i in range(count):
        folder = place / f"{state} seed {i}"
        folder.mkdir()
        if state != "waiting":
            Status(folder, 100).write(state, step)
        found.append(Watched(state, i, folder))
    return found


def test_polling_reads_what_runs_and_nothing_of_what_is_done_or_waits(tmp_path, clock, reads):
    runs = [
        *folders(tmp_path, 3, "running", 5),
        *folders(tmp_path, 200, "done", 100),
        *folders(tmp_path, 200),
    ]
    running = ["running seed 0", "running seed 1", "running seed 2"]
    with Progress(runs, lambda _: None) as progress:
        reads.clear()
        for _ in range(50):
            clock.now += 0.2
            progress.poll(running)
        assert set(reads) == set(running)
        # Five looks a second were taken at each of the three; now it is one.
        assert len(reads) <= 3 * (50 * 0.2 / LOOK_EVERY_S + 1)


def test_reads_grow_with_what_runs_and_not_with_the_plan(tmp_path, clock, reads):
    counts = []
    for count in (10, 300):
        (tmp_path / str(count)).mkdir()
        runs = folders(tmp_path / str(count), count)
        with Progress(runs, lambda _: None) as progress:
            reads.clear()
            for _ in range(20):
                clock.now += LOOK_EVERY_S
                progress.poll(["waiting seed 0"])
            counts.append(len(reads))
    assert counts == [20, 20]


def test_a_run_that_came_and_went_between_two_looks_is_told(tmp_path, clock):
    runs, said = folders(tmp_path, 3), []
    with Progress(runs, said.append) as progress:
        progress.poll(["waiting seed 0"])
        clock.now += 0.2
        progress.poll(["waiting seed 0", "waiting seed 1"])
        for run in runs[:2]:
            Status(run.folder, 100).write("done", 100)
        clock.now += 0.2
        progress.poll(["waiting seed 2"])
        assert not any("done" in line for line in said)
        clock.now += LOOK_EVERY_S
        progress.poll(["waiting seed 2"])
        assert [line for line in said if "done" in line] == [
            "  waiting seed 0: done; 1 of 3",
            "  waiting seed 1: done; 2 of 3",
        ]
        Status(runs[2].folder, 100).write("failed", 7, reason="no numbers")
    assert said[-1] == "  waiting seed 2: failed (no numbers); 3 of 3"


def test_what_an_executor_kept_to_itself_is_told_at_the_end(tmp_path, clock):
    runs, said = folders(tmp_path, 2), []
    with Progress(runs, said.append):
        Status(runs[1].folder, 100).write("done", 100)
    assert "  waiting seed 1: done; 1 of 2" in said


def test_a_run_that_had_failed_before_has_not_failed_again(tmp_path, clock):
    runs, said = [*folders(tmp_path, 1, "failed", 3), *folders(tmp_path, 1, "stopped", 3)], []
    with Progress(runs, said.append) as progress:
        clock.now += LOOK_EVERY_S
        progress.poll(["failed seed 0"])
        assert not any("1 of 2" in line for line in said)
        Status(runs[0].folder, 100).write("done", 100)
        clock.now += LOOK_EVERY_S
        progress.poll([])
    assert [line for line in said if " of 2" in line] == ["  failed seed 0: done; 1 of 2"]


def test_what_ended_before_this_command_waits_for_its_turn_and_is_not_called_running(tmp_path, clock):
    runs = [
        *folders(tmp_path, 1, "running", 5),  # as a kill leaves it
        *folders(tmp_path, 1, "failed", 3),
        *folders(tmp_path, 1, "done", 100),
        *folders(tmp_path, 1),
    ]
    with Progress(runs, lambda _: None, {"done seed 0"}) as progress:
        assert [s.state for s in progress._standings([])] == ["waiting", "waiting", "done", "waiting"]
        at_work = progress._standings(["running seed 0", "waiting seed 0"])
        assert [s.state for s in at_work] == ["running", "waiting", "done", "starting"]


def test_a_plain_line_names_some_of_many_and_counts_the_rest(tmp_path, clock):
    runs, said = folders(tmp_path, 60, "running", 5), []
    with Progress(runs, said.append) as progress:
        progress.poll([run.name for run in runs])
    line = said[0]
    assert line.count(" step ") == MOST_NAMED
    assert line.endswith("and 54 more")


def test_runs_that_are_not_run_again_count_as_done(tmp_path, clock):
    runs, said = [*folders(tmp_path, 2, "done", 100), *folders(tmp_path, 1)], []
    with Progress(runs, said.append, {run.name for run in runs[:2]}) as progress:
        progress.poll(["waiting seed 0"])
        Status(runs[2].folder, 100).write("done", 100)
    assert said[-1] == "  waiting seed 0: done; 3 of 3"


def test_runs_of_different_lengths_are_counted_with_their_own_steps(tmp_path, clock):
    """Of a short run that is half done and a long one that waits, one twentieth is taken, whatever the longest is."""
    [short] = folders(tmp_path, 1, "running", 0)
    long = Watched("long", 0, tmp_path / "long", 900)
    said = []
    with Progress([short, long], said.append) as progress:
        clock.now += 1
        progress.poll([short.name])
        Status(short.folder, 100).write("running", 50)
        clock.now += 100
        progress.poll([short.name])
    assert any(line.strip().startswith("5 %, ") for line in said), said
