"""Tasks side by side, each in a copy of this process.

A copy leaves its outcome in memory that both share: what else it or a component has started or written cannot be taken for it.
"""

import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import NoReturn

from attrs import frozen

from flowvae.errors import PluginError, StalledError
from flowvae.processes.last_words import heard_by, last_words
from flowvae.processes.outcome import Outcome
from flowvae.processes.shared_sheet import SharedSheet

Task = Callable[[], Outcome]
ROOM = 1 << 26
"""Bytes that an outcome may take; what is not written on costs nothing."""


def side_by_side(tasks: Sequence[Task], at_a_time: int) -> Iterator[Outcome]:
    """The outcome of each task, in their order; who asks for no more ends those that are under way.

    This process must have started no thread. Where it is told to hang up or is interrupted, the copies end with it.

    >>> [outcome.found for outcome in side_by_side([lambda: Outcome(1), lambda: Outcome(2)], 2)]
    [1, 2]
    """
    waiting = list(enumerate(tasks))
    running: dict[int, tuple[int, _Copy]] = {}
    done: dict[int, Outcome] = {}
    before = signal.getsignal(signal.SIGHUP)
    if before is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _hang_up)
    try:
        for index in range(len(tasks)):
            while index not in done:
                while waiting and len(running) < at_a_time:
                    number, task = waiting.pop(0)
                    copy = _Copy.started(task)
                    running[copy.watch] = number, copy
                for ready in connection.wait(list(running)):
                    assert isinstance(ready, int)
                    number, copy = running.pop(ready)
                    done[number] = copy.outcome()
            yield done[index]
    finally:
        for _, copy in running.values():
            copy.process.kill()
            copy.outcome()
        signal.signal(signal.SIGHUP, before)


@frozen(eq=False)
class _Copy:
    process: ForkProcess
    watch: int
    """Tells of the end of the copy itself, whoever has inherited what."""
    answer: SharedSheet
    words: SharedSheet

    @classmethod
    def started(cls, task: Task) -> "_Copy":
        answer, words = SharedSheet(ROOM), SharedSheet(1 << 12)
        process = get_context("fork").Process(target=_work, args=(task, answer, words), daemon=True)
        with warnings.catch_warnings():
            # Threads that a library has at its import it ends before a fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        assert process.pid is not None
        return cls(process, os.pidfd_open(process.pid), answer, words)

    def outcome(self) -> Outcome:
        """What it has left; where that is nothing, what ended it."""
        self.process.join()
        os.close(self.watch)
        for text in self.answer.read():
            found: Outcome = pickle.loads(text)  # noqa: S301 - written by a copy of this process, into its memory
            return found
        return _silent(self.process.exitcode or 0, last_words(self.words))


def _silent(code: int, words: str) -> Outcome:
    """Of a copy that has left nothing: whoever was at work then has ended it, if it was not killed for its memory."""
    if code == StalledError.exit_status:  # it has said so
        return Outcome(exit_status=code, errors=f"  {words} was at work" if words else "")
    by = signal.Signals(-code).name if code < 0 else f"exit status {code}"
    if words and code != -signal.SIGKILL:
        error = PluginError(f"{words} ended the process that it was in ({by})")
        return Outcome(exit_status=error.exit_status, errors="\n".join(error.lines()))
    said = f"building an arm was ended by {by}" + (f", while {words} was at work" if words else "")
    return Outcome(
        exit_status=128 - code if code < 0 else code or 1, errors=said if code <= 0 or words else ""
    )


def _work(task: Task, answer: SharedSheet, words: SharedSheet) -> None:
    # At once and without a trace: the process that was copied says what there is to say.
    for ending in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # nohup, or a shell's &
            signal.signal(ending, signal.SIG_DFL)
    this, leave = os.getpid(), os._exit
    with heard_by(words):
        found = task()
    if os.getpid() != this:
        leave(0)  # a copy of the copy, made by a component: nobody has asked it
    answer.add(pickle.dumps(found))


def _hang_up(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
