"""How far noise is from real sounds: what a model has to beat to have learnt anything."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence
from flowvae_components.metrics.sound_clouds import SoundClouds

SEED = 0
"""One noise for all arms, seeds and validations: the figure is a mark on the ruler, and does not move."""


class KernelDistanceCeiling(nn.Module):
    """The kernel distance of steady noise as loud as the held-out sounds: the ceiling of kernel_distance.

    Formula: 1000 * MMD^2(real, e * w), as in kernel_distance, with w white noise of variance 1 and e the root of the mean
        power of the real sound, each channel by itself.
        The level of each sound is right and nothing else is. On the built-in drums it is near 1150, and silence 1250:
        who only repeats one of them has 400.
    Shapes: real (n, c, t) -> ().
    Units: thousandths; neither end is good. NaN for one sound.
    Source: the definition is ours.

    >>> codes = torch.zeros(8, 2)
    >>> x = torch.sin(torch.arange(4000) * torch.linspace(0.01, 0.02, 8)[:, None, None])
    >>> figure = KernelDistanceCeiling(44100)(Evidence(real=x, estimate=x, generated=x, codes=codes, kl=codes[:, 0]))
    >>> bool(figure > 300)
    True
    """

    direction: Literal["lower", "higher", "none"] = "none"
    unit: str = "thousandths"
    family: str = "distribution"
    reads: tuple[str, ...] = ("real",)
    least_sounds: int = 32

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.clouds = SoundClouds(sample_rate)

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        real = evidence.real
        # Drawn on the CPU, as all that is seeded: a device then sees what every other device sees.
        noise = torch.randn(real.shape, generator=torch.Generator().manual_seed(SEED)).to(real)
        level = real.square().mean(dim=2, keepdim=True).sqrt()
        return self.clouds.distance(real, level * noise)
