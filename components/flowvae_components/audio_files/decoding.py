"""Audio files to samples, in another process that may die instead of this one."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

# -P: the folder of the program must not stand before the standard library.
PROGRAM = (sys.executable, "-P", str(Path(__file__).with_name("decoding_child.py")))
SECONDS_A_FILE = 10.0
_MAX_LINE = 65_536
_MAX_SAMPLES = 1 << 26


class UndecodableError(Exception):
    """A file that gives no samples; the text says why."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """The samples of a file (channels, frames), and what its header says about them."""

    audio: NDArray[np.float32]
    rate: int
    container: str
    encoding: str
    promised: int


class Decoder:
    """Decodes files one after the other in one child process, and takes a new one when it is gone.

    The child sees the bytes and never a name or a path, so what was hashed is what is decoded.

    Formula: none.
    Shapes: the bytes of a file -> (channels, frames).
    Units: full scale is 1.
    Source: libsndfile, libsndfile.github.io/libsndfile, by way of the package soundfile.

    Raises UndecodableError for a file, RuntimeError where no file could be decoded at all.

    >>> with Decoder() as decoder:
    ...     decoder.decode(b"no audio")
    Traceback (most recent call last):
    flowvae_components.audio_files.decoding.UndecodableError: cannot be decoded: Format not recognised
    """

    def __init__(self, program: tuple[str, ...] = PROGRAM, seconds: float = SECONDS_A_FILE) -> None:
        self.command = (*program, str(seconds))
        self.seconds = seconds
        self.child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Decoder":  # noqa: PYI034 - beartype knows Self only in classes that it decorates
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def decode(self, content: bytes) -> Decoded:
        """The samples of one file."""
        self.send(content)
        return self.receive()

    def send(self, content: bytes) -> None:
        """Gives the child a file to decode while this process does something else; `receive` has to come next."""
        child = self.child or self._start()
        self.child = child
        # Where the child has died, its answer is that it has died.
        with suppress(OSError):
            _pipe(child.stdin).write(len(content).to_bytes(8, "little"))
            _pipe(child.stdin).write(content)
            _pipe(child.stdin).flush()

    def receive(self) -> Decoded:
        """The samples of the file that was sent."""
        child = self.child
        assert child is not None
        try:
            description = json.loads(_pipe(child.stdout).readline(_MAX_LINE))
            if "error" in description:
                raise UndecodableError(str(description["error"]))
            return _received(_pipe(child.stdout), description)
        except (OSError, ValueError, KeyError, TypeError):
            # A broken pipe, or an answer that is none: this child is not asked again.
            raise UndecodableError(self._last_words(self._end())) from None

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C is for the parent to answer, and must not look like a bad file.
        child = subprocess.Popen(  # noqa: S603  (our own program)
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        if _pipe(child.stdout).readline(_MAX_LINE) != b"ready\n":
            self.child = child
            raise RuntimeError(
                f"the audio decoder does not start (status {self._end()}): is soundfile installed?"
            )
        return child

    def _end(self) -> int:
        child, self.child = self.child, None
        if child is None:
            return 0
        # Its input ends first, so that a child that has died keeps the status it died with.
        for pipe in (child.stdin, child.stdout):
            try:
                _pipe(pipe).close()
            except OSError:
                continue
        try:
            return child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()

    def _last_words(self, status: int) -> str:
        if status == -signal.SIGALRM:
            return f"decoder took more than {self.seconds:g} s"
        if status < 0:
            return f"decoder crashed (signal {-status})"
        return f"decoder ended without an answer (status {status})"


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _received(pipe: IO[bytes], description: dict[str, int | str]) -> Decoded:
    frames, channels = int(description["frames"]), int(description["channels"])
    if not (0 <= frames * channels <= _MAX_SAMPLES and channels > 0):
        raise ValueError("sizes that the program cannot have sent")
    samples = pipe.read(4 * frames * channels)
    audio = np.frombuffer(samples, np.float32).reshape(frames, channels).T
    promised, rate = int(description["promised"]), int(description["rate"])
    return Decoded(audio, rate, str(description["container"]), str(description["encoding"]), promised)
