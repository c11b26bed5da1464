"""What this machine computes on when there is no accelerator. Needs no torch."""

import platform
from pathlib import Path


def processor() -> str:
    """The processor's name as its maker wrote it, where the system says."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
