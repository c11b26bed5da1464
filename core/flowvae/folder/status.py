"""Where a run stands, in a file that the driver, the report and people read. Needs no torch."""

import time
from pathlib import Path
from typing import Any

from attrs import define, field

from flowvae.errors import CheckpointError
from flowvae.folder.files import read_record, write_json


@define(eq=False)
class Status:
    """status.json: what a run is doing, for the driver, the report, and people."""

    folder: Path
    steps: int
    warnings: list[str] = field(factory=list)
    exact: bool = True
    """Whether the run is, to the bit, the one that was never interrupted."""
    _written: float = 0.0

    def write(self, state: str, step: int, **more: Any) -> None:
        """Replaces the status."""
        content = {
            "state": state,
            "step": step,
            "steps": self.steps,
            "exact": self.exact,
            "warnings": self.warnings,
            **more,
        }
        write_json(self.folder / "status.json", content)
        self._written = time.monotonic()

    def tick(self, step: int, **more: Any) -> None:
        """Says that the run is alive, at most once a second."""
        if time.monotonic() - self._written > 1.0:
            self.write("running", step, **more)


def read_status(folder: Path) -> dict[str, Any]:
    """The status of a run folder; one that has none is waiting."""
    try:
        content = read_record(folder / "status.json")
    except CheckpointError:
        return {"state": "waiting", "step": 0}
    known = isinstance(content.get("state"), str) and isinstance(content.get("step"), int)
    return content if known else {"state": "waiting", "step": 0}
