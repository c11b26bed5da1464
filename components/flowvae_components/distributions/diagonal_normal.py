"""The normal distribution with independent dimensions."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent, Normal

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class DiagonalNormal(Independent[Normal]):
    """A normal distribution over vectors whose dimensions know nothing of each other.

    Formula: log p(z) = sum over d of (-0.5 * ((z - mean) / scale)^2 - log(scale) - 0.5 * log(2 * pi)).
        It is torch's Independent(Normal), so `torch.distributions.kl_divergence` knows its closed form.
    Shapes: mean and scale (*batch, d); samples (*sample, *batch, d); log_prob without the last axis.
    Units: log_prob is in nats.
    Source: torch.distributions; the reparameterised sample is Kingma and Welling 2014, arxiv.org/abs/1312.6114.

    >>> DiagonalNormal(torch.zeros(5, 3), torch.ones(5, 3)).log_prob(torch.zeros(5, 3)).shape
    torch.Size([5])
    """

    def __init__(self, mean: Float[Tensor, "*s d"], scale: Float[Tensor, "*s d"]) -> None:
        # Validation would read every value back from the device at each step.
        super().__init__(Normal(mean, scale, validate_args=False), 1, validate_args=False)

    def rsample_and_log_prob(self) -> tuple[Float[Tensor, "*s d"], Float[Tensor, "*s"]]:
        """A sample with gradient, and the logarithm of its density."""
        mean, scale = self.base_dist.loc, self.base_dist.scale
        noise = torch.randn_like(mean)
        # Written in the noise, not in the sample: the mean cancels before any rounding, and with it the
        # terms of size 1 / scale^2 that autograd would have to cancel.
        log_prob = (-0.5 * noise.square() - scale.log() - HALF_LOG_TAU).sum(-1)
        return mean + scale * noise, log_prob
