"""The divergence of one distribution from another, closed where that is known."""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import LatentDistribution


def divergence(
    posterior: LatentDistribution,
    prior: LatentDistribution,
    latent: Float[Tensor, "b d"],
    log_prob: Float[Tensor, " b"],
) -> Float[Tensor, " b"]:
    """The Kullback-Leibler divergence of each sound's posterior from the prior.

    Formula: E[log q(z|x) - log p(z)]: the closed form where torch.distributions knows one, otherwise the difference at
        one sample, `latent`, with its `log_prob` under the posterior. An estimate may be negative.
    Shapes: latent (b, d), log_prob (b,) -> (b,).
    Units: nats a sound, summed over the latent dimensions.
    Source: Kingma and Welling 2014, arxiv.org/abs/1312.6114.

    >>> from flowvae_components.distributions.diagonal_normal import DiagonalNormal
    >>> posterior = DiagonalNormal(torch.ones(2, 3), torch.ones(2, 3))
    >>> prior = DiagonalNormal(torch.zeros(3), torch.ones(3))
    >>> divergence(posterior, prior, *posterior.rsample_and_log_prob())
    tensor([1.5000, 1.5000])
    """
    try:
        closed: Tensor = torch.distributions.kl_divergence(
            cast("torch.distributions.Distribution", posterior),
            cast("torch.distributions.Distribution", prior),
        )
    except NotImplementedError:  # torch's way to say that there is no closed form
        return log_prob - prior.log_prob(latent)
    return closed
