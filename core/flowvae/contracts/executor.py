from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@frozen
class Job:
    """One run as a command line and what it needs: nothing else passes between the engine and an executor."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    """Variables to set on top of the caller's."""
    log: Path
    """Where the output of the command goes."""
    cores: int = 1
    """Cores that it keeps busy."""
    devices: int = 0
    """Accelerators that it needs: none, or one that is its alone."""
    memory: int | None = None
    """Bytes of the machine's memory that it will take, about; None where nobody knows."""


class Process(Protocol):
    """A job that was started as a process of this machine, the leader of a session of its own."""

    def exit_status(self) -> int | None:
        """None while it runs; a negative one is the signal that ended it."""

    def ask(self, number: int) -> None:
        """Sends a signal to the job alone: it knows best how to end its own helpers."""

    def end(self) -> None:
        """Kills whatever is alive of it and of what it has started; every job is ended so, whatever its exit status."""


@runtime_checkable
class BuiltExecutor(Protocol):
    """Runs every job exactly once.

    `poll` is called a few times a second with the names of the jobs that run now. Returns each job's exit
    status; a negative one is the signal that ended it.

    A job that needs a device is given one in CUDA_VISIBLE_DEVICES; where its environment names one there
    already, it is that one. No two jobs have the same device at a time, unless the recipe asks for it.
    """

    def __call__(self, jobs: Sequence[Job], poll: Callable[[Sequence[str]], None]) -> dict[str, int]: ...


@runtime_checkable
class Executor(Protocol):
    """Who runs the jobs: processes side by side on this machine, a cluster, another scheduler.

    `devices` are the accelerators of this machine that jobs may be given, each as CUDA_VISIBLE_DEVICES takes it;
    `memory` is how many bytes are free, None where the system does not say; `start` starts a job as a process of this
    machine, faster than its command would: it need not import again what others have imported. OSError where it
    cannot be started. An executor that runs jobs elsewhere leaves all three out.
    """

    def __call__(
        self, devices: Sequence[str], memory: int | None, start: Callable[[Job], Process]
    ) -> BuiltExecutor: ...
