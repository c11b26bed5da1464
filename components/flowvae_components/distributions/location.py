"""From a vector of features to a vector of any place."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae_components.distributions.moments import START_SPREAD


class Location(nn.Module):
    """Reads one vector off a vector of features: the mean of a normal distribution without its scale.

    Formula: W h / rms(h) + b. Divided by their root mean square, features give every encoder the same start; it is that of
        the means of a Gaussian posterior.
    Shapes: (b, features) -> (b, latent_dim).
    Units: those of the latent vector.
    Source: as `Moments` in this package.

    >>> Location(8, 3)(torch.zeros(5, 8)).shape
    torch.Size([5, 3])
    """

    def __init__(self, features: int, latent_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, latent_dim)
        with torch.no_grad():
            self.linear.weight.normal_(0.0, START_SPREAD * features**-0.5)
            self.linear.bias.zero_()

    def forward(self, features: Float[Tensor, "b h"]) -> Float[Tensor, "b d"]:
        with torch.autocast(features.device.type, enabled=False):
            level = functional.rms_norm(features.to(self.linear.weight.dtype), features.shape[-1:])
            located: Tensor = self.linear(level)
            return located
