"""A gain and an offset for each channel, from the latent vector."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class FiLM(nn.Module):
    """Lets the latent vector turn each channel up or down, and shift it.

    Formula: y = (1 + gain) * x + offset, with (gain, offset) = linear(latent), both 0 before training, so the model starts as
        the one without.
    Shapes: x (b, channels, t) and latent (b, latent_dim) -> (b, channels, t).
    Units: gains are factors; x has no unit.
    Source: Perez et al. 2018, arxiv.org/abs/1709.07871.

    >>> x = torch.randn(2, 4, 8)
    >>> torch.equal(FiLM(4, 3)(x, torch.randn(2, 3)), x)
    True
    """

    def __init__(self, channels: int, latent_dim: int) -> None:
        super().__init__()
        self.steer = nn.Linear(latent_dim, 2 * channels)
        nn.init.zeros_(self.steer.weight)
        nn.init.zeros_(self.steer.bias)

    def forward(self, x: Float[Tensor, "b c t"], latent: Float[Tensor, "b d"]) -> Float[Tensor, "b c t"]:
        gain, offset = self.steer(latent)[..., None].chunk(2, dim=1)
        return torch.addcmul(x + offset, gain, x)
