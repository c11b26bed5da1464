"""How far the sounds that a model makes up are from real ones, as a set."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence
from flowvae_components.metrics.sound_clouds import SoundClouds


class KernelDistance(nn.Module):
    """The distance between samples of the prior and the held-out sounds: do new sounds sound like real ones?

    Formula: 1000 * MMD^2(real, generated), estimated without bias under a Gaussian kernel whose width is the median
        distance between real sounds; a sound is the mean, deviation and maximum of its level in mel bands under three
        windows, each over its spread among the real sounds (see discrepancy, spread and MelStatistics).
        Sounds are compared as they are: one level, a wrong level is a distance. What the vector has no room for is not
        heard: phase, the order of events, an attack that is softened over 5 ms, a delay.
        One figure says nothing alone: put kernel_distance_floor and kernel_distance_ceiling beside it. Figures of other
        held-out sounds, or of another number of them, do not compare.
    Shapes: real (n, c, t), generated (m, c, t) -> ().
    Units: thousandths, up to 2000. About 0 where both are of one kind, and below 0 by chance: the noise is about 20 with
        32 sounds in each set, 8 with 64 against 128, 5 with 128 in each. NaN for a set of one sound.
    Source: the kernel audio distance of Chung et al. 2025, arxiv.org/abs/2502.15602, after Gretton et al. 2012; the
        embedding is ours, for no network has to be fetched for it.

    >>> import torch
    >>> x, codes = torch.randn(8, 1, 2000), torch.zeros(8, 2)
    >>> quiet = Evidence(real=x, estimate=x, generated=0.1 * x, codes=codes, kl=codes[:, 0])
    >>> bool(KernelDistance(44100)(quiet) > 500)
    True
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "thousandths"
    family: str = "distribution"
    reads: tuple[str, ...] = ("real", "generated")
    least_sounds: int = 32
    least_generated: int = 128

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.clouds = SoundClouds(sample_rate)

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        return self.clouds.distance(evidence.real, evidence.generated)
