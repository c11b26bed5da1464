"""Watches what a plugin does to the process that it shares with everyone, and puts it back."""

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import field, frozen

SEED = "torch's seed"
PATCHED = ("json", "marshal", "os", "pickle", "random", "torch", "torch.nn", "torch.nn.functional")
"""Modules whose functions everybody takes for what they are."""


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
            _Shared(SEED, _Seed.of_now, _Seed.put_back),
            _Shared("torch's gradients", torch.is_grad_enabled, torch.set_grad_enabled),
            _Shared(
                "torch's determinism",
                torch.are_deterministic_algorithms_enabled,
                torch.use_deterministic_algorithms,
            ),
        ]
    return found


@frozen
class _Seed:
    """Of torch's own generator. Whoever draws from that leaves the seed as it was."""

    seed: int
    state: Any = field(eq=False)

    @classmethod
    def of_now(cls) -> "_Seed":
        torch = sys.modules["torch"]
        return cls(torch.initial_seed(), torch.get_rng_state())

    def put_back(self) -> None:
        sys.modules["torch"].set_rng_state(self.state)


@frozen
class _Functions:
    """What a module offers, by name; what is added to it changes nothing for others."""

    module: str
    offered: dict[str, Any] = field(eq=False)

    @classmethod
    def of(cls, module: str) -> "_Functions":
        return cls(module, {n: f for n, f in vars(sys.modules[module]).items() if callable(f)})

    def replaced(self) -> list[str]:
        """The names that mean another's code by now."""
        now = vars(sys.modules[self.module])
        own = self.module.partition(".")[0]
        return [
            name
            for name, function in self.offered.items()
            # Libraries replace functions of their own when more of them is imported.
            if now.get(name) is not function
            and str(getattr(now.get(name), "__module__", "")).partition(".")[0] != own
        ]

    def put_back(self) -> None:
        now = vars(sys.modules[self.module])
        now.update({name: self.offered[name] for name in self.replaced()})


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
        self._functions = [_Functions.of(name) for name in PATCHED if name in sys.modules]
        self._with_torch = "torch" in sys.modules

    def put_back(self, tell: Callable[[str], None]) -> None:
        """The process is as it was; `tell` hears what had been changed."""
        for shared, old in self._before:
            if shared.read() != old:
                shared.put_back(old)
                tell(f"it changed {shared.name}; put back")
        for functions in self._functions:
            if names := functions.replaced():
                functions.put_back()
                tell(f"it changed {', '.join(f'{functions.module}.{name}' for name in names[:3])}; put back")
        if not self._with_torch and "torch" in sys.modules:
            self._remember()  # there is more to watch from now on


@contextmanager
def guarded(tell: Callable[[str], None]) -> Iterator[None]:
    """Afterwards the process is as it was, and there is one of it; `tell` hears what had been changed.

    >>> told = []
    >>> with guarded(told.append):
    ...     random.seed(0)
    >>> told
    ['it changed the state of random; put back']
    """
    guard, this, leave = Guard(), os.getpid(), os._exit
    try:
        yield
    finally:
        if os.getpid() != this:
            leave(0)  # a copy that a plugin has made: two of one process would do its work twice
        guard.put_back(tell)
