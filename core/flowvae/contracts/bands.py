from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class BuiltBands(Protocol):
    """Splits audio into bands at a lower rate, and joins them again.

    `analysis` maps (b, c, t) to (b, c * n_bands, t / n_bands), the bands of channel 0 first; `synthesis` is its
    inverse as far as the bank allows. White noise of standard deviation 1 gives bands of standard deviation 1.
    """

    n_bands: int

    def analysis(self, audio: Tensor) -> Tensor: ...
    def synthesis(self, bands: Tensor) -> Tensor: ...


@runtime_checkable
class Bands(Protocol):
    """How the network sees audio: as samples, or as the outputs of a filter bank (an nn.Module)."""

    def __call__(self) -> BuiltBands: ...
