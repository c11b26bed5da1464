"""Tasks of a probe: one after the other, or each in a copy of its process."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from flowvae.errors import MachineError
from flowvae.probe.limits import free_memory
from flowvae.processes.cores import n_cores
from flowvae.processes.outcome import Outcome
from flowvae.processes.side_by_side import side_by_side

BYTES_OF_BUILDING = 2_000_000_000
"""What building an arm takes, about: 1.6 GB for percussion, measured, beside what the copies share."""
KILLED = 128 + 9

Task = Callable[[int], Outcome]
"""Done by one of so many that share the memory."""


def in_turn(tasks: Sequence[Task]) -> Iterator[Outcome]:
    """One after the other, in this process."""
    return (task(1) for task in tasks)


def together(tasks: Sequence[Task]) -> Iterator[Outcome]:
    """Each in a copy of this process, as many at a time as cores and memory allow; the outcomes as those of in_turn.

    One that did not get the memory it asked for has the machine for itself once the others are through.
    """
    # One at a time is done in copies too: who ends its process ends no more than that, and is named.
    share = max(1, min(len(tasks), n_cores(), (free_memory() or 0) // BYTES_OF_BUILDING))
    outcomes = []
    for outcome in side_by_side([partial(task, share) for task in tasks], share):
        outcomes.append(outcome)
        if outcome.exit_status and not _lacks_memory(outcome):
            break  # nothing that comes later is the first fault
    for task, outcome in zip(tasks, outcomes, strict=False):
        again = share > 1 and _lacks_memory(outcome)
        yield from side_by_side([partial(task, 1)], 1) if again else [outcome]


def _lacks_memory(outcome: Outcome) -> bool:
    return outcome.exit_status in {MachineError.exit_status, KILLED}
