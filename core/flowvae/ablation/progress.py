"""What the runs are doing: a live table in a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from attrs import define, field

from flowvae.folder.run_records import StatusRecord
from flowvae.folder.status import read_status

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

PLAIN_EVERY_S = 15.0


@define(eq=False)
class Progress:
    """Shows the state of every run from their status files; `poll` is what an executor calls."""

    folders: Mapping[str, Path]
    say: Callable[[str], None]
    started: float = field(factory=time.monotonic)
    _live: "Live | None" = None
    _last_line: float = 0.0
    _finished: set[str] = field(factory=set)
    _steps_before: int = -1

    def __enter__(self) -> Self:
        if sys.stdout.isatty():
            from rich.live import Live  # noqa: PLC0415 - only for terminals

            self._live = Live(refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.poll(())  # the last run has ended since the executor looked
        if self._live is not None:
            self._live.stop()

    def poll(self, running: Sequence[str]) -> None:
        """Looks at the runs and shows them."""
        states = {name: read_status(folder) for name, folder in self.folders.items()}
        if self._live is not None:
            self._live.update(self._table(states, running))
            return
        for name, status in states.items():
            if (
                name not in self._finished
                and status.state in {"done", "failed", "stopped"}
                and name not in running
            ):
                self._finished.add(name)
                self.say(f"  {name}: {status.state}{_reason(status)}; {len(self._finished)} of {len(states)}")
        now = time.monotonic()
        if now - self._last_line >= PLAIN_EVERY_S:
            self._last_line = now
            self.say(f"  {self._summary(states, running)}")

    def _summary(self, states: Mapping[str, StatusRecord], running: Sequence[str]) -> str:
        current = ", ".join(f"{name} step {states[name].step}{_losses(states[name])}" for name in running)
        return f"{self._remaining(states)}{current or 'starting'}"

    def _remaining(self, states: Mapping[str, StatusRecord]) -> str:
        """The time left, from the steps that were taken since this command began."""
        total = max((s.steps for s in states.values()), default=0) * len(states)
        taken = sum(s.step for s in states.values())
        if self._steps_before < 0:
            self._steps_before = taken
        gained, seconds = taken - self._steps_before, time.monotonic() - self.started
        if gained <= 0 or total <= 0:
            return ""
        left = seconds * (total - taken) / gained
        return f"{100 * taken / total:.0f} %, about {_duration(left)} left; "

    def _table(self, states: Mapping[str, StatusRecord], running: Sequence[str]) -> "Table":
        from rich.table import Table  # noqa: PLC0415 - only for terminals

        table = Table(title=self._remaining(states) or None, title_justify="left")
        opposed = any(status.right is not None for status in states.values())
        columns = ("run", "state", "step", "steps/s", "loss")
        for column in (*columns, "phase", "discriminators", "right") if opposed else columns:
            table.add_column(column, justify="left" if column in {"run", "state", "phase"} else "right")
        for name, status in states.items():
            state = "running" if name in running else status.state
            rate, loss = status.steps_per_second, status.loss
            table.add_row(
                name,
                state,
                f"{status.step}/{status.steps or '?'}",
                f"{rate:.1f}" if rate else "",
                f"{loss:.3f}" if loss is not None else "",
                *(_second_player(status) if opposed else ()),
            )
        return table


def _losses(status: StatusRecord) -> str:
    said = f" loss {status.loss:.3f}" if status.loss is not None else ""
    if status.right is not None:
        phase, loss, right = _second_player(status)
        said += f" ({phase}: discriminators {loss}, {right} right)"
    return said


def _second_player(status: StatusRecord) -> tuple[str, str, str]:
    """The phase, the discriminators' loss, and the share of their right answers."""
    loss, right = status.discriminator_loss, status.right
    return (
        status.phase,
        f"{loss:.3f}" if loss is not None else "",
        f"{100 * right:.0f} %" if right is not None else "",
    )


def _reason(status: StatusRecord) -> str:
    return f" ({status.reason})" if status.reason else ""


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
