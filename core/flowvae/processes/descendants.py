"""Whatever a process has started."""

import os
import signal
from collections import defaultdict
from contextlib import suppress
from pathlib import Path


def end_descendants() -> None:
    """Kills what this process has started, and what that has; nothing where the system has no /proc."""
    children = defaultdict[int, list[int]](list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name of a program may hold spaces and brackets; behind it come its state and its parent.
            parent = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
            children[parent].append(int(stat.parent.name))
    waiting = [os.getpid()]
    while waiting:
        for child in children[waiting.pop()]:
            waiting.append(child)
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
