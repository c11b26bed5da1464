from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@frozen
class Job:
    """One run as a command line: nothing else passes between the engine and an executor."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    """Variables to set on top of the caller's."""
    log: Path
    """Where the output of the command goes."""


@runtime_checkable
class Execute(Protocol):
    """Runs every job exactly once.

    `poll` is called a few times a second with the names of the jobs that run now. Returns each job's exit
    status; a negative one is the signal that ended it.
    """

    def __call__(self, jobs: Sequence[Job], poll: Callable[[Sequence[str]], None]) -> dict[str, int]: ...


@runtime_checkable
class Executor(Protocol):
    """Who runs the jobs: processes side by side on this machine, a cluster, another scheduler."""

    def __call__(self) -> Execute: ...
