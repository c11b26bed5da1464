"""How many of the sounds that a model makes up could be real."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence
from flowvae_components.metrics.neighbours import K, reached
from flowvae_components.metrics.sound_clouds import SoundClouds


class Precision(nn.Module):
    """The share of the prior's samples that lie among real sounds: quality, whatever their variety.

    Formula: mean over generated y of [|y - x| <= r(x) for some real x], r(x) the distance of x from its fifth nearest
        real neighbour, in the embedding of kernel_distance.
        One real sound that lies alone has a wide reach and lets in much. One good sound made over and over has all: read
        it beside coverage.
    Shapes: real (n, c, t), generated (m, c, t) -> ().
    Units: a share, 0 to 1; NaN where there are no six real sounds.
    Source: Kynkaanniemi et al. 2019, arxiv.org/abs/1904.06991, with k = 5.

    >>> x, codes = torch.randn(8, 1, 2000), torch.zeros(8, 2)
    >>> Precision(44100)(Evidence(real=x, estimate=x, generated=x, codes=codes, kl=codes[:, 0]))
    tensor(1.)
    """

    direction: Literal["lower", "higher", "none"] = "higher"
    unit: str = "share"
    family: str = "distribution"
    reads: tuple[str, ...] = ("real", "generated")
    least_sounds: int = 32
    least_generated: int = 32

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.clouds = SoundClouds(sample_rate)

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        if len(evidence.real) <= K:
            return evidence.real.new_full((), torch.nan)
        within = reached(*self.clouds.vectors(evidence.real, evidence.generated))
        return within.any(dim=0).to(evidence.real.dtype).mean()
