"""Tasks side by side, each in a copy of this process."""

import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Any, NoReturn

from flowvae.processes.outcome import Outcome

Task = Callable[[], Outcome]


def side_by_side(tasks: Sequence[Task], at_a_time: int) -> Iterator[Outcome]:
    """The outcome of each task, in their order; who asks for no more ends those that are under way.

    This process must have started no thread. Where it is told to hang up, the copies end with it.

    >>> [outcome.found for outcome in side_by_side([lambda: Outcome(1), lambda: Outcome(2)], 2)]
    [1, 2]
    """
    context, waiting = get_context("fork"), list(enumerate(tasks))
    running: dict[Any, tuple[int, ForkProcess]] = {}
    done: dict[int, Outcome] = {}
    before = signal.getsignal(signal.SIGHUP)
    if before is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _hang_up)
    try:
        for index in range(len(tasks)):
            while index not in done:
                while waiting and len(running) < at_a_time:
                    number, task = waiting.pop(0)
                    reader, writer = context.Pipe(duplex=False)
                    process = context.Process(target=_work, args=(task, writer), daemon=True)
                    with warnings.catch_warnings():
                        # Threads that a library has at its import it ends before a fork.
                        warnings.simplefilter("ignore", DeprecationWarning)
                        process.start()
                    writer.close()
                    running[reader] = number, process
                for ready in connection.wait(list(running)):
                    number, process = running.pop(ready)
                    done[number] = _outcome(ready, process)
            yield done[index]
    finally:
        for _, process in running.values():
            process.kill()
            process.join()
        signal.signal(signal.SIGHUP, before)


def _work(task: Task, writer: Any) -> None:
    writer.send(task())


def _outcome(reader: Any, process: ForkProcess) -> Outcome:
    """What a copy has sent; where it has sent nothing, what ended it."""
    try:
        found: Outcome = reader.recv()
    except EOFError:
        process.join()
        code = process.exitcode or 1
        said = f"building an arm was ended by {signal.Signals(-code).name}" if code < 0 else ""
        found = Outcome(exit_status=128 - code if code < 0 else code, errors=said)
    reader.close()
    process.join()
    return found


def _hang_up(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
