"""Arms that are built side by side: the outcomes, and the first fault, of one after the other."""

import os
import time

import pytest

from flowvae.errors import Fault, MachineError, RecipeError
from flowvae.probe import tasks as probing
from flowvae.probe.tasks import in_turn, together
from flowvae.processes.outcome import Outcome, outcome_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="copies need fork")


@pytest.fixture(autouse=True)
def _two_at_a_time(monkeypatch):
    monkeypatch.setattr(probing, "n_cores", lambda: 2)
    monkeypatch.setattr(probing, "free_memory", lambda: 8_000_000_000)


def fine(share):
    return Outcome((share, os.getpid()))


def refused(_share):
    def task():
        raise RecipeError([Fault("no", path="model.decoder.width")])

    return outcome_of("snake", task)


def greedy(share):
    """Wants more than its part of the memory."""

    def task():
        if share > 1:
            raise MachineError("too much")
        return share, os.getpid()

    return outcome_of("greedy", task)


def killed(share):
    if share > 1:
        os.kill(os.getpid(), 9)
    return fine(share)


def late(outcome):
    def task(share):
        time.sleep(0.3)
        return outcome(share)

    return task


def test_outcomes_come_in_the_order_of_the_arms_from_copies():
    found = [outcome.found for outcome in together([late(fine), fine, fine])]
    assert [share for share, _ in found] == [2, 2, 2]
    assert len({pid for _, pid in found} | {os.getpid()}) == 4


@pytest.mark.parametrize("want", [greedy, killed])
def test_one_that_lacked_memory_has_the_machine_for_itself(want):
    found = [outcome.found for outcome in together([want, fine, want])]
    assert [share for share, _ in found] == [1, 2, 1]


@pytest.mark.parametrize(
    "tasks", [[late(refused), refused, fine], [fine, late(refused), refused], [greedy, refused, fine]]
)
def test_the_first_fault_is_that_of_one_after_the_other(tasks):
    def first(outcomes):
        return next((o.exit_status, o.output, o.errors) for o in outcomes if o.exit_status)

    assert first(together(tasks)) == first(in_turn(tasks))


def test_where_there_is_one_core_or_little_memory_it_is_one_copy_at_a_time(monkeypatch):
    for memory in (3_500_000_000, None):
        monkeypatch.setattr(probing, "free_memory", lambda memory=memory: memory)
        found = [outcome.found for outcome in together([fine, fine])]
        assert [share for share, _ in found] == [1, 1]
        assert len({pid for _, pid in found} | {os.getpid()}) == 3
