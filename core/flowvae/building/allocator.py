"""How the memory of a process is asked for where it trains on a CPU. Needs no torch."""

import os
import platform

ALLOCATOR = {
    # glibc gives blocks above 32 MiB back at once and pays for each of their pages again: up to half of a step.
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}
"""What flowvae sets for the processes of its runs; a process reads it once, when it begins."""


def allocator_advice() -> str:
    """A line for who trains in a process of their own; nothing where it would change nothing, or is done.

    >>> len(allocator_advice().splitlines()) <= 1
    True
    """
    unset = {name: value for name, value in ALLOCATOR.items() if name not in os.environ}
    if platform.libc_ver()[0] != "glibc" or not unset:
        return ""
    settings = " ".join(f"{name}={value}" for name, value in unset.items())
    return f"before training from Python on a CPU, up to 1.6 times faster (runs do it themselves): export {settings}"
