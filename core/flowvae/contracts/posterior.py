from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from flowvae.contracts.latent import LatentDistribution


class PosteriorModule(Protocol):
    """Maps the encoder's vector (b, features) to a distribution over (b, latent_dim)."""

    def __call__(self, features: Tensor) -> LatentDistribution: ...


class Posterior(Protocol):
    """What is known of the latent vector once the sound was heard (an nn.Module, in fp32)."""

    def __call__(self, features: int, latent_dim: int) -> PosteriorModule: ...
