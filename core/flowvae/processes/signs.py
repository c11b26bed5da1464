"""Signs of progress: a process that gives none for long is told, and ended.

A thread looks whether there were any. Where Python itself cannot run any more, as in a call of C that keeps the
interpreter's lock, a timer of C leaves the stacks on standard error and ends the process with exit status 1; to that one
a process that was suspended for as long has stalled too.
"""

import faulthandler
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import define, field

LOOKS = 8
"""In the time that a process may be silent."""
LONGEST_LOOK_S = 20.0
LAST_RESORT_S = 5.0
"""How much later the timer of C ends a process of our own."""
STANDARD_ERROR = 2


def sign(doing: str = "") -> None:
    """The process goes on, with this from now on; with what it was at where nothing is said."""
    watch = _WATCHED_BY.get()
    if watch is not None:
        watch.doing = doing or watch.doing
        watch.signs += 1


@contextmanager
def watched(
    seconds: float, stalled: Callable[[str], None], *, last_resort_s: float | None = None
) -> Iterator[None]:
    """Within, `stalled` is called in another thread with what the process is at, once it gave no sign for so long; 0: never.

    So much later the timer of C ends the process; none does where nothing is given.

    >>> heard = threading.Event()
    >>> with watched(0.2, lambda doing: (print("stalled in", doing), heard.set())):
    ...     sign("step 3")
    ...     heard.wait()
    stalled in step 3
    True
    """
    if not seconds:
        yield
        return
    watch = _Watch(seconds, stalled, last_resort_s)
    token = _WATCHED_BY.set(watch)
    thread = threading.Thread(target=watch.look, name="looks for signs of progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        _WATCHED_BY.reset(token)
        watch.over.set()
        thread.join()
        if last_resort_s is not None:
            faulthandler.cancel_dump_traceback_later()


@define(eq=False)
class _Watch:
    seconds: float
    stalled: Callable[[str], None]
    last_resort_s: float | None
    doing: str = "its start"
    signs: int = 0
    over: threading.Event = field(factory=threading.Event)

    def look(self) -> None:
        every = min(self.seconds / LOOKS, LONGEST_LOOK_S)
        quiet, seen, told = 0.0, self.signs, False
        while True:
            if self.last_resort_s is not None:
                left = max(self.seconds - quiet, 0.0) + self.last_resort_s
                faulthandler.dump_traceback_later(left, exit=True, file=STANDARD_ERROR)
            if self.over.wait(every):
                return
            # Looks are counted and not the clock's seconds: a process that was suspended meanwhile has not stalled.
            quiet, seen = (quiet + every, seen) if self.signs == seen else (0.0, self.signs)
            if quiet >= self.seconds and not told:
                told = True
                self.stalled(self.doing)


_WATCHED_BY: ContextVar[_Watch | None] = ContextVar("watched_by", default=None)
