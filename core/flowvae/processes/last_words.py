"""What a process was at, for whoever finds it dead."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flowvae.processes.shared_sheet import SharedSheet

_HEARD_BY: ContextVar[SharedSheet | None] = ContextVar("heard_by", default=None)


@contextmanager
def heard_by(sheet: SharedSheet) -> Iterator[None]:
    """Within, what is said stands on this sheet."""
    token = _HEARD_BY.set(sheet)
    try:
        yield
    finally:
        _HEARD_BY.reset(token)


@contextmanager
def saying(words: str) -> Iterator[None]:
    """Within, these are the last words; afterwards those from before.

    >>> sheet = SharedSheet(4096)
    >>> with heard_by(sheet), saying("at work"):
    ...     last_words(sheet)
    'at work'
    >>> last_words(sheet)
    ''
    """
    sheet = _HEARD_BY.get()
    if sheet is None:
        yield
        return
    before = last_words(sheet)
    say(words)
    try:
        yield
    finally:
        say(before)


def say(words: str) -> None:
    """The last words from now on, where somebody hears."""
    sheet = _HEARD_BY.get()
    if sheet is not None:
        sheet.erase()
        sheet.add(words.encode()[:2000])


def last_words(sheet: SharedSheet) -> str:
    """What stands on a sheet."""
    return b"".join(sheet.read()).decode(errors="replace")
