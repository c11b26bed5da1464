"""What the runs are doing: a live table in a terminal, plain lines elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from attrs import define, field

from flowvae.folder.run_records import StatusRecord
from flowvae.folder.status import read_status

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

PLAIN_EVERY_S = 15.0
LOOK_EVERY_S = 1.0
"""A run says how it stands once a second, and no more often."""
MOST_ROWS = 30
"""Of the live table: a terminal shows no more, and each of them is laid out anew at every look."""
ENDED = frozenset({"done", "failed", "stopped"})


@define(eq=False)
class Progress:
    """Shows the state of every run from their status files; `poll` is what an executor calls.

    Read are the files of the runs that run, and of those that have ended since the last look: what is done does not
    change, and what waits has nothing to say.
    """

    folders: Mapping[str, Path]
    say: Callable[[str], None]
    started: float = field(factory=time.monotonic)
    _live: "Live | None" = None
    _last_line: float = 0.0
    _last_look: float = float("-inf")
    _states: dict[str, StatusRecord] = field(factory=dict)
    _unread: set[str] = field(factory=set)
    """What has run since the last look."""
    _finished: set[str] = field(factory=set)
    _steps_before: int = -1

    def __enter__(self) -> Self:
        if sys.stdout.isatty():
            from rich.live import Live  # noqa: PLC0415 - only for terminals

            self._live = Live(auto_refresh=False, transient=True)
            self._live.start()
        self._look(self.folders)
        return self

    def __exit__(self, *_: object) -> None:
        # The last run has ended since the executor looked; and one that says little of its runs may have ended more.
        before = self._look(self.folders.keys() - self._finished)
        silent = {name for name, state in before.items() if state != self._states[name]}
        self._show((), self._unread | silent)
        if self._live is not None:
            self._live.stop()

    def poll(self, running: Sequence[str]) -> None:
        """Looks at the runs and shows them, at most once a second."""
        self._unread |= set(running)
        now = time.monotonic()
        if now - self._last_look >= LOOK_EVERY_S:
            self._last_look = now
            self._look(self._unread)
            self._show(running, self._unread)
            self._unread = set(running)

    def _look(self, names: Iterable[str]) -> dict[str, StatusRecord]:
        """Reads how some of the runs stand; gives what was known of them."""
        before = {name: self._states[name] for name in names if name in self._states}
        self._states |= {name: read_status(self.folders[name]) for name in names}
        return before

    def _show(self, running: Sequence[str], seen: Collection[str]) -> None:
        """`seen` are those of which there may be something to say."""
        ended = [name for name in self.folders if name in seen and name not in running]
        for name in ended:
            status = self._states[name]
            if name not in self._finished and status.state in ENDED:
                self._finished.add(name)
                if self._live is None:
                    count = f"{len(self._finished)} of {len(self._states)}"
                    self.say(f"  {name}: {status.state}{_reason(status)}; {count}")
        if self._live is not None:
            self._live.update(self._table(self._states, running), refresh=True)
            return
        now = time.monotonic()
        if now - self._last_line >= PLAIN_EVERY_S:
            self._last_line = now
            self.say(f"  {self._summary(self._states, running)}")

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
        for name, status in self._rows(states, running):
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
        if len(states) > table.row_count:
            counts = Counter("running" if n in running else status.state for n, status in states.items())
            table.caption = ", ".join(f"{count} {state}" for state, count in counts.items())
        return table

    def _rows(
        self, states: Mapping[str, StatusRecord], running: Sequence[str]
    ) -> Iterable[tuple[str, StatusRecord]]:
        """All runs where they fit; else what runs, what goes on next, and what has ended, in the order of the plan."""
        if len(states) <= MOST_ROWS:
            return states.items()
        first = sorted(states, key=lambda name: (name not in running, states[name].state in ENDED))
        shown = set(first[:MOST_ROWS])
        return [(name, status) for name, status in states.items() if name in shown]


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
