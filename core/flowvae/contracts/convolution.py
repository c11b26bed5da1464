from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Convolution(Protocol):
    """Where convolutions look: how the silence that a kernel needs around a signal is shared out between its two ends.

    The pair says how many of the `missing` samples come before the signal, and how many after it; they are 0 or more each and
    make up all of them. What has none after it never sees what is to come: causality is a choice of the convolution, not
    of a network.
    """

    def __call__(self, missing: int) -> tuple[int, int]: ...
