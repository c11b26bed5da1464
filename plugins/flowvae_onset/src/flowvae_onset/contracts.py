"""What an envelope is. Imports neither torch nor numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class Envelope(Protocol):
    """Loudness over time, as an amplitude.

    The module maps audio (b, c, t) to (b, n), one value a frame for all channels together. Silence gives 0, twice the
    level gives twice the value, and the sign of the audio does not matter.
    """

    def __call__(self, sample_rate: int) -> nn.Module: ...
