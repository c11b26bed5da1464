"""The tone that a model leaves where nothing was played."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence

LOWEST_HZ = 20.0
"""What is slower is no tone, and a constant offset is none either."""
FLOOR = 1e-6
"""A line below this amplitude (-120 dB) is rounding, not sound."""


class SilenceTone(nn.Module):
    """The strongest tone in the reconstruction of a silent clip.

    Formula: max over channels and over lines of at least 20 Hz of 20 log10(max(a, FLOOR)), a = 4 |Y| / t the amplitude of a
        line of y, what the model makes of silence, under a Hann window over the whole clip.
        Where a sound fades, this is what stays. Noise has no tone, but one of its lines is always the strongest: beside
        silence_level it lies the lower, the longer the clip is.
    Shapes: silence (1, c, t) -> ().
    Units: dB of full scale; a sine that reaches full scale is at 0, and up to 1.4 below where it falls between two lines.
        -120 is the least that is told.
    Source: Pons et al. 2021, arxiv.org/abs/2010.14356, find tones of layers on constant input; the figure is ours.

    >>> codes, y = torch.zeros(1, 2), 0.01 * torch.sin(torch.arange(4000) * torch.pi / 8)[None, None]
    >>> SilenceTone(44100)(Evidence(real=y, estimate=y, generated=y, codes=codes, kl=codes[:, 0], silence=y)).round()
    tensor(-40.)
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "dBFS"
    family: str = "artefact"
    reads: tuple[str, ...] = ("silence",)
    limits: tuple[float | None, float | None] = (-120.0, None)

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        audio = evidence.silence
        n = audio.shape[-1]
        lines = torch.fft.rfft(audio * torch.hann_window(n, dtype=audio.dtype, device=audio.device)).abs() * (
            4 / n
        )
        hz = torch.arange(lines.shape[-1], device=audio.device) * (self.sample_rate / n)
        # A Hann window spreads an offset, which lies at 0 Hz, over two lines.
        is_tone = (hz >= LOWEST_HZ) & (hz > 1.5 * self.sample_rate / n)
        strongest: Tensor = (lines * is_tone).amax()
        return 20 * strongest.clamp_min(FLOOR).log10()
