"""A posterior that a flow has bent, steered by the sound itself."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Flow
from flowvae_components.distributions.flow_distribution import FlowDistribution
from flowvae_components.distributions.moments import Moments


class FlowPosterior(nn.Module):
    """A normal posterior pushed through a flow that hears the features of the sound in every layer.

    Formula: u = mean(h) + scale(h) * noise, z = flow(u, h), log q(z|h) = log N(u; mean, scale) - log_abs_det.
        The flow must depend on h: without it, this posterior with a normal prior is a Gaussian posterior with
        a flow for its prior and a flow in front of its decoder, and nothing new.
    Shapes: (b, features) -> distribution with batch shape (b,) and event shape (latent_dim,).
    Units: the scale is in units of the latent vector before the flow; log-probabilities are in nats.
    Parameters:
        min_scale: the smallest scale of the normal distribution before the flow, above 0.
        flow: the invertible map, given the encoder's features as context.
    Source: Rezende and Mohamed 2015, arxiv.org/abs/1505.05770; Kingma et al. 2016, arxiv.org/abs/1606.04934.

    >>> import torch
    >>> class Shift(nn.Module):
    ...     def __init__(self, features: int, context: int) -> None:
    ...         super().__init__()
    ...     def forward(self, x, context=None):
    ...         return x + 1, torch.zeros(len(x))
    ...     def inverse(self, y, context=None):
    ...         return y - 1, torch.zeros(len(y))
    >>> FlowPosterior(8, 3, flow=Shift)(torch.zeros(5, 8)).rsample().shape
    torch.Size([5, 3])
    """

    def __init__(self, features: int, latent_dim: int, *, min_scale: float = 1e-3, flow: Flow) -> None:
        super().__init__()
        self.moments = Moments(features, latent_dim, min_scale=min_scale)
        self.flow = flow(latent_dim, context=features)

    def forward(self, features: Float[Tensor, "b h"]) -> FlowDistribution:
        base = self.moments(features)
        # The context in the precision of the base: half-precision features must not lower the flow's.
        return FlowDistribution(
            base, push=self.flow, pull=self.flow.inverse, context=features.to(base.mode.dtype)
        )
