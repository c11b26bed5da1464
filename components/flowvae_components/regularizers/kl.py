"""The divergence of the posterior from the prior."""

from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import LatentDistribution, Ramp, Refused
from flowvae_components.distributions.divergence import divergence


class KL:
    """The Kullback-Leibler divergence of each sound's posterior from the prior, with a weight that grows.

    Formula: KL = E[log q(z|x) - log p(z)]: the closed form where torch.distributions knows one, otherwise the
        difference at the latent vector that is decoded. price = mean over the batch, and at least free_bits if
        free_bits is above 0. The estimate may be negative and is not cut off at 0: that would bias it.
        beta(step) = beta * min(1, (step + 1) / (warmup * n_steps)). Linear, since a line needs no second
        constant to start from, and is above 0 at the first step, so that a learned prior learns from there on.
        With a schedule, times schedule(step): a schedule that begins low itself goes with a warmup of 0.
    Shapes: latent (b, latent_dim), log_prob (b,) -> scalar.
    Units: nats a sound, summed over the latent dimensions and not averaged over them.
    Parameters:
        beta: the weight of the divergence once it is warm, in units of the loss per nat.
        warmup: the fraction of the training over which the weight rises.
        free_bits: nats a sound that cost nothing. The floor is on the whole divergence, averaged over the
            batch first: with a flow there is no share of a single dimension.
        schedule: a factor of beta over the run, beside the warm-up; none: beta stays once it is warm
    Source: Kingma and Welling 2014, arxiv.org/abs/1312.6114; the weight is Higgins et al. 2017 (beta-VAE), the
        free bits are Kingma et al. 2016, arxiv.org/abs/1606.04934.

    >>> KL(100, beta=1.0, warmup=0.5).beta(24)
    0.5
    """

    def __init__(
        self,
        n_steps: int,
        *,
        beta: float = 1e-3,
        warmup: float = 0.3,
        free_bits: float = 0.0,
        schedule: Ramp | None = None,
    ) -> None:
        if beta < 0:
            raise Refused("beta", f"beta must not be below 0, got {beta}")
        if not 0 <= warmup <= 1:
            raise Refused("warmup", f"warmup must be a fraction from 0 to 1, got {warmup}")
        if free_bits < 0:
            raise Refused("free_bits", f"free_bits must not be below 0, got {free_bits}")
        self.warm_beta = beta
        self.n_warmup_steps = max(1.0, warmup * n_steps)
        self.free_bits = free_bits
        self.factor = schedule(n_steps) if schedule else None

    def __call__(
        self,
        posterior: LatentDistribution,
        prior: LatentDistribution,
        latent: Float[Tensor, "b d"],
        log_prob: Float[Tensor, " b"],
    ) -> Float[Tensor, ""]:
        price = divergence(posterior, prior, latent, log_prob).mean()
        # Without free bits nothing is clamped: an estimate below 0 has to count.
        return price.clamp_min(self.free_bits) if self.free_bits > 0 else price

    def beta(self, step: int) -> float:
        """The weight of the divergence at a step."""
        beta = self.warm_beta * min(1.0, (step + 1) / self.n_warmup_steps)
        return beta * self.factor(step) if self.factor else beta
