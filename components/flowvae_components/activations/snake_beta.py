"""Snake with a depth of its own, the activation of BigVGAN."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Refused
from flowvae_components.activations.ripple import ripple, ripple_mean


class SnakeBeta(nn.Module):
    """Adds a learned ripple to the identity; how fast and how deep it is are learnt apart, for each channel.

    Formula: y = x + sin(alpha * x)^2 / beta, with alpha = exp(log_alpha) > 0 and beta = exp(log_beta) > 0.
        With beta = alpha it is snake. The slope is 1 + alpha / beta * sin(2 * alpha * x): where alpha
        grows above beta it goes below zero, and order is not kept as it is by snake.
    Shapes: (b, c, t) -> (b, c, t); log_alpha and log_beta are (c, 1).
    Units: x is a hidden amplitude, without unit; alpha is radians per unit of x, 1 / beta the height of
        the ripple in units of x.
    Parameters:
        alpha: the ripple rate of every channel before training, above 0
        beta: one over the ripple height of every channel before training, above 0
    Source: Lee, Ping, Ginsburg, Catanzaro and Yoon 2023, arxiv.org/abs/2206.04658, in whose code it stands;
        Ziyin, Hartwig and Ueda 2020, arxiv.org/abs/2006.08195, for snake.
    Errors: ValueError where alpha or beta is not above 0.

    >>> SnakeBeta(4)(torch.zeros(2, 4, 8)).shape
    torch.Size([2, 4, 8])
    """

    def __init__(self, channels: int, *, alpha: float = 1.0, beta: float = 1.0) -> None:
        super().__init__()
        for name, rate in (("alpha", alpha), ("beta", beta)):
            if rate <= 0:
                raise Refused(name, f"{name} must be above 0, got {rate}")
        # Learnt in the log: beta cannot reach 0, so the division needs no epsilon.
        self.log_alpha = nn.Parameter(torch.full((channels, 1), math.log(alpha)))
        self.log_beta = nn.Parameter(torch.full((channels, 1), math.log(beta)))

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        return ripple(x, self.log_alpha, self.log_beta)

    def mean_between(self, a: Float[Tensor, "b c t"], b: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        """The mean over all values from a to b, in closed form."""
        return ripple_mean(a, b, self.log_alpha, self.log_beta)
