"""Loudness that trembles at the rate of a decoder's frames."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Evidence

MIN_PERIOD = 32
"""Samples: what repeats sooner is heard as a tone and not as trembling, and tonal_artefact looks for it."""
MIN_TIMES = 8
"""A period that the clip holds less often is no rate."""
LOUD = 10 ** (-40 / 20)
"""Steady parts lie within 40 dB of the loudest: a tremble below is hidden."""
STEADY = 10 ** (3 / 20)
"""And their level moves by less than 3 dB in a period: an attack is no tremble."""
FLOOR = 0.01
"""A modulation by one part in a hundred is about half of what one hears of a steady tone."""
SILENT = 1e-6
"""A level of -120 dB, added where one divides by it."""


class EnvelopeRipple(nn.Module):
    """How much more the loudness of a reconstruction trembles at the model's frame rates than that of its sound.

    Formula: mean over periods p of max(0, 20 log10((depth_p(y) + FLOOR) / (depth_p(x) + FLOOR))), with
        depth_p(y) = 2 |mean over steady t of (e_t / s_t - 1) exp(-2 pi i t / p)|,
        e the root of the power of all channels under a sliding window of p / 4, s the mean of e over a period. For
        y = (1 + d cos(2 pi t / p)) * noise it is 0.9 d, as the window of p / 4 lets through.
        Steady is where the real sound is within 40 dB of its loudest and s moves by less than 3 dB in a period: both
        sounds are looked at there. A sound may beat at that rate by itself, as a tone at half of it does: what it has,
        its reconstruction may have. One that trembles at no multiple of a frame is not found.
    Shapes: real and estimate (n, c, t) -> (n,).
    Units: dB; 0 where the estimate trembles no more. 0 for periods below 32 samples, for those that the clip holds less
        than 8 times, and where no part of the sound is steady.
    Source: the definition is ours; a modulation that follows frames is what overlapping windows of unequal sum leave, see
        Odena, Dumoulin and Olah 2016, distill.pub/2016/deconv-checkerboard.

    >>> time = torch.arange(8000)
    >>> x, codes = torch.sin(time)[None, None], torch.zeros(1, 2)
    >>> trembling = x * (1 + 0.5 * torch.cos(2 * math.pi * time / 256))
    >>> figure = EnvelopeRipple((256,))(Evidence(real=x, estimate=trembling, generated=x, codes=codes, kl=codes[:, 0]))
    >>> bool(figure > 30)
    True
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "dB"
    family: str = "artefact"
    reads: tuple[str, ...] = ("real", "estimate")

    def __init__(self, periods: tuple[int, ...]) -> None:
        super().__init__()
        self.periods = tuple(period for period in periods if period >= MIN_PERIOD)

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        n_samples = evidence.real.shape[-1]
        periods = [period for period in self.periods if n_samples >= MIN_TIMES * period]
        if not periods:
            return evidence.real.new_zeros(len(evidence.real))
        return torch.stack([self._excess(evidence, period) for period in periods]).mean(dim=0)

    def _excess(self, evidence: Evidence, period: int) -> Tensor:
        steady = _steady(_levels(evidence.real, period)[1], period)
        x, y = (
            _depth(*_levels(audio, period), steady, period) for audio in (evidence.real, evidence.estimate)
        )
        return 20 * ((y + FLOOR) / (x + FLOOR)).log10().clamp_min(0)


def _levels(audio: Tensor, period: int) -> tuple[Tensor, Tensor]:
    """The level that can tremble, and the level without its trembling; (n, t)."""
    fast = _sliding_mean(audio.square().sum(dim=1), period // 4).clamp_min(0).sqrt()
    return fast, _sliding_mean(fast, period)


def _sliding_mean(x: Tensor, width: int) -> Tensor:
    before = width // 2
    padded = functional.pad(x[:, None], (before, width - 1 - before))
    return functional.avg_pool1d(padded, width, stride=1).squeeze(1)


def _steady(level: Tensor, period: int) -> Tensor:
    """Where a level is loud and moves little; the ends, where a window looks past the clip, are left out."""
    half, end = period // 2, period + period // 4
    n_samples = level.shape[1]
    earlier, here, later = (level[:, end + by : n_samples - end + by] for by in (-half, 0, half))
    moves = torch.maximum(earlier, later) > STEADY * torch.minimum(earlier, later)
    loud = here > torch.clamp(LOUD * level.amax(dim=1, keepdim=True), min=SILENT)
    return functional.pad(loud & ~moves, (end, end), value=False)


def _depth(fast: Tensor, slow: Tensor, steady: Tensor, period: int) -> Tensor:
    ripple = (fast - slow) / (slow + SILENT) * steady
    angle = 2 * math.pi * torch.arange(fast.shape[1], device=fast.device) / period
    # Two real sums: a complex one would be of single precision wherever the sounds are.
    waves = torch.stack([angle.cos(), angle.sin()]).to(fast)
    depth: Tensor = 2 * (ripple @ waves.T).square().sum(dim=1).sqrt() / steady.sum(dim=1).clamp_min(1)
    return depth
