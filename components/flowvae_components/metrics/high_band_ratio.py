"""Whether a reconstruction is as bright as its sound."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence, Refused

FLOOR = 1e-4
"""A band below this level (-80 dB of full scale) counts as that loud, so that silence divides by something."""


class HighBandRatio(nn.Module):
    """The energy of a reconstruction above a frequency, over that of its sound.

    Formula: 10 log10((E(y) + FLOOR^2) / (E(x) + FLOOR^2)), E the mean over channels and samples of the square of what lies
        above cutoff_hz, read off the spectrum of the whole clip.
        Signed: below 0 the reconstruction is dull, above 0 it is shrill, and 0 is right. So neither end is good, and no
        arm can win by it. The right energy at wrong times or frequencies counts as right: see spectral_distance.
    Shapes: real and estimate (n, c, t) -> (n,).
    Units: dB; 0 where both are silent above the frequency.
    Parameters:
        cutoff_hz: where the high band begins, below half the sample rate.
    Source: the definition is ours; interpolating upsamplers lose the band, see Pons et al. 2021, arxiv.org/abs/2010.14356.

    >>> x, codes = torch.randn(2, 1, 2000), torch.zeros(2, 2)
    >>> half = Evidence(real=x, estimate=0.1 * x, generated=x, codes=codes, kl=codes[:, 0])
    >>> HighBandRatio(44100)(half).round()
    tensor([-20., -20.])
    """

    direction: Literal["lower", "higher", "none"] = "none"
    unit: str = "dB"
    family: str = "spectral"
    reads: tuple[str, ...] = ("real", "estimate")

    def __init__(self, sample_rate: int, *, cutoff_hz: float = 6000.0) -> None:
        super().__init__()
        if not 0 < cutoff_hz < sample_rate / 2:
            limit = f"above 0 and below half the sample rate, {sample_rate / 2:g}"
            raise Refused("cutoff_hz", f"cutoff_hz must be {limit}, got {cutoff_hz}")
        self.cutoff = cutoff_hz / sample_rate

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        x, y = self._energy(evidence.real), self._energy(evidence.estimate)
        return 10 * ((y + FLOOR**2) / (x + FLOOR**2)).log10()

    def _energy(self, audio: Tensor) -> Tensor:
        n_samples = audio.shape[-1]
        spectrum = torch.fft.rfft(audio) / n_samples
        frequency = torch.arange(n_samples // 2 + 1, device=audio.device) / n_samples
        # Each bin stands for its mirror image as well, but for the one at half the rate, which has none.
        weight = torch.where(frequency < 0.5, 2.0, 1.0) * (frequency >= self.cutoff)
        energy: Tensor = (spectrum.abs().square() * weight).sum(dim=2).mean(dim=1)
        return energy
