"""The prior of the plain variational autoencoder."""

import torch
from torch import Tensor, nn

from flowvae_components.distributions.diagonal_normal import DiagonalNormal


class StandardNormalPrior(nn.Module):
    """A normal distribution of mean 0 and standard deviation 1 in each dimension.

    Formula: log p(z) = -0.5 * |z|^2 - 0.5 * latent_dim * log(2 * pi).
    Shapes: no input -> distribution with batch shape () and event shape (latent_dim,).
    Units: log-probabilities are in nats.
    Source: Kingma and Welling 2014, arxiv.org/abs/1312.6114.

    >>> StandardNormalPrior(3)().sample(torch.Size((5,))).shape
    torch.Size([5, 3])
    """

    mean: Tensor

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        # A buffer, so that the distribution follows the module to its device; nothing to save in it.
        self.register_buffer("mean", torch.zeros(latent_dim), persistent=False)

    def forward(self) -> DiagonalNormal:
        return DiagonalNormal(self.mean, torch.ones_like(self.mean))
