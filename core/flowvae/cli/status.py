"""The verb status: how the runs of a folder stand, once, from their records."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from flowvae.ablation.run_table import counted, run_table
from flowvae.ablation.standing import Standing, duration, standing, watched_runs
from flowvae.errors import shown
from flowvae.folder.lock import is_held
from flowvae.text import printable, shortened

TO_COME = frozenset({"waiting", "starting", "running", "interrupted", "stopped"})
WORDS = 3
"""Last lines of a log that are shown."""
TAIL_BYTES = 4096
MOST_TOLD = 10
"""Runs whose end is told in full."""


def status(options: argparse.Namespace) -> int:
    """Prints the table of arms and seeds, how those ended that are not done, and what to do."""
    folder: Path = options.folder
    runs, steps = watched_runs(folder)
    found = [standing(run, steps) for run in runs]
    left = seconds_left(found)
    if options.json:
        print(json.dumps({"seconds_left": left, "runs": [_fields(one) for one in found]}, indent=1))
        return 0
    soon = f"; about {duration(left)} left" if left is not None else ""
    print(f"{shown(folder)}: {counted(found)}{soon}")
    # A file or a pipe has no width: nothing is cut for it.
    columns = _columns() if sys.stdout.isatty() else None
    for line in (*run_table(found, columns), *_ends(found), *_to_do(folder, found)):
        print(line)
    return 0


def seconds_left(standings: Sequence[Standing]) -> float | None:
    """Until all that is to come is done, at the pace of what runs now; None where nothing does."""
    pace = sum(s.status.steps_per_second or 0.0 for s in standings if s.state == "running")
    left = sum(s.steps - s.status.step for s in standings if s.state in TO_COME)
    return left / pace if pace else None


def _columns() -> int:
    from shutil import get_terminal_size  # noqa: PLC0415 - only for terminals

    return get_terminal_size().columns


def _fields(one: Standing) -> dict[str, Any]:
    """The same for a program."""
    said = one.status
    return {
        "arm": one.run.arm,
        "seed": one.run.seed,
        "folder": one.run.folder.as_posix(),
        "state": one.state,
        "step": said.step,
        "steps": one.steps,
        "phase": said.phase,
        "loss": said.loss,
        "steps_per_second": said.steps_per_second,
        "seconds_left": one.left_s,
        "reason": one.reason,
        "warnings": list(said.warnings),
    }


def _ends(standings: Sequence[Standing]) -> Iterator[str]:
    """The last words of the runs that ended before they were done."""
    ended = [s for s in standings if s.state in {"failed", "interrupted", "stopped", "silent"}]
    for one in ended[:MOST_TOLD]:
        yield ""
        yield f"{printable(one.run.name)}: {one.state} at step {one.status.step}" + (
            f" ({shortened(one.reason)})" if one.reason else ""
        )
        log = one.run.folder / "log.txt"
        if one.state != "stopped" and (words := _last_words(log)):
            yield f"  {shown(log)} ends with"
            yield from (f"    {shortened(printable(line), 200)}" for line in words)
    if len(ended) > MOST_TOLD:
        yield f"and {len(ended) - MOST_TOLD} more that are not done"


def _last_words(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(file.seek(0, 2) - TAIL_BYTES, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()][-WORDS:]


def _to_do(folder: Path, standings: Sequence[Standing]) -> Iterator[str]:
    """What there is to do about it."""
    states = {one.state for one in standings}
    yield ""
    if states == {"done"}:
        yield f"all are done: flowvae report {shown(folder)} makes their page anew"
    elif is_held(folder) or states & {"running", "starting"}:
        yield "a command is at work here: what waits has its turn, and what failed is tried again by the next command"
    elif "silent" in states:
        yield "look on the machine that it ran on: where its process has ended, the same command continues there"
    else:
        yield "nothing is at work here: the command that began it continues, and tries again what failed"
