"""Seconds of a step, on a device that works on its own."""

import time

import pytest
import torch

from flowvae import worker
from flowvae.building.device import wait_for
from flowvae.evaluation import costs
from flowvae.folder.journal import Journal, read_journal
from flowvae.folder.run_records import History, Result
from flowvae.folder.status import Status, read_status
from flowvae.recipe import read_recipe, resolve
from flowvae.training import clock, loop
from flowvae.training.clock import EventClock, HostClock, step_clock
from flowvae.training.loop import Checkpoints
from flowvae.training.past import Past
from flowvae.training.training import Training
from short_runs import begin, planned_runs, take
from tiers import swept


class Queue:
    """A device that takes 20 ms for a step, and begins when it is waited for."""

    def __init__(self):
        self.asked, self.now, self.waits = 0, 0.0, 0

    def mark(self):
        self.asked += 1
        return Mark(self, self.asked)


class Mark:
    def __init__(self, queue, number):
        self.queue, self.number, self.at = queue, number, None

    def synchronize(self):
        self.queue.waits += 1
        self.queue.now = self.number

    def elapsed_time(self, end):
        assert self.queue.now >= end.number, "the device has not come to it: torch raises here"
        return 20.0 * (end.number - self.number)


def test_events_are_read_together_and_nothing_waits_before():
    queue = Queue()
    one = EventClock(queue.mark)
    for _ in range(3):
        one.start()
        one.stop()
    assert (queue.asked, queue.waits) == (6, 0)
    assert one.read() == [0.02] * 3
    assert queue.waits == 1
    assert one.read() == []
    one.start()
    one.stop()
    assert one.read() == [0.02]


def test_the_host_times_what_is_done_when_it_returns():
    one = HostClock()
    one.start()
    time.sleep(0.02)
    one.stop()
    [seconds] = one.read()
    assert 0.02 <= seconds < 1


def test_case_19_a_clock_that_is_set_back_changes_no_duration(monkeypatch, tmp_path):
    times, now = iter(range(10**9, 0, -3600)), [100.0]
    monkeypatch.setattr(time, "time", lambda: next(times))
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    one, past, status = HostClock(), Past(tmp_path), Status(tmp_path, 9)
    one.start()
    one.stop()
    [seconds] = one.read()
    assert 0 <= seconds < 60
    past.go_on_from(0)
    status.write("running", 1)
    now[0] += 0.5
    status.tick(2)  # a second has not gone by
    assert read_status(tmp_path).step == 1
    now[0] += 1.5
    status.tick(3)
    assert read_status(tmp_path).step == 3
    assert past.seconds() == 2


def test_each_device_gets_its_clock(monkeypatch):
    recorded = []

    class Event:
        def __init__(self, *, enable_timing):
            assert enable_timing

        def record(self, stream):
            recorded.append(stream)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"the stream of {device}")
    assert isinstance(step_clock(torch.device("cpu")), HostClock)
    one = step_clock(torch.device("cuda:1"))
    assert isinstance(one, EventClock)
    one.start()
    one.stop()
    assert recorded == ["the stream of cuda:1"] * 2


@pytest.fixture
def small(catalogue, tiny, tmp_path):
    more = ("train.steps=25", "train.checkpoint_every=100", "evaluation.every=100")
    recipe = resolve(read_recipe("percussion_small", (*tiny, *more)), catalogue)
    return begin(recipe)


def test_a_training_reads_its_clock_only_where_it_fetches_figures(small, tmp_path, monkeypatch):
    queue, taken = Queue(), []
    monkeypatch.setattr(loop, "step_clock", lambda device: EventClock(queue.mark))
    fetch = loop._fetch

    def fetching(pending, *more):
        taken.append((len(pending), queue.waits))
        return fetch(pending, *more)

    monkeypatch.setattr(loop, "_fetch", fetching)
    (tmp_path / "run").mkdir()
    checkpoints, status = (
        Checkpoints(tmp_path / "run" / "checkpoints", "identity"),
        Status(tmp_path / "run", 25),
    )
    with Journal(tmp_path / "run", 0) as journal:
        loop.train(small, checkpoints, journal, status, observers=[], stop_signal=lambda: 0)
    assert taken == [(10, 0), (10, 1), (5, 2)]
    assert small.seconds.of_phase == {"representation": [0.02] * 25}


def test_decoding_is_timed_from_when_the_device_is_idle(small, monkeypatch):
    happened = []
    device = torch.device("cpu")
    monkeypatch.setattr(costs, "wait_for", lambda given: happened.append(("wait", given)))
    decode = small.average.decode
    monkeypatch.setattr(small.average, "decode", lambda z: happened.append("decode") or decode(z))
    assert costs.real_time_factor(small.average, small.recipe, device) > 0
    assert happened == [("wait", device), "decode"] * 5


DAY = 86400.0


@pytest.mark.parametrize("jump", swept([-25 * 365 * DAY, DAY]), ids=["25 years back", "a day on"])
def test_case_19_a_clock_that_jumps_in_a_run_makes_no_duration_negative_or_huge(
    jump, tiny, catalogue, tmp_path, monkeypatch
):
    """From its fourth step on the wall's clock tells another time; then the run is stopped and goes on."""
    [run] = planned_runs(tiny, catalogue, tmp_path)
    real, step = time.time, Training.step
    began = time.monotonic()

    def jumps(self, number):
        if number == 3:
            monkeypatch.setattr(time, "time", lambda: real() + jump)
        return step(self, number)

    monkeypatch.setattr(Training, "step", jumps)
    asked = iter([0, 0, 0, 0, 15])
    with monkeypatch.context() as here:
        here.setattr(worker.StopSignals, "asked", lambda _: next(asked))
        assert take(run) == 143
    assert abs(time.time() - real()) > DAY / 2
    assert take(run) == 0
    took = time.monotonic() - began
    costs_ = Result.read(run.folder).costs
    durations = [costs_["train_seconds"], costs_["seconds_per_step"]]
    durations += History.read(run.folder).seconds.values()
    assert all(0 <= seconds <= took for seconds in durations), (durations, took)
    assert costs_["real_time_factor"] > 0
    rows, damaged = read_journal(run.folder)
    steps = [row.step for row in rows if row.phase == "validation"]
    assert (steps, damaged) == ([0, 3, 6], 0)
    timed = {key for row in rows for key in row.figures if "second" in key or "time" in key}
    assert not timed  # a journal holds no durations
    assert read_status(run.folder).state == "done"


def test_waiting_is_for_accelerators(monkeypatch):
    waited = []
    monkeypatch.setattr(clock.torch.accelerator, "synchronize", waited.append)
    wait_for(torch.device("cpu"))
    wait_for(torch.device("cuda"))
    assert waited == [torch.device("cuda")]
