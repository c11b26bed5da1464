"""Level and offset of each channel set by the latent vector."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae_components.modulations.film import FiLM

EPSILON = 1e-5
"""Added to a variance over time, as in the code of Huang and Belongie: a channel that never moves stays at its offset."""


class AdaIN(nn.Module):
    """Takes the level and the mean of each channel away, and lets the latent vector say what they are.

    Formula: y = g * (x - mean) / sqrt(variance + 1e-5) + b, mean and variance (of n, not of n - 1) over time, for each sound
        and channel; (g - 1, b) = linear(latent), both 0 before training. Loudness and decay can come back through g and b
        only. A single sample has no level of its own: there y = g * x + b.
    Shapes: x (b, channels, t) and latent (b, latent_dim) -> (b, channels, t).
    Units: x has no unit; y is in units of each channel's own deviation, before g.
    Source: Huang and Belongie 2017, arxiv.org/abs/1703.06868; gain and offset from a latent vector as in StyleGAN, Karras,
        Laine and Aila 2019, arxiv.org/abs/1812.04948.

    >>> y = AdaIN(4, 3)(5 + 7 * torch.randn(2, 4, 100), torch.randn(2, 3))
    >>> bool(y.mean(-1).abs().max() < 1e-5), bool((y.std(-1, correction=0) - 1).abs().max() < 1e-3)
    (True, True)
    """

    def __init__(self, channels: int, latent_dim: int) -> None:
        super().__init__()
        self.film = FiLM(channels, latent_dim)

    def forward(self, x: Float[Tensor, "b c t"], latent: Float[Tensor, "b d"]) -> Float[Tensor, "b c t"]:
        if x.shape[-1] > 1:
            # Half precision cannot hold the mean of a channel that lies far from 0, and what is left would be offset.
            full = x.to(torch.promote_types(x.dtype, torch.float32))
            mean, variance = full.mean(-1, keepdim=True), full.var(-1, correction=0, keepdim=True)
            x = ((full - mean) * (variance + EPSILON).rsqrt()).to(x.dtype)
        y: Tensor = self.film(x, latent)
        return y
