"""Starts processes of this machine: copies of a warm parent where they would be the same, plain ones elsewhere."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

from attrs import frozen

from flowvae.contracts import Job
from flowvae.errors import MachineError, lacks_memory
from flowvae.processes.outcome import as_in_a_shell
from flowvae.processes.plain import PlainProcess
from flowvae.processes.plain import start as start_plain
from flowvae.processes.program import module_of
from flowvae.processes.warm import WarmParent, WarmProcess

FAULT = 128
"""An exit status above it is that and the signal that ended the process."""


@frozen
class Called:
    """What a process has left that was waited for."""

    exit_status: int
    output: str
    errors: str


@frozen
class Launcher:
    """Starts jobs, and calls programs and waits for them."""

    parent: WarmParent | None
    environment: Mapping[str, str]
    """What programs are started with on top of the caller's."""

    def start(self, job: Job) -> PlainProcess | WarmProcess:
        """The job as a process, its output at the end of its log. On an accelerator it has a process of its own."""
        job.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **job.environment}
        with job.log.open("ab") as log:
            warm = (
                None
                if job.devices
                else self._copy(job.command, environment, log, log, lambda: start_plain(job))
            )
        return warm or start_plain(job)

    def call(self, command: tuple[str, ...]) -> Called:
        """Runs a command to its end; whatever interrupts the wait ends it."""
        complete = {**os.environ, **self.environment}
        with TemporaryFile() as output, TemporaryFile() as errors:

            def plain() -> PlainProcess:
                for file in (output, errors):  # one that was lost may have begun to write
                    file.seek(0)
                    file.truncate()
                return PlainProcess(command, complete, output, errors)

            process = self._copy(command, complete, output, errors, plain) or plain()
            try:
                status = process.wait()
            finally:
                process.end()
            return _told(command, as_in_a_shell(status), _text(output), _text(errors))

    def _copy(
        self,
        command: tuple[str, ...],
        environment: Mapping[str, str],
        output: IO[bytes],
        errors: IO[bytes],
        plain: Callable[[], PlainProcess],
    ) -> WarmProcess | None:
        if self.parent is None or not self.parent.takes(command, environment):
            return None
        child = self.parent.fork(command, output, errors)
        return None if child is None else WarmProcess(self.parent, child, plain)


@contextmanager
def launcher(
    programs: Sequence[str], modules: Sequence[str], environment: Mapping[str, str]
) -> Iterator[Launcher]:
    """Begins to import at once what the programs and modules need; no programs, no warm parent.

    A job with another environment than this, on top of the caller's, is a plain process.
    """
    parent = WarmParent.started(programs, modules, {**os.environ, **environment}) if programs else None
    try:
        yield Launcher(parent, environment)
    finally:
        if parent is not None:
            parent.close()


def _told(command: tuple[str, ...], status: int, output: str, errors: str) -> Called:
    """With words for an end that the process could not explain itself: a signal, or memory that lacked for its imports."""
    if status > FAULT and not errors:
        what = f"{module_of(command)} was ended by signal {status - FAULT}, perhaps for want of memory"
        return Called(
            status, output, "\n".join(MachineError(what, do="the same command tries again").lines())
        )
    if status == 1 and lacks_memory(errors):
        error = MachineError(
            f"the memory did not suffice for {module_of(command)}", do="close other programs"
        )
        return Called(error.exit_status, output, "\n".join(error.lines()))
    return Called(status, output, errors)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
