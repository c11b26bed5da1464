"""Tones that the layers of a decoder leave behind."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence, Refused

MIN_SPACING = 8
"""Bins between two lines of a period, at least: else there is no room for neighbours to compare with."""
NEAR, FAR = 3, 8
"""Neighbours lie 3 to 8 bins off: beyond the 2 bins over which a Hann window spreads a tone, and near enough to
share the slope of the spectrum."""
FLOOR = 1e-6
"""A line below this amplitude (-120 dB) is rounding, not sound."""


class TonalArtefact(nn.Module):
    """How far the lines at multiples of rate / period stand out of the tail of a reconstruction.

    Formula: mean over periods p of max(0, mean over k of 10 log10(line(k / p) / around(k / p))), 0 < k < p / 2,
        with line the mean power of the bin at k / p and of its two neighbours, around the mean power of the
        bins 3 to 8 off, under a Hann window over the last part of the clip.
        A layer whose filter differs from sample to sample repeats its pattern every period: a chord at
        multiples of rate / period, in each sound at the same pitch, heard where the sound fades. A notch is
        no artefact and counts 0, and so does a period whose lines are too dense for the length of the tail.
    Shapes: estimate (n, c, t) -> (n,).
    Units: dB; 0 to 1.5 on average for noise that decays, 15 to 25 for a fresh transposed convolution.
    Parameters:
        tail: the fraction of the clip, counted from its end, in which lines are looked for.
    Source: the lines are Pons et al. 2021, arxiv.org/abs/2010.14356; the figure is ours.

    >>> x = torch.zeros(1, 1, 9000)
    >>> x[..., ::8] = 0.1
    >>> codes = torch.zeros(1, 2)
    >>> figure = TonalArtefact((8,))(Evidence(real=x, estimate=x, generated=x, codes=codes, kl=codes[:, 0]))
    >>> bool(figure > 50)
    True
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "dB"
    family: str = "artefact"
    reads: tuple[str, ...] = ("estimate",)

    def __init__(self, periods: tuple[int, ...], *, tail: float = 0.33) -> None:
        super().__init__()
        if not 0 < tail <= 1:
            raise Refused("tail", f"tail must be above 0 and at most 1, got {tail}")
        # Half the rate is nothing that can be heard: a period of 2 has no line.
        self.periods, self.tail = tuple(period for period in periods if period > 2), tail

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        audio = evidence.estimate
        n_tail = round(audio.shape[-1] * self.tail)
        periods = [period for period in self.periods if n_tail // period >= MIN_SPACING]
        if not periods:
            return audio.new_zeros(len(audio))
        # Whole periods only, so that a line falls into one bin (of all periods where they divide each other).
        n_fft = n_tail // max(periods) * max(periods)
        window = torch.hann_window(n_fft, dtype=audio.dtype, device=audio.device)
        spectrum = torch.fft.rfft(audio[..., -n_fft:] * window)
        power = (spectrum.abs() * (4 / n_fft)).square().mean(dim=1) + FLOOR**2
        heights = [self._height(power, n_fft, period) for period in periods]
        return torch.stack(heights).clamp_min(0).mean(dim=0)

    def _height(self, power: Tensor, n_fft: int, period: int) -> Tensor:
        far = min(FAR, (n_fft // period - 1) // 2)
        lines = [round(k * n_fft / period) for k in range(1, (period + 1) // 2)]
        around = [offset for distance in range(NEAR, far + 1) for offset in (-distance, distance)]
        line = torch.stack([power[:, [bin_ + offset for bin_ in lines]] for offset in (-1, 0, 1)]).mean(dim=0)
        floor = torch.stack([power[:, [bin_ + offset for bin_ in lines]] for offset in around]).mean(dim=0)
        return 10 * torch.log10(line / floor).mean(dim=1)
