"""The divergence of the posterior from the prior, with nats that cost nothing."""

from typing import TypeGuard

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent, Normal

from flowvae.contracts import LatentDistribution, Ramp, Refused
from flowvae_components.distributions.divergence import divergence


class FreeBits:
    """The Kullback-Leibler divergence of the posterior from the prior, of which every dimension has some for nothing.

    Formula: price = sum over d of max(nats_a_dimension, mean over the batch of KL_d) where posterior and prior are
        both normal with independent dimensions, so that each has a KL_d of its own. Elsewhere (a flow, a mixture, a
        full covariance) there is no such share, and the floor is on the total:
        price = max(nats_a_dimension * latent_dim, mean over the batch of KL).
        The mean is taken before the maximum, so that a dimension may be of use to some sounds only; below the
        floor the gradient is 0, and no dimension is pulled into disuse for the last nats that it holds.
        beta(step) = beta * schedule(step), and beta where there is no schedule.
    Shapes: latent (b, latent_dim), log_prob (b,) -> scalar.
    Units: nats a sound, summed over the latent dimensions; never below nats_a_dimension * latent_dim.
    Parameters:
        nats_a_dimension: what costs nothing, for each latent dimension
        beta: the weight of the divergence, in units of the loss per nat
        schedule: a factor of beta over the run; none: beta stays
    Source: Kingma et al. 2016, Inverse autoregressive flow, arxiv.org/abs/1606.04934: free bits, with a group for
        each dimension.

    >>> from flowvae_components.distributions.diagonal_normal import DiagonalNormal
    >>> posterior = DiagonalNormal(torch.tensor([[2.0, 0.1]]), torch.ones(1, 2))
    >>> prior = DiagonalNormal(torch.zeros(2), torch.ones(2))
    >>> FreeBits(100, nats_a_dimension=0.5)(posterior, prior, *posterior.rsample_and_log_prob())
    tensor(2.5000)
    """

    def __init__(
        self,
        n_steps: int,
        *,
        nats_a_dimension: float = 0.25,
        beta: float = 1e-3,
        schedule: Ramp | None = None,
    ) -> None:
        if nats_a_dimension < 0:
            raise Refused("nats_a_dimension", f"nats_a_dimension must not be below 0, got {nats_a_dimension}")
        if beta < 0:
            raise Refused("beta", f"beta must not be below 0, got {beta}")
        self.nats_a_dimension = nats_a_dimension
        self.highest_beta = beta
        self.factor = schedule(n_steps) if schedule else None

    def __call__(
        self,
        posterior: LatentDistribution,
        prior: LatentDistribution,
        latent: Float[Tensor, "b d"],
        log_prob: Float[Tensor, " b"],
    ) -> Float[Tensor, ""]:
        if _has_independent_normals(posterior) and _has_independent_normals(prior):
            shares = torch.distributions.kl_divergence(posterior.base_dist, prior.base_dist)
            return shares.mean(0).clamp_min(self.nats_a_dimension).sum()
        total = divergence(posterior, prior, latent, log_prob).mean()
        return total.clamp_min(self.nats_a_dimension * latent.shape[-1])

    def beta(self, step: int) -> float:
        """The weight of the divergence at a step."""
        return self.highest_beta * self.factor(step) if self.factor else self.highest_beta


def _has_independent_normals(distribution: object) -> TypeGuard[Independent[Normal]]:
    return isinstance(distribution, Independent) and isinstance(distribution.base_dist, Normal)
