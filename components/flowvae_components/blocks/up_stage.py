"""One stage of a decoder."""

from collections.abc import Callable
from itertools import zip_longest

from jaxtyping import Float
from torch import Tensor, nn


class UpStage(nn.Module):
    """Raises the rate, then passes each residual unit, with what the latent vector does to its input before it.

    Formula: x = resample(x); for each unit: x = unit(modulate(x, latent)), without modulate where there is none.
    Shapes: x (b, in, t) and latent (b, latent_dim) -> (b, out, t * factor).
    Units: hidden amplitudes, without unit.
    Source: Zeghidour et al. 2021, arxiv.org/abs/2107.03312, section III; a modulation before each unit as in the third version
        of RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011.

    >>> import torch
    >>> units = nn.Sequential(nn.Identity(), nn.Identity())
    >>> UpStage(nn.ConvTranspose1d(4, 2, 2, stride=2), units, None)(torch.zeros(1, 4, 8), torch.zeros(1, 3)).shape
    torch.Size([1, 2, 16])
    """

    def __init__(
        self, resample: nn.Module, units: nn.Sequential, modulation: Callable[[], nn.Module] | None
    ) -> None:
        super().__init__()
        self.resample, self.units = resample, units
        self.modulations = nn.ModuleList(modulation() for _ in units) if modulation else nn.ModuleList()

    def forward(self, x: Float[Tensor, "b i t"], latent: Float[Tensor, "b d"]) -> Float[Tensor, "b o n"]:
        hidden: Tensor = self.resample(x)
        for unit, modulate in zip_longest(self.units, self.modulations):
            hidden = unit(hidden if modulate is None else modulate(hidden, latent))
        return hidden
