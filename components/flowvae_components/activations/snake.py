"""Snake, a periodic activation for waveform decoders."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Refused
from flowvae_components.activations.ripple import ripple, ripple_mean


class Snake(nn.Module):
    """Adds a learned ripple to the identity, one ripple rate for each channel.

    Formula: y = x + sin(alpha * x)^2 / alpha, with alpha = exp(log_alpha) > 0.
        The slope is 1 + sin(2 * alpha * x), never below zero, so order is kept;
        as alpha goes to 0 the layer becomes the identity.
    Shapes: (b, c, t) -> (b, c, t); log_alpha is (c, 1).
    Units: x is a hidden amplitude, without unit; alpha is radians per unit of x.
        It sets a rate over amplitude, not a pitch over time.
    Parameters:
        alpha: the ripple rate of every channel before training, above 0
    Source: Ziyin, Hartwig and Ueda 2020, arxiv.org/abs/2006.08195.
    Errors: ValueError where alpha is not above 0.

    >>> Snake(4)(torch.zeros(2, 4, 8)).shape
    torch.Size([2, 4, 8])
    """

    def __init__(self, channels: int, *, alpha: float = 1.0) -> None:
        super().__init__()
        if alpha <= 0:
            raise Refused("alpha", f"alpha must be above 0, got {alpha}")
        # Learnt in the log: alpha cannot reach 0, so the division needs no epsilon.
        self.log_alpha = nn.Parameter(torch.full((channels, 1), math.log(alpha)))

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        return ripple(x, self.log_alpha)

    def mean_between(self, a: Float[Tensor, "b c t"], b: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        """The mean over all values from a to b, in closed form."""
        return ripple_mean(a, b, self.log_alpha)
