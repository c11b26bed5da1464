from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class Modulation(Protocol):
    """What the latent vector does to the channels of a decoder, before each of its residual units.

    The module is called with the signal (b, channels, t) and the latent vector (b, latent_dim), and gives the signal's shape.
    It is finite on silence and on a single sample. One that can be taught after training is a TaughtModulation too.
    """

    def __call__(self, channels: int, latent_dim: int) -> nn.Module: ...


@runtime_checkable
class TaughtModulation(Protocol):
    """A modulation of a trained model that learns the timbre of two streams of sounds, and turns one into the other."""

    learn: Literal["nothing", "source", "target"]
    """Which stream it is that passes through."""

    def reset(self) -> None:
        """Forgets both."""
