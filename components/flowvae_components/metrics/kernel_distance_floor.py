"""How far real sounds are from real ones: what no model can be expected to beat."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence
from flowvae_components.metrics.sound_clouds import SoundClouds


class KernelDistanceFloor(nn.Module):
    """The kernel distance of sounds that were trained on from those that were held out: the floor of kernel_distance.

    Formula: 1000 * MMD^2(real, trained), as in kernel_distance.
        No model takes part in it: it is the same for all arms, and above 0 where held-out kits differ from the others.
    Shapes: real (n, c, t), trained (k, c, t) -> ().
    Units: thousandths; neither end is good. NaN for a set of one sound.
    Source: the distance is that of kernel_distance; to show it between real sounds is ours.

    >>> import torch
    >>> x, codes = torch.randn(8, 1, 2000), torch.zeros(8, 2)
    >>> known = Evidence(real=x, estimate=x, generated=x, codes=codes, kl=codes[:, 0], trained=torch.randn(8, 1, 2000))
    >>> bool(KernelDistanceFloor(44100)(known) < 500)
    True
    """

    direction: Literal["lower", "higher", "none"] = "none"
    unit: str = "thousandths"
    family: str = "distribution"
    reads: tuple[str, ...] = ("real", "trained")
    least_sounds: int = 32

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.clouds = SoundClouds(sample_rate)

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        return self.clouds.distance(evidence.real, evidence.trained)
