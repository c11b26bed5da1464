"""The other end of a warm parent: who has it started, and what has it fork."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, Self

from flowvae.processes.plain import PlainProcess
from flowvae.processes.program import module_of, program

IMPORT_S = 120.0
"""The longest that it may take to import what is needed; whoever has waited so long goes on without it."""
ANSWER_S = 20.0
"""The same for an answer, which takes milliseconds."""
LARGEST = 1 << 16


class WarmParent:
    """A process that has imported what some programs need, and becomes a copy of itself for each that is to run.

    Once it is lost, however that came, it answers nothing any more; whoever asked does without it.
    """

    def __init__(
        self, programs: Sequence[str], modules: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._programs, self._environment = frozenset(programs), dict(environment)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 (the engine wrote the command)
                program("flowvae.processes.warm_parent", str(theirs.fileno())),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
            )
        self._control.settimeout(ANSWER_S)
        self._ready = self.lost = False
        with suppress(OSError):  # who has died already is found lost
            self._control.send(json.dumps({"programs": programs, "modules": modules}).encode())

    @classmethod
    def started(
        cls, programs: Sequence[str], modules: Sequence[str], environment: Mapping[str, str]
    ) -> Self | None:
        """None where there can be none: copies that can be waited for without being reaped are Linux's."""
        if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
            return None
        try:
            os.close(os.pidfd_open(os.getpid()))  # a kernel before 5.3 has it not
            return cls(programs, modules, environment)
        except OSError:
            return None

    def takes(self, command: tuple[str, ...], environment: Mapping[str, str]) -> bool:
        """Whether a copy would be what a new process is: libraries have read the environment at their import."""
        return module_of(command) in self._programs and environment == self._environment

    def fork(self, command: tuple[str, ...], output: IO[bytes], errors: IO[bytes]) -> int | None:
        """The number of a copy that runs the command; None where there is none."""
        self._wait_until_ready()
        answer = self._ask({"command": command}, [output.fileno(), errors.fileno()])
        return answer["child"] if answer and "child" in answer else None

    def status_of(self, child: int, *, reap: bool) -> int | None:
        """The exit status of a copy that has ended, or is about to; None where the parent is lost."""
        answer = self._ask({"child": child, "reap": reap}, [])
        return answer["status"] if answer else None

    def close(self) -> None:
        """Ends it, and copies that were started while an interrupt was on its way to whoever asked for them."""
        self._control.close()
        if self._ready and not self.lost:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(ANSWER_S)
        self._lose()
        self._process.wait()

    def _wait_until_ready(self) -> None:
        """Apart from asking, so that it can be interrupted: importing takes seconds."""
        if not (self._ready or self.lost):
            self._ready = _readable(self._control.fileno(), IMPORT_S) and self._receive() is not None
            if not self._ready:
                self._lose()

    def _ask(self, message: Mapping[str, Any], files: Sequence[int]) -> dict[str, Any] | None:
        if self.lost:
            return None
        with _undisturbed():
            try:
                socket.send_fds(self._control, [json.dumps(message).encode()], files)
                answer = self._receive()
            except OSError:
                answer = None
        if answer is None:
            self._lose()
        return answer

    def _receive(self) -> dict[str, Any] | None:
        try:
            text = self._control.recv(LARGEST)
        except OSError:
            return None
        return json.loads(text) if text else None

    def _lose(self) -> None:
        # It must not start later what is started without it.
        self.lost = True
        self._process.kill()


class WarmProcess:
    """A copy of a warm parent. Where that is lost nobody can say how it ended: then it is begun anew, as a plain process."""

    def __init__(self, parent: WarmParent, child: int, anew: Callable[[], PlainProcess]) -> None:
        self._parent, self._child, self._anew = parent, child, anew
        self._watch = os.pidfd_open(child)
        self._plain: PlainProcess | None = None
        self._status: int | None = None
        self._asked = 0

    def exit_status(self) -> int | None:
        """None while it runs. It is not reaped here."""
        if self._plain is not None:
            return self._plain.exit_status()
        if self._status is None and self._is_over():
            self._status = self._parent.status_of(self._child, reap=False)
            if self._status is None and self._asked:
                self._status = -self._asked  # it has ended as it was asked to
            elif self._status is None:
                self._plain = self._anew()
        return self._status

    def wait(self) -> int:
        """Returns its exit status when it has ended."""
        while (status := self.exit_status()) is None:
            if self._plain is not None:
                return self._plain.wait()
            _readable(self._watch, None)
        return status

    def ask(self, number: int) -> None:
        """Sends a signal to the process itself, where it has not ended."""
        self._asked = number
        if self._plain is not None:
            self._plain.ask(number)
        else:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._watch, number)

    def end(self) -> None:
        """Kills whatever is alive of it and of what it has started."""
        if self._watch < 0:
            return
        if self._plain is not None:
            self._plain.end()
        else:
            # Its number is its own while it lives, and until it is reaped: only its parent can do that.
            if not (self._parent.lost and self._is_over()):
                with suppress(ProcessLookupError):
                    os.killpg(self._child, signal.SIGKILL)
            _readable(self._watch, None)
            self._status = self._parent.status_of(self._child, reap=True) or self._status or 0
        os.close(self._watch)
        self._watch = -1

    def _is_over(self) -> bool:
        return _readable(self._watch, 0)


def _readable(file: int, seconds: float | None) -> bool:
    """Whether there is something to read by then, the end included; of a pidfd, whether the process has ended."""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(None if seconds is None else 1000 * seconds))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals wait: an exception between a question and its answer would leave the answer to the next question."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
