"""Several posteriors, one of which is drawn."""

import math
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints

from flowvae.contracts import LatentDistribution
from flowvae_components.distributions.flow_distribution import NO_SHAPE, Shape

AT_ONCE = 64
"""Samples that are drawn together: each is drawn from every posterior, and all but one are thrown away."""


class PosteriorMixture(Distribution):
    """The mean of the densities of k distributions of any sort, given as one distribution with batch shape (k,).

    Formula: log p(z) = logsumexp over k of log q_k(z) - log k; a sample is one of q_k, k drawn with equal probability.
        The gradient of a sample is that of the distribution which was drawn. log_prob has all gradients.
    Shapes: samples (*sample, d); log_prob without the last axis.
    Units: log_prob is in nats. `mode` is the mode of a posterior, the one where the mixture is densest.
    Source: Tomczak and Welling 2018, arxiv.org/abs/1705.07120.
    There is no closed form: `torch.distributions.kl_divergence` raises NotImplementedError.

    >>> from flowvae_components.distributions.diagonal_normal import DiagonalNormal
    >>> three = DiagonalNormal(torch.zeros(3, 2), torch.ones(3, 2))
    >>> PosteriorMixture(three).sample(torch.Size((5,))).shape
    torch.Size([5, 2])
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector

    def __init__(self, of_each: LatentDistribution) -> None:
        # Asked once: the way there may lead through a flow.
        self.of_each, self.modes = of_each, of_each.mode
        super().__init__(event_shape=self.modes.shape[-1:], validate_args=False)

    @property
    def mode(self) -> Float[Tensor, " d"]:
        """The mode of the posterior at which the mixture is densest."""
        return self.modes.index_select(0, self.log_prob(self.modes).argmax().reshape(1))[0]

    def rsample_and_log_prob(self) -> tuple[Float[Tensor, " d"], Float[Tensor, ""]]:
        """A sample, with the gradient of the posterior that was drawn, and the logarithm of its density."""
        latents, _ = self.of_each.rsample_and_log_prob()
        latent = latents.index_select(0, self._which(1))[0]
        return latent, self.log_prob(latent)

    def sample(self, sample_shape: Shape = NO_SHAPE) -> Float[Tensor, "*n d"]:
        """Samples without gradient."""
        count = torch.Size(sample_shape).numel()
        with torch.no_grad():
            drawn = [self._draw(min(AT_ONCE, count - begin)) for begin in range(0, count, AT_ONCE)]
        return torch.cat(drawn).reshape(*sample_shape, *self.event_shape)

    def log_prob(self, value: Float[Tensor, "*n d"]) -> Float[Tensor, "*n"]:
        """The logarithm of the density at a vector."""
        # Laid out in full: a flow repeats its context along the axes of a vector, and not the other way round.
        apart = value[..., None, :].expand(*value.shape[:-1], *self.modes.shape)
        return torch.logsumexp(self.of_each.log_prob(apart), dim=-1) - math.log(len(self.modes))

    def _draw(self, count: int) -> Tensor:
        latents = self.of_each.sample(torch.Size((count,)))
        which = self._which(count)[:, None, None].expand(-1, 1, latents.shape[-1])
        return latents.gather(1, which)[:, 0]

    def _which(self, count: int) -> Tensor:
        return torch.randint(len(self.modes), (count,), device=self.modes.device)
