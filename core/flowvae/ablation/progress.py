"""What the runs are doing: a live table in a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Self

from attrs import define, field

from flowvae.ablation.run_table import counted, run_table, second_player
from flowvae.ablation.standing import Standing, Standpoint, Watched, duration
from flowvae.folder.run_records import StatusRecord
from flowvae.folder.status import read_status

if TYPE_CHECKING:
    from flowvae.ablation.live_text import LiveText

PLAIN_EVERY_S = 15.0
LOOK_EVERY_S = 1.0
"""A run says how it stands once a second, and no more often."""
MOST_NAMED = 6
"""Runs that a plain line tells of."""
ENDED = frozenset({"done", "failed", "stopped"})


@define(eq=False)
class Progress:
    """Shows the state of every run from their status files; `poll` is what an executor calls.

    Read are the files of the runs that run, and of those that have ended since the last look: what is done does not
    change, and what waits has nothing to say.
    """

    runs: Sequence[Watched]
    """All that are planned, in the order of the plan."""
    say: Callable[[str], None]
    done_before: Collection[str] = ()
    """The names of those that are not run again."""
    started: float = field(factory=time.monotonic)
    _live: "LiveText | None" = None
    _last_line: float = 0.0
    _last_look: float = float("-inf")
    _states: dict[str, StatusRecord] = field(factory=dict)
    _unread: set[str] = field(factory=set)
    """What has run since the last look."""
    _finished: set[str] = field(factory=set)
    _steps_before: int = -1

    def __enter__(self) -> Self:
        if sys.stdout is not None and sys.stdout.isatty():
            from flowvae.ablation.live_text import live_text  # noqa: PLC0415 - only for terminals

            self._live = live_text()
        self._finished |= {*self.done_before}
        self._look(run.name for run in self.runs)
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.close()
            return
        # The last run has ended since the executor looked; and one that says little of its runs may have ended more.
        before = self._look([run.name for run in self.runs if run.name not in self._finished])
        silent = {name for name, state in before.items() if state != self._states[name]}
        self._show((), self._unread | silent)

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
        asked = {*names}
        before = {name: self._states[name] for name in asked if name in self._states}
        self._states |= {run.name: read_status(run.folder) for run in self.runs if run.name in asked}
        return before

    def _show(self, running: Sequence[str], seen: Collection[str]) -> None:
        """`seen` are those of which there may be something to say."""
        for name in (run.name for run in self.runs if run.name in seen and run.name not in running):
            status = self._states[name]
            if name not in self._finished and status.state in ENDED:
                self._finished.add(name)
                if self._live is None:
                    count = f"{len(self._finished)} of {len(self.runs)}"
                    self.say(f"  {name}: {status.state}{_reason(status)}; {count}")
        if self._live is not None:
            self._live.show(lambda columns, rows: self._lines(running, columns, rows))
            return
        now = time.monotonic()
        if now - self._last_line >= PLAIN_EVERY_S:
            self._last_line = now
            self.say(f"  {self._summary(running)}")

    def _lines(self, running: Sequence[str], columns: int, rows: int) -> list[str]:
        """The table, under what there is to say of all runs."""
        standings = self._standings(running)
        head = f"{self._remaining()}{counted(standings)}"
        return [head[:columns], *run_table(standings, columns, rows - 1)]

    def _standings(self, running: Sequence[str]) -> list[Standing]:
        steps, at_work = self._steps(), {*running}
        return [
            Standing(run, self._state(run.name, at_work), status, status.steps or run.steps or steps)
            for run in self.runs
            for status in [self._states[run.name]]
        ]

    def _state(self, name: str, at_work: Collection[str]) -> Standpoint:
        """What a status says is what was last written: a run that was killed, or failed before, waits for its turn."""
        status = self._states[name]
        if name in at_work:
            return "running" if status.state == "running" else "starting"
        return status.state if name in self._finished or status.state == "done" else "waiting"

    def _summary(self, running: Sequence[str]) -> str:
        states = self._states
        told = [f"{name} step {states[name].step}{_losses(states[name])}" for name in running[:MOST_NAMED]]
        more = [f"and {len(running) - MOST_NAMED} more"] if len(running) > MOST_NAMED else []
        return f"{self._remaining()}{', '.join([*told, *more]) or 'starting'}"

    def _steps(self) -> int:
        return max((s.steps for s in self._states.values()), default=0)

    def _remaining(self) -> str:
        """The time left, from the steps that were taken since this command began."""
        most = self._steps()
        total = sum(self._states[run.name].steps or run.steps or most for run in self.runs)
        taken = sum(s.step for s in self._states.values())
        if self._steps_before < 0:
            self._steps_before = taken
        gained, seconds = taken - self._steps_before, time.monotonic() - self.started
        if gained <= 0 or total <= 0:
            return ""
        left = seconds * (total - taken) / gained
        return f"{100 * taken / total:.0f} %, about {duration(left)} left; "


def _losses(status: StatusRecord) -> str:
    said = f" loss {status.loss:.3f}" if status.loss is not None else ""
    if status.right is not None:
        loss, right = second_player(status)
        said += f" ({status.phase}: discriminators {loss}, {right} right)"
    return said


def _reason(status: StatusRecord) -> str:
    return f" ({status.reason})" if status.reason else ""
