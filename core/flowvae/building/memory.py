"""How much memory a process has needed."""

import sys

import torch


def peak_memory_mb(device: torch.device) -> float | None:
    """The most that was in use at a time, in MiB: on a GPU its own memory; None where the system does not tell."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device)) / 2**20
    try:
        import resource  # noqa: PLC0415 - only POSIX has it
    except ImportError:
        return None
    # getrusage(2): kilobytes on Linux and the BSDs, bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
