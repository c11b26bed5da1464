"""Where a run stands, in a file that the driver, the report and people read. Needs no torch."""

import time
from pathlib import Path
from typing import Any

from attrs import define, field

from flowvae.errors import CheckpointError
from flowvae.folder.run_records import State, StatusRecord


@define(eq=False)
class Status:
    """Keeps status.json: what a run is doing, for the driver, the report, and people."""

    folder: Path
    steps: int
    warnings: list[str] = field(factory=list)
    exact: bool = True
    """Whether the run is, to the bit, the one that was never interrupted."""
    _written: float = 0.0

    def write(self, state: State, step: int, **more: Any) -> None:
        """Replaces the status."""
        record = StatusRecord(
            state=state, step=step, steps=self.steps, exact=self.exact, warnings=tuple(self.warnings), **more
        )
        record.write(self.folder)
        self._written = time.monotonic()

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
