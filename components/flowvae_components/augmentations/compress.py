"""Another dynamic range."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from flowvae.contracts import Refused, Stream
from flowvae_components.augmentations.probability import require_probability

BLOCK = 128
"""Samples that are summed at once: on a CPU the fastest of 32 to 256. It decides nothing but the rounding."""
TURN_DB = -40.0
DECIBEL = math.log(10) / 20
FLOOR = 1e-5
"""Below the level of -80 dB at which the curve begins: nothing there is changed, and silence has a logarithm."""


class Compress:
    """Lifts or lowers the middle of the dynamic range: the tail of a hit, much less its attack.

    Formula: e[n] = p * e[n - 1] + (1 - p) * max over channels of |x[n]|, e[-1] = 1, p = exp(-1 / (smoothing * sample_rate));
        in = 20 log10(e); out lies on the lines through (-80, -80), (-40, a), (0, 0), and is `in` outside of them;
        y = x * 10^((out - in) / 20) = x * 10^((a + 40) / 20 * max(0, 1 - |in + 40| / 40)), divided by its own peak where that
        exceeds 1, as after a silence of some length. a evenly from low_db to high_db: above -40 what is quiet becomes
        louder, below it quieter. The envelope begins at full scale, so that the first attack is not blown up.
    Shapes: (b, c, t) -> the same; one curve a sound and one envelope for all channels, so a stereo image is kept.
    Units: decibels of full scale; seconds are given in milliseconds.
    Parameters:
        probability: the share of the sounds that are changed.
        low_db: the lowest level that -40 dB is brought to.
        high_db: the highest level that -40 dB is brought to.
        smoothing_ms: the time in which the envelope follows, up and down alike.
    Source: compand of SoX as RAVE uses it, Caillon and Esling 2021, arxiv.org/abs/2111.05011; here without the rounded
        corners of 6 dB, in batch and on the batch's device.

    >>> from flowvae.testing.streams import SeededStream
    >>> quiet = torch.full((1, 1, 100000), 0.01)
    >>> Compress(44100, probability=1.0, low_db=-20.0, high_db=-20.0)(quiet, SeededStream(0))[0, 0, -1]
    tensor(0.1000)
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        probability: float = 0.8,
        low_db: float = -60.0,
        high_db: float = 0.0,
        smoothing_ms: float = 100.0,
    ) -> None:
        require_probability(probability)
        if not -80 <= high_db <= 0:
            raise Refused("high_db", f"high_db must be from -80 to 0, got {high_db}")
        if not -80 <= low_db <= high_db:
            raise Refused("low_db", f"low_db must be from -80 to {high_db} (high_db), got {low_db}")
        if not smoothing_ms > 0:
            raise Refused("smoothing_ms", f"smoothing_ms must be above 0, got {smoothing_ms}")
        self.probability, self.low_db, self.high_db = probability, low_db, high_db
        self.fall = 1000 / (smoothing_ms * sample_rate)

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        size = (len(batch), 1)
        a = stream.uniform(self.low_db, self.high_db, size, batch.device).to(batch.dtype)
        chosen = stream.uniform(0.0, 1.0, size, batch.device) < self.probability
        # Of the sounds that stay the exponent is 0: they are multiplied and divided by 1, and the same to the last bit.
        most = torch.where(chosen, (a - TURN_DB) * DECIBEL, 0.0)
        below_turn = self.envelope(batch).clamp_(min=FLOOR).log_().div_(TURN_DB * DECIBEL).sub_(1)
        gain = below_turn.abs_().neg_().add_(1).clamp_(min=0).mul_(most).exp_()
        changed = batch * gain[:, None]
        peak = changed.abs().amax(dim=(1, 2), keepdim=True)
        return changed / torch.where(chosen[..., None], peak.clamp(min=1), 1.0)

    def envelope(self, batch: Float[Tensor, "b c t"]) -> Float[Tensor, "b t"]:
        """The level that the gain follows, a new tensor."""
        moved = batch.abs().amax(dim=1).mul_(-math.expm1(-self.fall))
        moved[:, 0] += math.exp(-self.fall)
        return decaying_sum(moved, self.fall)


def decaying_sum(x: Float[Tensor, "b t"], fall: float) -> Float[Tensor, "b t"]:
    """s[n] = the sum over m <= n of exp(-fall * (n - m)) * x[m]: within blocks, then over the ends of the blocks.

    All terms are positive, so that a quiet end behind a loud sound keeps its digits; by a product of spectra it would not.
    """
    n_samples = x.shape[-1]
    n = torch.arange(min(BLOCK, n_samples), device=x.device).to(x.dtype)
    weights = torch.exp(-fall * (n - n[:, None]).clamp(min=0)).triu()
    if n_samples <= BLOCK:
        return x @ weights
    blocks = functional.pad(x, (0, -n_samples % BLOCK)).view(len(x), -1, BLOCK)
    within = blocks @ weights
    ends = decaying_sum(within[..., -1], fall * BLOCK)
    before = functional.pad(ends[..., :-1], (1, 0))
    summed = within + before[..., None] * torch.exp(-fall * (n + 1))
    return summed.flatten(-2)[..., :n_samples]
