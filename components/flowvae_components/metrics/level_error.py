"""Whether a reconstruction is as loud as its sound."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence

FLOOR = 1e-4
"""A sound below this level (-80 dB of full scale) counts as that loud, so that silence divides by something."""


class LevelError(nn.Module):
    """How far a reconstruction is too loud or too faint, over the whole clip.

    Formula: |10 log10((E(y) + FLOOR^2) / (E(x) + FLOOR^2))|, E the mean over channels and samples of the square.
        Too loud and too faint cost the same and do not cancel over sounds: half of them twice as loud and half of them
        half as loud are 6 dB off, not 0. Where in time or frequency the energy lies is not heard: see spectral_distance.
    Shapes: real and estimate (n, c, t) -> (n,).
    Units: dB; 0 where both are equally loud, 6 for twice or half the amplitude.
    Source: the definition is ours; one decibel is about the least difference in level that is heard.

    >>> import torch
    >>> x, codes = torch.randn(2, 1, 2000), torch.zeros(2, 2)
    >>> half = Evidence(real=x, estimate=0.1 * x, generated=x, codes=codes, kl=codes[:, 0])
    >>> LevelError()(half).round()
    tensor([20., 20.])
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "dB"
    family: str = "waveform"
    reads: tuple[str, ...] = ("real", "estimate")

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        x, y = (audio.square().mean(dim=(1, 2)) + FLOOR**2 for audio in (evidence.real, evidence.estimate))
        return (10 * (y / x).log10()).abs()
