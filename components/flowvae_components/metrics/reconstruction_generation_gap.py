"""How much worse a model makes up sounds than it copies them."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence
from flowvae_components.metrics.sound_clouds import SoundClouds


class ReconstructionGenerationGap(nn.Module):
    """The kernel distance of the prior's samples less that of the reconstructions: what is the prior's fault.

    Formula: 1000 * (MMD^2(real, generated) - MMD^2(real, estimate)), as in kernel_distance.
        Both go through one decoder: where it is the decoder that is bad, both are large and the gap is small. So a model
        that has learnt nothing has no gap: read it only beside kernel_distance. Each reconstruction is
        of a real sound in the set, which makes the second figure smaller than that of as many others would be.
    Shapes: real and estimate (n, c, t), generated (m, c, t) -> ().
    Units: thousandths; 0 where samples are as good as reconstructions, and less by chance. NaN for a set of one sound.
    Source: the distance is that of kernel_distance; the comparison is ours.

    >>> import torch
    >>> x, codes = torch.randn(8, 1, 2000), torch.zeros(8, 2)
    >>> quiet = Evidence(real=x, estimate=x, generated=0.1 * x, codes=codes, kl=codes[:, 0])
    >>> bool(ReconstructionGenerationGap(44100)(quiet) > 500)
    True
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "thousandths"
    family: str = "distribution"
    reads: tuple[str, ...] = ("real", "estimate", "generated")
    least_sounds: int = 32
    least_generated: int = 128

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.clouds = SoundClouds(sample_rate)

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        of_samples = self.clouds.distance(evidence.real, evidence.generated)
        return of_samples - self.clouds.distance(evidence.real, evidence.estimate)
