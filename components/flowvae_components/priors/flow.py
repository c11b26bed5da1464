"""A prior that learns where the sounds are."""

import torch
from torch import Tensor, nn

from flowvae.contracts import Flow
from flowvae_components.distributions.diagonal_normal import DiagonalNormal
from flowvae_components.distributions.flow_distribution import FlowDistribution


class FlowPrior(nn.Module):
    """A standard normal distribution behind a flow, which maps latent vectors to it.

    Formula: u = flow(z), log p(z) = log N(u; 0, 1) + log_abs_det; samples are flow.inverse(u).
        It is trained by the same KL as the posterior. With a tiny beta it still learns at full speed under an
        optimizer of Adam's kind, which divides the size of the gradient out.
    Shapes: no input -> distribution with batch shape () and event shape (latent_dim,).
    Units: log-probabilities are in nats.
    Parameters:
        flow: the invertible map from latent vectors to normal noise; it gets no context.
    Source: Rezende and Mohamed 2015, arxiv.org/abs/1505.05770; as a prior, Chen et al. 2017, arxiv.org/abs/1611.02731.

    >>> class Shift(nn.Module):
    ...     def __init__(self, features: int, context: int) -> None:
    ...         super().__init__()
    ...     def forward(self, x, context=None):
    ...         return x + 1, torch.zeros(len(x))
    ...     def inverse(self, y, context=None):
    ...         return y - 1, torch.zeros(len(y))
    >>> FlowPrior(3, flow=Shift)().mode
    tensor([-1., -1., -1.])
    """

    mean: Tensor

    def __init__(self, latent_dim: int, *, flow: Flow) -> None:
        super().__init__()
        self.flow = flow(latent_dim, context=0)
        # A buffer, so that the base follows the module to its device; nothing to save in it.
        self.register_buffer("mean", torch.zeros(latent_dim), persistent=False)

    def forward(self) -> FlowDistribution:
        base = DiagonalNormal(self.mean, torch.ones_like(self.mean))
        return FlowDistribution(base, push=self.flow.inverse, pull=self.flow)
