"""The distance between the codes of a batch and samples of the prior."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import LatentDistribution, Ramp, Refused


class WassersteinMMD:
    """The maximum mean discrepancy between the codes of a batch and as many samples of the prior.

    It asks that codes of all sounds together are spread as the prior is, and nothing of the code of a single sound.

    Formula: price = mean over i != j of k(z_i, z_j) + mean over i != j of k(p_i, p_j) - 2 * mean over i, j of k(z_i, p_j),
        z the codes, p samples of the prior, k(x, y) = mean over s in scales of C / (C + |x - y|^2), the inverse
        multiquadratic with C = s * 2 * latent_dim * spread^2; for s = 1 this is the mean of |p_i - p_j|^2, so the kernel is as
        wide as the prior in any number of dimensions. RAVE's code divides the mean over the dimensions by their number once
        more, which leaves a kernel that is 0.98 everywhere at 128 dimensions.
        Without its diagonal the estimate is 0 on average where both distributions are the same, and so below 0 half the
        time. It needs two sounds: of a batch of one the price is 0, without gradient. What a batch says gets less noisy with
        its size: 64 sounds are better than 16.
        The prior is sampled without gradient, so a learned prior learns nothing from it.
        beta(step) = beta * schedule(step), and beta where there is no schedule.
    Shapes: latent (b, latent_dim), log_prob (b,), which is not looked at -> scalar.
    Units: none; from 0 on average to at most 2, whatever the number of dimensions.
    Parameters:
        beta: the weight of the price, in units of the loss, not below 0.
        spread: the standard deviation of the prior in each dimension, above 0: 1 for a standard normal distribution.
        scales: factors of the kernel's width, each above 0.
        schedule: a factor of beta over the run; none: beta stays
    Source: WAE-MMD, Tolstikhin et al. 2018, arxiv.org/abs/1711.01558: kernel, scales, and the weight 10 of their smaller model.

    >>> from flowvae_components.distributions.diagonal_normal import DiagonalNormal
    >>> prior = DiagonalNormal(torch.zeros(3), torch.ones(3))
    >>> far = torch.full((64, 3), 5.0)
    >>> bool(WassersteinMMD(100)(prior, prior, far, far[:, 0]) > 1)
    True
    """

    needs_density: bool = False
    figure: str = "mmd"

    def __init__(
        self,
        n_steps: int,
        *,
        beta: float = 10.0,
        spread: float = 1.0,
        scales: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
        schedule: Ramp | None = None,
    ) -> None:
        if beta < 0:
            raise Refused("beta", f"beta must not be below 0, got {beta}")
        if spread <= 0:
            raise Refused("spread", f"spread must be above 0, got {spread}")
        if not scales or min(scales) <= 0:
            raise Refused("scales", f"scales must be one or more numbers above 0, got {scales}")
        self.weight, self.spread, self.scales = beta, spread, scales
        self.factor = schedule(n_steps) if schedule else None

    def __call__(
        self,
        posterior: LatentDistribution,
        prior: LatentDistribution,
        latent: Float[Tensor, "b d"],
        log_prob: Float[Tensor, " b"],
    ) -> Float[Tensor, ""]:
        n = len(latent)
        if n < 2:
            return latent.new_zeros(())
        drawn = prior.sample(torch.Size((n,)))
        return self._among(latent) + self._among(drawn) - 2 * self._kernel(latent, drawn).mean()

    def beta(self, step: int) -> float:
        """The weight of the price at a step."""
        return self.weight * self.factor(step) if self.factor else self.weight

    def _among(self, x: Tensor) -> Tensor:
        """The mean over all pairs of two; of a vector with itself the kernel is 1, whatever was learnt."""
        n = len(x)
        return (self._kernel(x, x).sum() - n) / (n * (n - 1))

    def _kernel(self, x: Tensor, y: Tensor) -> Tensor:
        # From differences, not from |x|^2 + |y|^2 - 2 x y: that is not 0 for equal vectors, and rounds where they are near.
        square = (x[:, None] - y[None]).square().sum(-1)
        width = 2 * x.shape[-1] * self.spread**2
        return torch.stack([s * width / (s * width + square) for s in self.scales]).mean(0)
