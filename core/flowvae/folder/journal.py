"""The journal of a run: figures by step, for programs as JSON lines and for people in TensorBoard."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from attrs import define, field, frozen

from flowvae.folder.files import drop_unless_regular, finite, not_written, read_regular, write_bytes

if TYPE_CHECKING:
    from flowvae.folder.tensorboard import EventFile

FILE = "metrics.jsonl"
VALIDATION = "validation"
"""The phase of what was measured on all held-out sounds."""
CURVE = "curve"
"""The phase of what was measured on some of them, more often; the same sounds at every step."""


@frozen
class Row:
    """One line: the figures of a phase (train, validation, curve) after a step; nothing where one is no number."""

    phase: str
    step: int
    figures: Mapping[str, float | None]

    def line(self) -> str:
        """As it stands in the file."""
        content = {"phase": self.phase, "step": self.step, **finite(dict(self.figures))}
        return json.dumps(content, ensure_ascii=False)

    def tagged(self) -> dict[str, float]:
        """Its figures that are numbers, by what TensorBoard calls them."""
        return {f"{self.phase}/{name}": value for name, value in self.figures.items() if value is not None}

    @classmethod
    def of_line(cls, line: str | bytes) -> "Row | None":
        """What a line says, or nothing where it was torn or damaged."""
        try:
            content = dict(json.loads(line))
            phase, step = content.pop("phase"), content.pop("step")
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        if type(phase) is not str or type(step) is not int:
            return None
        return cls(phase, step, {str(name): _number(value) for name, value in content.items()})


@define(eq=False)
class Journal:
    """Appends figures to metrics.jsonl, which is the truth about a run; TensorBoard is its shadow."""

    folder: Path
    first_step: int
    """The step that the run starts or continues from: what was written after it is cut off.

    A run that starts writes its step 0 itself, also where an earlier start of it came as far as that.
    """
    kept: tuple[Row, ...] = field(init=False)
    """What was there before."""
    events: "EventFile" = field(init=False)
    _lines: IO[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        from flowvae.folder.session import session_of  # noqa: PLC0415 - who only reads has no tensorboard
        from flowvae.folder.tensorboard import EventFile  # noqa: PLC0415 - as above

        self.kept = kept = cut_journal(self.folder, self.first_step or -1)
        drop_unless_regular(self.folder / FILE)
        self._lines = (self.folder / FILE).open("a", encoding="utf-8")
        self.events = EventFile(self.folder, session_of(self.folder))
        self.events.take_up(((row.step, row.tagged()) for row in kept), self.first_step)

    def write(self, phase: str, step: int, figures: Mapping[str, float | None]) -> None:
        """One line, and a scalar for every figure that is a number."""
        row = Row(phase, step, finite(dict(figures)))
        try:
            self._lines.write(f"{row.line()}\n")
            self._lines.flush()
        except OSError as error:
            raise not_written(self.folder / FILE, error) from error
        self.events.scalars(step, row.tagged())

    def flush_to_disk(self) -> None:
        """Before a checkpoint: what it counts on must be on the disk."""
        try:
            os.fsync(self._lines.fileno())
        except OSError as error:
            raise not_written(self.folder / FILE, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self.events.close(whole=error is None)
        try:
            self._lines.close()
        except OSError as fault:
            if error is None:  # what went wrong first is the cause
                raise not_written(self.folder / FILE, fault) from fault


def read_journal(folder: Path) -> tuple[tuple[Row, ...], int]:
    """The lines of a run's journal, and how many are damaged. A torn last line is what a kill leaves, and no damage."""
    try:
        lines = [line for line in read_regular(folder / FILE).split(b"\n") if line.strip()]
    except OSError:
        return (), 0
    rows = [Row.of_line(line) for line in lines]
    return tuple(row for row in rows if row), sum(row is None for row in rows[:-1])


def cut_journal(folder: Path, step: int) -> tuple[Row, ...]:
    """Removes what was written after a checkpoint, and a last line that was torn; gives what is left."""
    path = folder / FILE
    if not path.exists():
        return ()
    rows, _ = read_journal(folder)
    kept = tuple(row for row in rows if row.step <= step)
    write_bytes(path, "".join(f"{row.line()}\n" for row in kept).encode())
    return kept


def _number(value: Any) -> float | None:
    """A finite number as float; None for everything else, true and false included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
