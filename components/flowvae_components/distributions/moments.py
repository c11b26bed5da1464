"""From a vector of features to a normal distribution."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Refused
from flowvae_components.distributions.diagonal_normal import DiagonalNormal

START_SPREAD, START_SCALE = 0.5, 0.05
"""The spread of the means and the scale before training: the decoder has to hear the sound above the noise from the
start. With a scale of 0.2 and a spread of 0.06 it first learnt one answer to all sounds."""


class Moments(nn.Module):
    """Reads the mean and the scale of a normal distribution off a vector of features.

    Formula: (mean, raw) = W h / rms(h) + b, scale = min_scale + softplus(raw).
        How loud features leave an encoder depends on its activation (0.06 behind leaky ReLU, 0.4 behind snake);
        divided by their root mean square, they give every encoder the same start.
        Softplus and not an exponential: a scale that grows in proportion to the feature cannot overflow, so
        that no clamp with a dead gradient is needed; far below 0 both are the same function.
    Shapes: (b, features) -> distribution with batch shape (b,) and event shape (latent_dim,).
    Units: mean and scale are in units of the latent vector.
    Source: the parameterisation of RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011.

    >>> Moments(8, 3, min_scale=1e-3)(torch.zeros(5, 8)).mode.shape
    torch.Size([5, 3])
    """

    def __init__(self, features: int, latent_dim: int, *, min_scale: float) -> None:
        super().__init__()
        if min_scale <= 0:
            raise Refused("min_scale", f"min_scale must be above 0, got {min_scale}")
        self.min_scale = min_scale
        self.linear = nn.Linear(features, 2 * latent_dim)
        with torch.no_grad():
            self.linear.weight[:latent_dim].normal_(0.0, START_SPREAD * features**-0.5)
            self.linear.weight[latent_dim:].mul_(0.1)
            self.linear.bias.zero_()
            self.linear.bias[latent_dim:] = math.log(math.expm1(START_SCALE))

    def forward(self, features: Float[Tensor, "b h"]) -> DiagonalNormal:
        # Densities of small scales need all the digits there are: never in half precision.
        with torch.autocast(features.device.type, enabled=False):
            level = functional.rms_norm(features.to(self.linear.weight.dtype), features.shape[-1:])
            mean, raw = self.linear(level).chunk(2, dim=-1)
            return DiagonalNormal(mean, self.min_scale + functional.softplus(raw))
