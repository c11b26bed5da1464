"""The posterior of the plain variational autoencoder."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae_components.distributions.diagonal_normal import DiagonalNormal
from flowvae_components.distributions.moments import Moments


class GaussianPosterior(nn.Module):
    """One mean and one scale for each latent dimension, read off the encoder's features.

    Formula: z = mean(h) + scale(h) * noise, scale = min_scale + softplus(raw(h)).
        The floor bounds the density: without it a learned prior and the encoder shrink together, and the KL
        looks fine while every sound is learnt by heart.
    Shapes: (b, features) -> distribution with batch shape (b,) and event shape (latent_dim,).
    Units: the scale is in units of the latent vector; log-probabilities are in nats.
    Parameters:
        min_scale: the smallest scale that the posterior can reach, above 0.
    Source: Kingma and Welling 2014, arxiv.org/abs/1312.6114.

    >>> import torch
    >>> GaussianPosterior(8, 3)(torch.zeros(5, 8)).mode.shape
    torch.Size([5, 3])
    """

    def __init__(self, features: int, latent_dim: int, *, min_scale: float = 1e-3) -> None:
        super().__init__()
        self.moments = Moments(features, latent_dim, min_scale=min_scale)

    def forward(self, features: Float[Tensor, "b h"]) -> DiagonalNormal:
        distribution: DiagonalNormal = self.moments(features)
        return distribution
