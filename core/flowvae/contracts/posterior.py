from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from flowvae.contracts.latent import LatentDistribution


@runtime_checkable
class BuiltPosterior(Protocol):
    """Maps the encoder's vector (b, features) to a distribution over (b, latent_dim).

    A class whose distributions have no density says `has_density: bool = False`.
    """

    def __call__(self, features: Tensor) -> LatentDistribution: ...


@runtime_checkable
class Posterior(Protocol):
    """What is known of the latent vector once the sound was heard (an nn.Module, in fp32)."""

    def __call__(self, features: int, latent_dim: int) -> BuiltPosterior: ...
