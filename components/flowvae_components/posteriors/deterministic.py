"""The posterior of a plain autoencoder: nothing is left open."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae_components.distributions.location import Location
from flowvae_components.distributions.point import Point


class DeterministicPosterior(nn.Module):
    """One latent vector for a sound, without noise.

    Formula: z = W h / rms(h) + b. A point has no density: what prices a divergence cannot go with it. With the regularizer
        `none` it makes a plain autoencoder, whose latent space nothing shapes; with `wasserstein_mmd` a Wasserstein
        autoencoder, whose codes spread as the prior does.
    Shapes: (b, features) -> distribution with batch shape (b,) and event shape (latent_dim,).
    Units: those of the latent vector.
    Source: Tolstikhin et al. 2018, arxiv.org/abs/1711.01558, with a deterministic encoder.

    >>> import torch
    >>> DeterministicPosterior(8, 3)(torch.zeros(5, 8)).mode.shape
    torch.Size([5, 3])
    """

    has_density: bool = False

    def __init__(self, features: int, latent_dim: int) -> None:
        super().__init__()
        self.location = Location(features, latent_dim)

    def forward(self, features: Float[Tensor, "b h"]) -> Point:
        return Point(self.location(features))
