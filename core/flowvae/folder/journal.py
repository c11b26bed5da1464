"""The journal of a run: figures by step, for programs as JSON lines and for people in TensorBoard."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Self

from attrs import define, field

from flowvae.folder.files import finite
from flowvae.folder.tensorboard import EventFile


@define(eq=False)
class Journal:
    """Appends figures to metrics.jsonl, which is the truth about a run; TensorBoard is its shadow."""

    folder: Path
    first_step: int
    """The step that the run starts or continues from: what was written after it is cut off."""
    events: EventFile = field(init=False)
    _lines: IO[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        cut_journal(self.folder, self.first_step)
        self._lines = (self.folder / "metrics.jsonl").open("a", encoding="utf-8")
        self.events = EventFile(self.folder / "tb", self.first_step)

    def write(self, phase: str, step: int, figures: Mapping[str, float | None]) -> None:
        """One line, and a scalar for every figure that is a number."""
        known: dict[str, float | None] = finite(dict(figures))
        self._lines.write(json.dumps({"phase": phase, "step": step, **known}, ensure_ascii=False) + "\n")
        self._lines.flush()
        self.events.scalars(step, {f"{phase}/{name}": v for name, v in known.items() if v is not None})

    def rows(self) -> Iterator[dict[str, Any]]:
        """The lines that were written, from the first."""
        for line in (self.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
            yield json.loads(line)

    def flush_to_disk(self) -> None:
        """Before a checkpoint: what it counts on must be on the disk."""
        os.fsync(self._lines.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self.events.close()


def cut_journal(folder: Path, step: int) -> None:
    """Removes what was written after a checkpoint, and a last line that was torn."""
    path = folder / "metrics.jsonl"
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("step", 0) <= step:
            kept.append(line)
    temporary = path.with_name(".metrics.jsonl.tmp")
    temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    temporary.replace(path)
