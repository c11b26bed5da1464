"""How much memory a process has needed."""

import ctypes
import sys
from contextlib import suppress
from pathlib import Path

import torch


def peak_memory_mb(device: torch.device) -> float | None:
    """The most that was in use at a time, in MiB: on a GPU its own memory; None where the system does not tell."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device)) / 2**20
    return _of_this_program() or _of_this_process()


def give_back() -> None:
    """What was freed goes back to the system, and the most that was in use is counted anew; where it knows how to."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_bytes(b"5")


def _of_this_program() -> float | None:
    """Linux tells it apart from what the process was before, when it was a copy of the one that started it."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8", errors="replace").splitlines() if status.exists() else ()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)


def _of_this_process() -> float | None:
    try:
        import resource  # noqa: PLC0415 - only POSIX has it
    except ImportError:
        return None
    # getrusage(2): kilobytes on Linux and the BSDs, bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
