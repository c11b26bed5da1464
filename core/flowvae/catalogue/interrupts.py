"""What code that is not flowvae's may raise, and what is said of it: a KeyboardInterrupt that nobody has asked for as well."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class RaisedInterruptError(Exception):
    """Code that is not flowvae's raised KeyboardInterrupt, and nobody had asked for one."""


@contextmanager
def own_interrupts() -> Iterator[None]:
    """Within, only the signal makes a KeyboardInterrupt; RaisedInterruptError for another.

    >>> with own_interrupts():
    ...     raise KeyboardInterrupt
    Traceback (most recent call last):
    flowvae.catalogue.interrupts.RaisedInterruptError: it raises KeyboardInterrupt
    """
    before = signal.getsignal(signal.SIGINT)
    listens = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
    asked: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        signal.default_int_handler(number, frame)

    if listens:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except KeyboardInterrupt as error:
        if asked:
            raise
        raise RaisedInterruptError("it raises KeyboardInterrupt") from error
    finally:
        if listens and signal.getsignal(signal.SIGINT) is interrupt:
            signal.signal(signal.SIGINT, before)


def said_by(error: BaseException, most: int = 400) -> str:
    r"""An exception in one line.

    >>> said_by(ValueError("two\nlines"))
    'ValueError: two lines'
    """
    if isinstance(error, RaisedInterruptError):
        return str(error)
    try:
        cause = " ".join(str(error).split())[:most]
    except Exception:  # noqa: BLE001 - a stranger's __str__ may raise anything
        cause = "(its message cannot be read)"
    return f"{type(error).__name__}: {cause}".rstrip(": ")
