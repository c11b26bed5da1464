"""What a process leaves that has stalled: the stacks of its threads, and nothing that runs."""

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from flowvae.errors import StalledError, shown
from flowvae.folder.files import made_anew
from flowvae.processes.descendants import end_descendants
from flowvae.processes.signs import LAST_RESORT_S, watched

STACKS = "error.txt"


@contextmanager
def ended_when_stalled(seconds: float, folder: Path) -> Iterator[None]:
    """Within, this process gives a sign of progress at least so often, or is ended with its stacks in the folder; 0: never."""

    def end(doing: str) -> NoReturn:
        leave_stacks(folder)
        end_stalled(StalledError.after(seconds, doing, stacks=shown(folder / STACKS)))

    with watched(seconds, end, last_resort_s=LAST_RESORT_S):
        yield


@contextmanager
def interrupted_when_stalled(seconds: float, folder: Path) -> Iterator[None]:
    """The same for a process that may be the user's own: StalledError there, and nothing is ended.

    What is not its main thread cannot be interrupted, and nobody looks.
    """
    main, found = threading.main_thread(), list[StalledError]()
    number = main.ident
    if threading.current_thread() is not main or number is None:
        yield
        return

    def interrupt(*_: object) -> NoReturn:
        raise found[0]

    def end(doing: str) -> None:
        leave_stacks(folder)
        found.append(StalledError.after(seconds, doing, stacks=shown(folder / STACKS)))
        signal.pthread_kill(number, signal.SIGALRM)

    before = signal.signal(
        signal.SIGALRM, interrupt
    )  # an interrupt from the keyboard is ignored behind a shell's &
    try:
        with watched(seconds, end):
            yield
    finally:
        signal.signal(signal.SIGALRM, before)


def leave_stacks(folder: Path) -> None:
    """The stacks of all threads, in error.txt."""
    with suppress(OSError), made_anew(folder / STACKS) as file:
        faulthandler.dump_traceback(file)


def end_stalled(error: StalledError) -> NoReturn:
    """Tells it, and ends this process with all that it has started: no thread that sleeps would hear of an exception."""
    with suppress(OSError, ValueError):
        print("\n".join(error.lines()), file=sys.stderr, flush=True)
    end_descendants()
    os._exit(error.exit_status)
