"""Where a run stands, in a file that the driver, the report and people read. Needs no torch."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import define, field

from flowvae.errors import CheckpointError, MachineError
from flowvae.folder.checkpoint import last_step
from flowvae.folder.files import write_bytes
from flowvae.folder.run_records import State, StatusRecord

RESERVED = 1 << 16
"""Bytes that a run keeps on the disk for its last words."""


@define(eq=False)
class Status:
    """Keeps status.json: what a run is doing, for the driver, the report, and people."""

    folder: Path
    steps: int
    warnings: list[str] = field(factory=list)
    exact: bool = True
    """Whether the run is, to the bit, the one that was never interrupted."""
    _written: float = 0.0

    def add(self, warnings: Iterable[str]) -> None:
        """More to say of the run; nothing is said twice."""
        self.warnings[:] = dict.fromkeys([*self.warnings, *warnings])

    def write(self, state: State, step: int, **more: Any) -> None:
        """Replaces the status."""
        record = StatusRecord(
            state=state, step=step, steps=self.steps, exact=self.exact, warnings=tuple(self.warnings), **more
        )
        record.write(self.folder)
        self._written = time.monotonic()

    def end(self, state: State, reason: str, do: str = "") -> None:
        """The last words of a run that ended before it was done: with its newest checkpoint, which stays."""
        self._reserve.unlink(missing_ok=True)
        with suppress(MachineError):  # where they cannot be written, the log and the exit status still tell
            self.write(state, last_step(self.folder / "checkpoints"), reason=reason, do=do)

    @contextmanager
    def room_for_last_words(self) -> Iterator[None]:
        """A disk that fills in between has room left for why the run ended."""
        write_bytes(self._reserve, bytes(RESERVED))
        yield
        self._reserve.unlink(missing_ok=True)

    @property
    def _reserve(self) -> Path:
        return self.folder / ".reserve"

    def tick(self, step: int, **more: Any) -> None:
        """Says that the run is alive, at most once a second."""
        if time.monotonic() - self._written > 1.0:
            self.write("running", step, **more)


def read_status(folder: Path) -> StatusRecord:
    """The status of a run folder; one that has none, or none that can be read, is waiting."""
    try:
        return StatusRecord.read_if_there(folder) or StatusRecord()
    except CheckpointError:
        return StatusRecord()
