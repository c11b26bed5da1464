"""A prior of several clusters."""

import torch
from torch import nn

from flowvae.contracts import Refused
from flowvae_components.distributions.learned_scale import LearnedScale
from flowvae_components.distributions.normal_mixture import NormalMixture

START_SPREAD = 0.1
"""The spread of the means before training. Components that are equal get equal gradients and stay equal for ever; at
0.1 the mixture is within 0.005 nats a dimension of the standard normal distribution."""


class GaussianMixturePrior(nn.Module):
    """A mixture of normal distributions with learned weights, means and scales: room for several kinds of sounds.

    Formula: log p(z) = logsumexp over k of (log weight_k + log N(z; mean_k, scale_k)), weight = softmax(logits),
        scale = min_scale + softplus(raw + shift). Before training the weights are equal, the means are 0.1 * noise and
        the scales sqrt(1 - 0.1^2), so that each dimension has a variance of 1, and the mixture is almost a standard
        normal distribution. There is no closed form of its KL, which is estimated at the sample that is decoded.
    Shapes: no input -> distribution with batch shape () and event shape (latent_dim,).
    Units: means and scales are in units of the latent vector; log-probabilities are in nats.
    Parameters:
        n_components: how many normal distributions there are, at least 1.
        min_scale: the smallest scale of a component, above 0 and below 0.995; it keeps a component from closing in on one
            sound.
    Source: as a prior, Dilokthanakul et al. 2016, arxiv.org/abs/1611.02648, and the mixture of Gaussians that Tomczak
        and Welling 2018 compare with, arxiv.org/abs/1705.07120.

    >>> GaussianMixturePrior(3)().sample(torch.Size((5,))).shape
    torch.Size([5, 3])
    """

    def __init__(self, latent_dim: int, *, n_components: int = 10, min_scale: float = 1e-3) -> None:
        super().__init__()
        if n_components < 1:
            raise Refused("n_components", f"n_components must be at least 1, got {n_components}")
        start = (1 - START_SPREAD**2) ** 0.5
        self.logits = nn.Parameter(torch.zeros(n_components))
        self.mean = nn.Parameter(START_SPREAD * torch.randn(n_components, latent_dim))
        self.scale = LearnedScale(n_components, latent_dim, start=start, min_scale=min_scale)

    def forward(self) -> NormalMixture:
        return NormalMixture(self.logits, self.mean, self.scale())
