from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class Modulation(Protocol):
    """What the latent vector does to the channels of a decoder, before each of its residual units.

    The module is called with the signal (b, channels, t) and the latent vector (b, latent_dim), and gives the signal's shape.
    It is finite on silence and on a single sample.
    """

    def __call__(self, channels: int, latent_dim: int) -> nn.Module: ...
