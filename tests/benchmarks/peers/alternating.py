"""Ours and a peer's in turn, in one process and with one thread: a slow spell of the machine hits both."""

import argparse
import json
import logging
import math
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from attrs import asdict, evolve, frozen

import peer_packages

Side = Callable[[], object]


def _children():
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


CLOCKS = {"processor": time.process_time, "children": _children, "wall": time.perf_counter}
"""Seconds of this process, of the processes that it waited for, and on the wall."""
TOLD = "told"
"""The clock of sides that say themselves how many seconds they took: what they tidy up is not counted."""
LEAST = 0.2
"""Seconds of a round of each side: less is a matter of the clock."""


@frozen
class Row:
    """A line of the table."""

    id: str
    what: str
    ours: str
    theirs: str
    ratio: str = ""
    goal: str = ""
    met: bool | None = None
    note: str = ""
    """Printed below the table."""


@frozen
class Pair:
    """A comparison: each side is built by a function of its own, and what that gives does the work once."""

    what: str
    ours: Callable[[], Side]
    theirs: Callable[[], Side]
    goal: float | None = None
    """The largest ratio, ours / theirs."""
    memory: float | None = None
    """The same of what each side has at most in memory, in a process of its own."""
    peer: str | None = None
    """The module that has to be there."""
    rounds: int = 7
    clock: str = "processor"
    items: int = 1
    """What the time of one call is divided by."""
    note: str = ""


def alternate(ours, theirs, rounds, clock="processor"):
    """Seconds of a call, round by round: two lists."""
    sides = [(side, _calls(side, clock), []) for side in (ours, theirs)]
    for index in range(rounds):
        for side, calls, seconds in sides if index % 2 else sides[::-1]:
            seconds.append(_seconds(side, calls, clock))
    return [seconds for *_, seconds in sides]


def _seconds(side, calls, clock):
    """Of one call, by so many of them."""
    if clock == TOLD:
        return sum(side() for _ in range(calls)) / calls
    read = CLOCKS[clock]
    before = read()
    for _ in range(calls):
        side()
    return (read() - before) / calls


def _calls(side, clock):
    """As many as fill a round; the call before the one that is measured fills caches and optimizers."""
    side()
    return math.ceil(LEAST / max(_seconds(side, 1, clock), LEAST / 1000))


def ratio_of(ratios):
    """Its median, with the quartiles."""
    low, middle, high = quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    return middle, f"{middle:.2f} ({low:.2f} to {high:.2f})"


def compared(name, what, ours, theirs, goal, note=""):
    """A row of two figures that no clock has a part in, or that were measured once."""
    ratio = ours / theirs
    met = None if goal is None else round(ratio, 3) <= goal
    return Row(name, what, f"{ours:,.0f}", f"{theirs:,.0f}", f"{ratio:.2f}", _at_most(goal), met, note)


def _at_most(goal):
    return "" if goal is None else f"<= {goal:.2f}"


def seconds_text(seconds):
    """Three digits of it.

    >>> seconds_text(0.01234)
    '12.3 ms'
    """
    value, unit = (seconds, "s") if seconds >= 1 else (1000 * seconds, "ms")
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"


def missing(name, what, peer):
    """A row of a peer that is not there."""
    return Row(name, what, "", f"{peer} is not installed")


def timed(name, pair):
    """The row of its times."""
    ours, theirs = alternate(pair.ours(), pair.theirs(), pair.rounds, pair.clock)
    ratio, text = ratio_of([mine / other for mine, other in zip(ours, theirs, strict=True)])
    figures = [seconds_text(median(seconds) / pair.items) for seconds in (ours, theirs)]
    met = None if pair.goal is None else ratio <= pair.goal
    return Row(name, pair.what, *figures, text, _at_most(pair.goal), met, pair.note)


def _memory(name, module, pair):
    """The row of its memory: each side in a process of its own."""
    command = [sys.executable, "-m", module, "--peak", pair.what]
    most = [
        int(
            subprocess.run([*command, side], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]
        )
        for side in ("ours", "theirs")
    ]
    return compared(name, f"{pair.what}: most memory, MiB", *most, pair.memory)


def most_memory_mib():
    """Of this process, as Linux has it. getrusage's figure begins at the peak of the process that started this one."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024


def _rows(name, module, pairs, more):
    for pair in pairs:
        if pair.peer is not None and not peer_packages.is_there(pair.peer):
            yield missing(name, pair.what, pair.peer)
            continue
        if pair.memory is not None:
            yield _memory(name, module, pair)
        yield timed(name, pair)
    yield from more()


def tell(name, module, pairs, more=tuple):
    """What the file of a comparison ends with: prints its rows, or what one side takes of memory."""
    import torch

    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--peak", nargs=2, metavar=("WHAT", "SIDE"))
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")  # theirs
    logging.disable()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if asked.peak:
        what, side = asked.peak
        work = getattr(next(pair for pair in pairs if pair.what == what), side)()
        work()
        work()
        print(most_memory_mib())
    else:
        chosen = [evolve(pair, rounds=asked.rounds or pair.rounds) for pair in pairs]
        print(json.dumps([asdict(row) for row in _rows(name, module, chosen, more)]))
