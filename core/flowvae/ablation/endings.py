"""How runs ended, and what there is to do: the last word where a run could not say it, its exit status, its advice."""

import contextlib
import signal
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from attrs import evolve

from flowvae.ablation.runs import Run
from flowvae.errors import (
    AblationError,
    CheckpointError,
    FlowvaeError,
    MachineError,
    StalledError,
    lacks_memory,
    shown,
)
from flowvae.folder.checkpoint import last_step
from flowvae.folder.lock import is_held
from flowvae.folder.run_records import Order
from flowvae.folder.status import read_status
from flowvae.processes.outcome import as_in_a_shell

AGAIN = "the same command continues"
TAIL_BYTES = 4096
"""Of a log, what is looked at."""
LARGEST_STACKS = 1 << 16
BY_ITSELF = frozenset({8, 10})
"""Exit statuses of what may be another way the next time, beside those of signals."""


def settle(runs: Iterable[Run], statuses: Mapping[str, int]) -> None:
    """A run that was killed still says that it runs: its last word is said for it, with the checkpoint that it left."""
    for run in runs:
        said = read_status(run.folder)
        if said.state != "running" or is_held(run.folder) is not False:
            continue
        number = as_in_a_shell(statuses.get(run.name, 128 + signal.SIGKILL)) - 128
        asked = number in {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        step = last_step(run.folder / "checkpoints")
        stalled = None if asked else _stalled(run, said.step)
        record = evolve(
            said,
            state="stopped" if asked else "failed",
            step=step,
            reason=stalled.what if stalled else words_of(number),
            loss=None,
            do=stalled.do if stalled else AGAIN,
        )
        with contextlib.suppress(MachineError):  # what cannot be written is told on the terminal
            record.write(run.folder)


def words_of(number: int) -> str:
    """What a signal means to who did not send it.

    >>> words_of(9), words_of(15)
    ('killed by signal 9 (SIGKILL), perhaps for want of memory', 'signal 15 (SIGTERM)')
    """
    try:
        name = signal.Signals(number).name
    except ValueError:
        return "it ended without a word"
    if number == signal.SIGKILL:
        return f"killed by signal {number} ({name}), perhaps for want of memory"
    return f"signal {number} ({name})"


def say_warnings(runs: Iterable[Run], say: Callable[[str], None]) -> None:
    """What the runs had to say of themselves, once for all that say the same."""
    told: dict[str, list[str]] = {}
    for run in runs:
        for warning in read_status(run.folder).warnings:
            told.setdefault(warning, []).append(run.name)
    for warning, names in told.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        say(f"  note: {names[0]}{more}: {warning}")


def announce_taken_up(runs: Iterable[Run], say: Callable[[str], None]) -> None:
    """Of runs that go on: those that ended without a word, and those that are told to go on to other bits."""
    for run in runs:
        step = last_step(run.folder / "checkpoints")
        status = read_status(run.folder)
        if status.state == "running" and is_held(run.folder) is False:
            say(
                f"  {run.name} ended without a word after step {status.step}, perhaps for want of memory; "
                f"it continues from step {step}"
            )
        before, asked = _threads_before(run), run.recipe.execution.threads
        if step and asked and before not in {None, asked}:
            say(f"  {run.name} goes on with threads {before} -> {asked}: not to the same bits")


def _threads_before(run: Run) -> int | None:
    try:
        order = Order.read_if_there(run.folder)
    except CheckpointError:  # who reads it next says so
        return None
    return order.threads if order else None


def raise_failures(runs: list[Run], statuses: Mapping[str, int], report: Path) -> None:
    """RunError where the only run of a plan failed, AblationError where some of several did."""
    failed = [run for run in runs if not run.done()]
    if not failed:
        return
    lines = [f"{run.name}: {_why(run, statuses)}" for run in failed]
    advice = dict.fromkeys(_to_do(run, statuses) for run in failed)
    if len(runs) == 1:
        raise RunError(lines[0], _exit_status(failed[0], statuses) or 1, failed[0].folder, next(iter(advice)))
    raise AblationError(
        f"{len(failed)} of {len(runs)} runs failed: " + "; ".join(lines[:5]),
        where=shown(report),
        do="see log.txt in the run's folder; " + "; ".join(advice),
    )


def _exit_status(run: Run, statuses: Mapping[str, int]) -> int:
    status = as_in_a_shell(statuses.get(run.name, 1))
    if status != 1:
        return status
    if _stalled(run, 0):
        return StalledError.exit_status
    # What ends while it imports leaves no word but its trace.
    return MachineError.exit_status if _lacked_memory(run) else status


def _stalled(run: Run, step: int) -> StalledError | None:
    """Of a run that Python could not end any more: its log closes with the stacks that a timer of C has left there."""
    _, timer, stacks = _end_of_log(run, LARGEST_STACKS).rpartition("\nTimeout (")
    lines = [line for line in stacks.splitlines()[1:] if line]
    if not timer or not all(line.startswith(("Thread 0x", "Current thread", "  ")) for line in lines):
        return None
    limit = run.recipe.execution.stall_timeout
    return StalledError.after(limit, f"what came after step {step}", stacks="log.txt")


def _lacked_memory(run: Run) -> bool:
    """Whether the end of its log says so, where the run never came so far as to say anything itself."""
    return read_status(run.folder).state == "waiting" and lacks_memory(_end_of_log(run, TAIL_BYTES))


def _end_of_log(run: Run, most: int) -> str:
    try:
        with (run.folder / "log.txt").open("rb") as log:
            log.seek(max(log.seek(0, 2) - most, 0))
            return "\n" + log.read().decode(errors="replace")
    except OSError:
        return ""


def _why(run: Run, statuses: Mapping[str, int]) -> str:
    """What ended a run that is not done, and what is left of it."""
    status, exit_status = read_status(run.folder), _exit_status(run, statuses)
    left = f"; its last checkpoint is of step {last_step(run.folder / 'checkpoints')}"
    if status.state in {"failed", "stopped"}:
        return (status.reason or "failed") + left
    if exit_status > 128:
        return words_of(exit_status - 128) + left
    if exit_status == StalledError.exit_status:
        return "stalled before its first step" + left
    if exit_status == MachineError.exit_status:
        return "the memory did not suffice to begin" + left
    return f"ended with exit status {exit_status} and without a result at step {status.step}" + left


def _to_do(run: Run, statuses: Mapping[str, int]) -> str:
    """The same command only where it may end in another way."""
    exit_status = _exit_status(run, statuses)
    own = read_status(run.folder).do
    if exit_status > 128:
        return AGAIN
    if exit_status in BY_ITSELF:
        return own if AGAIN in own else f"{own}; then {AGAIN}" if own else AGAIN
    return own or AGAIN


class RunError(FlowvaeError):
    """A single run that failed: its exit status is handed on."""

    code = "RUN"

    def __init__(self, what: str, exit_status: int, folder: Path, do: str) -> None:
        super().__init__(what, where=shown(folder / "log.txt"), do=do)
        self.exit_status = exit_status  # type: ignore[misc]  # of this failure, not of the class
