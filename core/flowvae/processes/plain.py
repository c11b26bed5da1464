"""A command as a process that the system starts."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from flowvae.contracts import Job


class PlainProcess:
    """A command as the leader of a session of its own, without input."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], output: IO[bytes], errors: IO[bytes]
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (the engine wrote the command)
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )

    def exit_status(self) -> int | None:
        """None while it runs. It is not reaped here, so that nobody else is given its number yet."""
        if self._process.returncode is not None:
            return self._process.returncode
        if not hasattr(os, "waitid"):
            # macOS before Python 3.13: to look is to reap, and what a job left stays alive
            return self._process.poll()
        return exit_status(os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))

    def wait(self) -> int:
        """Returns its exit status when it has ended."""
        if self._process.returncode is None and hasattr(os, "waitid"):
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        status = self.exit_status()
        return self._process.wait() if status is None else status

    def ask(self, number: int) -> None:
        """Sends a signal to the process itself, where it has not ended."""
        # Popen.send_signal would reap it, and with it the only safe name of its group.
        if self.exit_status() is None:
            os.kill(self._process.pid, number)

    def end(self) -> None:
        """Kills whatever is alive of it and of what it has started. Once it is reaped its number may be another's."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):  # macOS refuses where only the dead are left
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def start(job: Job) -> PlainProcess:
    """The job as a process, its output at the end of its log."""
    job.log.parent.mkdir(parents=True, exist_ok=True)
    with job.log.open("ab") as log:
        return PlainProcess(job.command, {**os.environ, **job.environment}, log, log)


def exit_status(found: os.waitid_result | None) -> int | None:
    """What os.waitid has found, as a shell's caller knows it: a negative one is the signal that ended the process."""
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
