"""How much of a reconstruction's waveform is the real one."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence


class SISDR(nn.Module):
    """The scale-invariant ratio of signal to distortion, the one figure here that hears phase.

    Formula: 10 log10(|a x|^2 / |y - a x|^2), a = <y, x> / |x|^2, with x the real sound and y the estimate, all
        channels in one vector; from -30 dB to 100 dB. Where either is silent nothing is shared: -30 dB.
    Shapes: real and estimate (n, c, t) -> (n,).
    Units: dB.
    Source: Le Roux, Wisdom, Erdogan and Hershey 2019, arxiv.org/abs/1811.02508.

    >>> x = torch.randn(3, 1, 2000)
    >>> codes = torch.zeros(3, 2)
    >>> SISDR()(Evidence(real=x, estimate=2 * x, generated=x, codes=codes, kl=codes[:, 0]))
    tensor([100., 100., 100.])
    """

    direction: Literal["lower", "higher", "none"] = "higher"
    unit: str = "dB"
    family: str = "waveform"
    reads: tuple[str, ...] = ("real", "estimate")
    limits: tuple[float, float] = (-30.0, 100.0)

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        x, y = evidence.real.flatten(1), evidence.estimate.flatten(1)
        energy = x.square().sum(dim=1, keepdim=True)
        # 0 / 0 where the real sound is silent: then nothing of the estimate is signal.
        share = torch.where(energy > 0, (x * y).sum(dim=1, keepdim=True) / energy, 0.0)
        signal = (share * x).square().sum(dim=1)
        distortion = (y - share * x).square().sum(dim=1)
        ratio = 10 * torch.log10(signal / distortion)
        # Below, a clip's samples correlate by chance alone; above, only rounding is left.
        worst, best = self.limits
        return torch.where(signal > 0, ratio, worst).clamp(worst, best)
