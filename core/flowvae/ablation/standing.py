"""How runs stand, from their records alone: while they run, after a kill, on another machine."""

import time
from pathlib import Path
from typing import Literal

from attrs import frozen

from flowvae.errors import CheckpointError, UsageError
from flowvae.folder.lock import is_held
from flowvae.folder.plan_records import Plan
from flowvae.folder.run_records import Order, Result, State, StatusRecord
from flowvae.folder.status import read_status

Standpoint = State | Literal["starting", "silent", "interrupted"]
"""Where the word of a run is not enough: one that says that it runs may have been killed since."""
SILENT_AFTER_S = 600.0
"""A run says how it stands at least every ten steps; its validations may take minutes."""
SILENT_AFTER_STEPS = 50


@frozen
class Watched:
    """One run of a plan, and its folder, which may not be there yet."""

    arm: str
    seed: int
    folder: Path
    steps: int = 0
    """All that it is to take, where the plan says it: one ablation may be run across several budgets."""

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.arm} seed {self.seed}"


@frozen
class Standing:
    """How one run stands."""

    run: Watched
    state: Standpoint
    status: StatusRecord
    steps: int
    """All that it is to take."""
    reason: str = ""

    @property
    def share(self) -> float:
        """How much of its steps it has taken."""
        return self.status.step / self.steps if self.steps else 0.0

    @property
    def left_s(self) -> float | None:
        """The seconds that it still needs at the pace of its last steps; None where it does not run."""
        rate = self.status.steps_per_second
        return (self.steps - self.status.step) / rate if rate and self.state == "running" else None


def watched_runs(folder: Path) -> tuple[tuple[Watched, ...], int]:
    """The runs of an ablation's folder, or the one of a run's own, and the steps of each; UsageError where it is neither.

    CheckpointError where its plan cannot be read.
    """
    plan = Plan.read_if_there(folder)
    if plan is not None:
        runs = folder / "runs"
        places = [(arm, seed) for arm in plan.arms for seed in plan.seeds]
        watched = (Watched(a.name, seed, runs / a.name / f"seed-{seed}", a.steps) for a, seed in places)
        return tuple(watched), plan.steps
    order = Order.read_if_there(folder)
    if order is not None:
        return (Watched(order.arm, order.seed, folder),), 0
    what = f"{folder} holds no plan.json" if folder.is_dir() else f"there is no folder {folder}"
    raise UsageError(what, do="name the folder of an ablation, as in runs/NAME, or of one of its runs")


def standing(run: Watched, steps: int) -> Standing:
    """How a run stands now, as far as its folder tells."""
    held = is_held(run.folder)
    status = read_status(run.folder)  # after the look at the lock: who has let it go has said why
    state, reason = _stands(run.folder, status, held=held)
    return Standing(run, state, status, status.steps or run.steps or steps, reason or status.reason)


def _stands(folder: Path, status: StatusRecord, *, held: bool | None) -> tuple[Standpoint, str]:
    match status.state:
        case "running" if held is False:
            return "interrupted", f"it ended without a word after step {status.step}"
        case "running" if held is None and (age := _silence_s(folder, status)):
            return (
                "silent",
                f"it has said nothing for {duration(age)}, and its process cannot be seen from here",
            )
        case "waiting" | "failed" | "stopped" if held:
            return "starting", "its process is at work and has not come to its first step"
        case "done" if not _has_result(folder):
            return "failed", "it says that it is done, but left no result that can be read"
        case _:
            return status.state, ""


def _silence_s(folder: Path, status: StatusRecord) -> float:
    """The seconds since its last word, where those are more than a run is silent for; else 0."""
    try:
        age = time.time() - (folder / StatusRecord.file).stat().st_mtime
    except OSError:
        return 0.0
    rate = status.steps_per_second
    return age if age > max(SILENT_AFTER_S, SILENT_AFTER_STEPS / rate if rate else 0.0) else 0.0


def _has_result(folder: Path) -> bool:
    try:
        result = Result.read_if_there(folder)
    except CheckpointError:
        return False
    return result is not None and result.is_measured


def duration(seconds: float) -> str:
    """A stretch of time in words.

    >>> duration(75), duration(7300), duration(200_000)
    ('1 min 15 s', '2 h 1 min', '2 d 7 h')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
