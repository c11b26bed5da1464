"""A single vector, in the place of a distribution."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints

from flowvae_components.distributions.flow_distribution import NO_SHAPE, Shape


class Point(Distribution):
    """All the probability at one vector: every sample is that vector.

    Formula: z = point. There is no density, so both ways to ask for it give NaN.
    Shapes: point (*batch, d); samples (*sample, *batch, d); log_prob without the last axis.
    Units: the point is in units of the latent vector.
    Source: Dirac's measure; the code of a plain autoencoder.
    There is no closed form: `torch.distributions.kl_divergence` raises NotImplementedError.

    >>> Point(torch.ones(5, 3)).sample(torch.Size((2,))).shape
    torch.Size([2, 5, 3])
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, point: Float[Tensor, "*s d"]) -> None:
        super().__init__(point.shape[:-1], point.shape[-1:], validate_args=False)
        self.point = point

    @property
    def mode(self) -> Float[Tensor, "*s d"]:
        """The vector."""
        return self.point

    def rsample_and_log_prob(self) -> tuple[Float[Tensor, "*s d"], Float[Tensor, "*s"]]:
        """The vector with its gradient, and NaN."""
        return self.point, self.log_prob(self.point)

    def rsample(self, sample_shape: Shape = NO_SHAPE) -> Float[Tensor, "*n d"]:
        """The vector again and again, with its gradient."""
        return self.point.expand(*sample_shape, *self.point.shape)

    def sample(self, sample_shape: Shape = NO_SHAPE) -> Float[Tensor, "*n d"]:
        """The vector again and again, without gradient."""
        return self.rsample(sample_shape).detach()

    def log_prob(self, value: Float[Tensor, "*n d"]) -> Float[Tensor, "*n"]:
        """NaN for every vector."""
        return torch.full_like(value[..., 0], torch.nan)
