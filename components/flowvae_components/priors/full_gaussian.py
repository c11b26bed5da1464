"""The best prior that is still a normal distribution: what a flow has to beat."""

import torch
from torch import nn

from flowvae_components.distributions.full_normal import FullNormal
from flowvae_components.distributions.learned_scale import LearnedScale


class FullGaussianPrior(nn.Module):
    """A normal distribution with a learned mean and a learned covariance between all dimensions.

    Formula: log p(z) = log N(z; mean, factor factor^T), the factor lower triangular: `below` under its diagonal, and
        min_scale + softplus(raw + shift) on it. A standard normal distribution before training, where all parameters
        are 0. It can shift, stretch and turn the space, as a flow can, but not bend it.
        From a Gaussian posterior the KL is the closed form.
    Shapes: no input -> distribution with batch shape () and event shape (latent_dim,).
    Units: mean and factor are in units of the latent vector; log-probabilities are in nats.
    Parameters:
        min_scale: the smallest number on the diagonal of the factor, above 0 and below 1.
    Source: the multivariate normal distribution by its Cholesky factor, as in torch.distributions.MultivariateNormal;
        learned beside the posterior as in Chen et al. 2017, arxiv.org/abs/1611.02731.

    >>> FullGaussianPrior(3)().sample(torch.Size((5,))).shape
    torch.Size([5, 3])
    """

    def __init__(self, latent_dim: int, *, min_scale: float = 1e-3) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(latent_dim))
        self.diagonal = LearnedScale(latent_dim, start=1.0, min_scale=min_scale)
        # Only what is used: half of a square would be counted as weights and never learn.
        self.below = nn.Parameter(torch.zeros(latent_dim * (latent_dim - 1) // 2))

    def forward(self) -> FullNormal:
        size = len(self.mean)
        rows, columns = torch.tril_indices(size, size, -1, device=self.mean.device)
        below = self.below.new_zeros(size, size).index_put((rows, columns), self.below)
        return FullNormal(self.mean, below + torch.diag(self.diagonal()))
