"""Tasks dealt out to the cores of this machine."""

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from flowvae.processes.cores import n_cores
from flowvae.processes.outcome import Outcome
from flowvae.processes.side_by_side import side_by_side

T = TypeVar("T")
FAILED = Outcome(exit_status=1)


def dealt_out(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """What each task returns, in their order: on several cores where this process may be copied, else in turn.

    What the tasks change is lost with the copies that did them; what they return has to survive pickling.
    A pile of which a task fails is done again here, where its exception has someone to hear it.

    >>> dealt_out([lambda: 1, lambda: 2, lambda: 3])
    [1, 2, 3]
    """
    n_piles = min(n_cores(), len(tasks)) if _may_be_copied() else 1
    if n_piles < 2:
        return [task() for task in tasks]
    done: list[Any] = [None] * len(tasks)
    piles = [tasks[first::n_piles] for first in range(n_piles)]
    for first, outcome in enumerate(side_by_side([partial(_try_all, pile) for pile in piles], n_piles)):
        done[first::n_piles] = outcome.found or [task() for task in piles[first]]
    return done


def _may_be_copied() -> bool:
    """A fork copies one thread alone, and a lock that another one holds stays locked for ever; signals are the main thread's."""
    return (
        hasattr(os, "pidfd_open")
        and threading.active_count() == 1
        and threading.current_thread() is threading.main_thread()
    )


def _try_all(pile: Sequence[Callable[[], T]]) -> Outcome:
    try:
        return Outcome([task() for task in pile])
    except Exception:  # noqa: BLE001 - done again in the process that is listened to
        return FAILED
