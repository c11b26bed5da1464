"""How many kinds of real sounds a model makes up."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence
from flowvae_components.metrics.neighbours import K, reached
from flowvae_components.metrics.sound_clouds import SoundClouds


class Coverage(nn.Module):
    """The share of the real sounds that have a sample of the prior near them: variety, of what is real at all.

    Formula: mean over real x of [|y - x| <= r(x) for some generated y], r(x) the distance of x from its fifth nearest
        real neighbour, in the embedding of kernel_distance.
        More samples cover more: compare only at one number of them. As many as there are real sounds, of the same kind,
        cover all but 1 / 2^5 of them.
    Shapes: real (n, c, t), generated (m, c, t) -> ().
    Units: a share, 0 to 1; NaN where there are no six real sounds.
    Source: Naeem et al. 2020, arxiv.org/abs/2002.09797, with k = 5 as in their code.

    >>> x, codes = torch.randn(8, 1, 2000), torch.zeros(8, 2)
    >>> Coverage(44100)(Evidence(real=x, estimate=x, generated=x, codes=codes, kl=codes[:, 0]))
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
        return within.any(dim=1).to(evidence.real.dtype).mean()
