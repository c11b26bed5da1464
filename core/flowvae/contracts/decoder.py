from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class BuiltDecoder(Protocol):
    """Maps (b, latent_dim) to (b, channels, n_samples).

    `periods` are the distances, in the decoder's own output samples, at which the upsampling stages repeat their pattern: metrics
    look for tones at multiples of rate / period. A decoder without stages has none.
    """

    periods: tuple[int, ...]

    def __call__(self, latent: Tensor) -> Tensor: ...


@runtime_checkable
class Decoder(Protocol):
    """From one latent vector to a sound of exactly n_samples (an nn.Module). Items of a batch do not mix."""

    def __call__(self, latent_dim: int, channels: int, n_samples: int) -> BuiltDecoder: ...
