"""The normal distribution whose dimensions know of each other."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.distributions.kl import register_kl

from flowvae_components.distributions.diagonal_normal import HALF_LOG_TAU, DiagonalNormal
from flowvae_components.distributions.flow_distribution import NO_SHAPE, Shape


class FullNormal(Distribution):
    """A normal distribution with any covariance, given by its Cholesky factor.

    Formula: z = mean + factor u, u normal noise, so that the covariance is factor factor^T;
        log p(z) = -0.5 * |u|^2 - sum over d of log(factor_dd) - 0.5 * d * log(2 * pi), u = factor^-1 (z - mean).
        From a DiagonalNormal with mean m and scale s, `torch.distributions.kl_divergence` knows the closed form:
        0.5 * (sum of (factor^-1 diag(s))^2 + |factor^-1 (m - mean)|^2 - d) + sum of log(factor_dd) - log(s_d).
    Shapes: mean (d,), factor (d, d), lower triangular, above 0 on its diagonal; samples (*sample, d).
    Units: log_prob is in nats.
    Source: torch.distributions.MultivariateNormal, which knows no closed form from a diagonal distribution.

    >>> FullNormal(torch.zeros(3), torch.eye(3)).log_prob(torch.zeros(5, 3)).shape
    torch.Size([5])
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, mean: Float[Tensor, " d"], factor: Float[Tensor, "d d"]) -> None:
        super().__init__(event_shape=mean.shape, validate_args=False)
        self._mean, self.factor = mean, factor

    @property
    def mode(self) -> Float[Tensor, " d"]:
        """The mean."""
        return self._mean

    @property
    def half_log_determinant(self) -> Float[Tensor, ""]:
        """Half the logarithm of the covariance's determinant."""
        return self.factor.diagonal().log().sum()

    def whiten(self, offset: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
        """The noise that leads to vectors so far from the mean."""
        # As rows: for columns, torch would copy the factor for each of them.
        rows: Tensor = torch.linalg.solve_triangular(
            self.factor.mT, offset.reshape(-1, offset.shape[-1]), upper=True, left=False
        )
        return rows.reshape(offset.shape)

    def rsample_and_log_prob(self) -> tuple[Float[Tensor, " d"], Float[Tensor, ""]]:
        """A sample with gradient, and the logarithm of its density."""
        noise = torch.randn_like(self.mode)
        return self.mode + self.factor @ noise, self._density_of(noise)

    def rsample(self, sample_shape: Shape = NO_SHAPE) -> Float[Tensor, "*n d"]:
        """Samples with gradient."""
        noise = torch.randn(*sample_shape, *self.mode.shape, dtype=self.mode.dtype, device=self.mode.device)
        return self.mode + noise @ self.factor.mT

    def log_prob(self, value: Float[Tensor, "*n d"]) -> Float[Tensor, "*n"]:
        """The logarithm of the density at a vector."""
        return self._density_of(self.whiten(value - self.mode))

    def _density_of(self, noise: Tensor) -> Tensor:
        """The density at the vector that the noise leads to."""
        return (-0.5 * noise.square() - HALF_LOG_TAU).sum(-1) - self.half_log_determinant


@register_kl(DiagonalNormal, FullNormal)  # type: ignore[untyped-decorator, no-untyped-call]  # torch's
def _divergence(posterior: DiagonalNormal, prior: FullNormal) -> Tensor:
    mean, scale = posterior.base_dist.loc, posterior.base_dist.scale
    # whiten takes rows: row j is column j of the inverse of the factor.
    inverse = prior.whiten(torch.eye(len(prior.factor), dtype=scale.dtype, device=scale.device))
    spread = (scale.square()[..., None] * inverse.square()).sum((-2, -1))
    distance = prior.whiten(mean - prior.mode).square().sum(-1)
    return 0.5 * (spread + distance - len(prior.factor)) + prior.half_log_determinant - scale.log().sum(-1)
