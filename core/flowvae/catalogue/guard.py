"""Watches what a plugin does to the process that it shares with everyone, and puts it back."""

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import frozen


@frozen(eq=False, repr=False)
class _Shared:
    """Something of which a process has one."""

    name: str
    read: Callable[[], Any]
    put_back: Callable[[Any], Any]


def _shared() -> list[_Shared]:
    found = [
        _Shared("the working folder", os.getcwd, os.chdir),
        _Shared("the state of random", random.getstate, random.setstate),
        _Shared("the environment", lambda: dict(os.environ), _restore_environment),
        _Shared("sys.path", lambda: list(sys.path), lambda old: sys.path.__setitem__(slice(None), old)),
    ]
    ends = ("SIGINT", "SIGTERM", "SIGHUP")
    found += [_handler(getattr(signal, name)) for name in ends if hasattr(signal, name)]
    torch = sys.modules.get("torch")
    if torch is not None:  # only what is loaded can be meddled with
        found += [
            _Shared("torch's number of threads", torch.get_num_threads, torch.set_num_threads),
            _Shared("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype),
            _Shared("torch's gradients", torch.is_grad_enabled, torch.set_grad_enabled),
            _Shared(
                "torch's determinism",
                torch.are_deterministic_algorithms_enabled,
                torch.use_deterministic_algorithms,
            ),
        ]
    return found


def _handler(number: signal.Signals) -> _Shared:
    def put_back(old: Any) -> None:
        signal.signal(number, old)

    return _Shared(f"the handler of {number.name}", lambda: signal.getsignal(number), put_back)


def _restore_environment(old: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(old)


class Guard:
    """Remembers what a process shares, and puts it back."""

    def __init__(self) -> None:
        self._remember()

    def _remember(self) -> None:
        self._before = [(shared, shared.read()) for shared in _shared()]
        self._with_torch = "torch" in sys.modules

    def put_back(self, tell: Callable[[str], None]) -> None:
        """The process is as it was; `tell` hears what had been changed."""
        for shared, old in self._before:
            if shared.read() != old:
                shared.put_back(old)
                tell(f"it changed {shared.name}; put back")
        if not self._with_torch and "torch" in sys.modules:
            self._remember()  # there is more to watch from now on


@contextmanager
def guarded(tell: Callable[[str], None]) -> Iterator[None]:
    """Afterwards the process is as it was; `tell` hears what had been changed.

    >>> told = []
    >>> with guarded(told.append):
    ...     random.seed(0)
    >>> told
    ['it changed the state of random; put back']
    """
    guard = Guard()
    try:
        yield
    finally:
        guard.put_back(tell)
