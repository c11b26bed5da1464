"""A drum of another size."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from flowvae.contracts import Refused, Stream
from flowvae_components.augmentations.probability import require_probability

GRID = 256
"""Ratios are whole numbers of 256ths: after 256 samples the same weights come back. They are at most 3.4 cents from what was
drawn where that is no lower than the sound, and as many times more as it is lower: 6.8 for an octave."""
BLOCK = 32
"""Samples that are made of one window of the sound: of 16 to 128 none is clearly faster on a CPU."""
CROSSINGS = 32
"""Zero crossings of the sinc on each side."""
SLOPE = 11 / (2 * CROSSINGS)
"""Width of the low-pass' slope as a share of its Nyquist frequency, where a Blackman window has its 74 dB."""


class PitchShift:
    """Plays a sound faster or slower, as a tape would: its pitch and its length change, its onset stays.

    Formula: y[i] = sum over m of x[m] * c * h(c * (slack + (i - slack) * ratio - m)), with
        ratio = round(256 * 2^(semitones / 12)) / 256, semitones evenly from low_semitones to high_semitones,
        slack = (t - n_samples) / 2, h(u) = sinc(u) * blackman(u), |u| < 32, c = (1 - SLOPE / 2) * min(1, 1 / ratio).
        The low-pass ends at the lower of the two Nyquist frequencies, so nothing folds down: 74 dB are left of what lies above
        it, and below 0.83 of it all stays. What lies before and after the material is silence.
    Shapes: (b, c, n_samples + 2 * slack) -> the same; one ratio a sound, the same in all channels.
    Units: semitones, 12 to the octave; a ratio above 1 is higher and shorter.
    Parameters:
        probability: the share of the sounds that are changed.
        low_semitones: the lowest shift.
        high_semitones: the highest shift.
    Source: Smith and Gossett 1984, A flexible sampling-rate conversion method; the augmentation is that of RAVE, Caillon and
        Esling 2021, arxiv.org/abs/2111.05011, here with one ratio a sound and on the batch's device.

    >>> from flowvae.testing.streams import SeededStream
    >>> up = PitchShift(8, probability=1.0, low_semitones=12.0, high_semitones=12.0)
    >>> sine = torch.sin(0.1 * torch.arange(-200, 208.0)).expand(1, 1, -1)  # 0 where the clip begins
    >>> bool((up(sine, SeededStream(0))[..., 200:260] - torch.sin(0.2 * torch.arange(60.0))).abs().max() < 1e-3)
    True
    """

    def __init__(
        self,
        n_samples: int,
        *,
        probability: float = 0.5,
        low_semitones: float = -2.0,
        high_semitones: float = 2.0,
    ) -> None:
        require_probability(probability)
        if not -24 <= high_semitones <= 24:  # two octaves: the cost grows with the ratio
            raise Refused("high_semitones", f"high_semitones must be from -24 to 24, got {high_semitones}")
        if not -24 <= low_semitones <= high_semitones:
            raise Refused(
                "low_semitones",
                f"low_semitones must be from -24 to {high_semitones} (high_semitones), got {low_semitones}",
            )
        self.n_samples, self.probability = n_samples, probability
        self.low, self.high = low_semitones, high_semitones
        highest = max(1.0, 2 ** (high_semitones / 12) + 1 / GRID)
        # Around a block lies what it covers, and the sinc at its widest on both sides.
        self.reach = math.ceil(highest * CROSSINGS / (1 - SLOPE / 2))
        self.width = math.ceil(BLOCK * highest) + 2 * self.reach

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        n_items, n_samples = len(batch), batch.shape[-1]
        semitones = stream.uniform(self.low, self.high, (n_items,), batch.device)
        chosen = stream.uniform(0.0, 1.0, (n_items, 1, 1), batch.device) < self.probability
        steps = (GRID * torch.exp2(semitones / 12)).round().to(torch.int64)
        first, weights = self.weights(steps, (n_samples - self.n_samples) // 2, batch.dtype)
        # Turn after turn of 256 samples the windows move by as many samples as the ratio has steps.
        turn = torch.arange(math.ceil(n_samples / GRID), device=batch.device)
        start = first[..., None] + turn * steps[:, None, None]
        # A window that lies beyond the sound is one of silence, however far beyond.
        every = functional.pad(batch, (self.width, self.width)).unfold(-1, self.width, 1)
        item = torch.arange(n_items, device=batch.device)[:, None, None]
        windows = every[item, :, (start + self.width).clamp(0, n_samples + self.width)]
        shifted = torch.einsum("bktcw,bkiw->bctki", windows, weights).flatten(2)[..., :n_samples]
        return torch.where(chosen, shifted, batch)

    def weights(
        self, steps: Int64[Tensor, " b"], slack: int, dtype: torch.dtype
    ) -> tuple[Int64[Tensor, "b k"], Float[Tensor, "b k i w"]]:
        """Where the window of each of the 8 blocks of a turn begins, and what each of its samples weighs in each of 32.

        All places are whole numbers of 256ths of a sample: single precision would lose them towards the end.
        """
        begins = torch.arange(0, GRID, BLOCK, device=steps.device)
        place = slack * GRID + (begins - slack) * steps[:, None]
        whole = torch.div(place, GRID, rounding_mode="floor")
        within = torch.arange(BLOCK, device=steps.device) * steps[:, None, None]
        fine = (place - whole * GRID)[..., None] + within
        tap = torch.arange(-self.reach, self.width - self.reach, device=steps.device) * GRID
        cutoff = (1 - SLOPE / 2) * (GRID / steps.to(dtype)).clamp(max=1)[:, None, None, None]
        angle = (fine.to(dtype)[..., None] - tap.to(dtype)).mul_(math.pi / GRID * cutoff)
        # The sinc, whose 0 / 0 is 1: torch.sinc takes seven times as long on a CPU.
        sinc = angle.sin().div_(angle).nan_to_num_(1.0)
        return whole - self.reach, sinc.mul_(blackman(angle.div_(CROSSINGS))).mul_(cutoff)


def blackman(angle: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """0.42 + 0.5 cos(angle) + 0.08 cos(2 angle), and 0 where the angle lies outside of -pi to pi: by one cosine in place of two."""
    cosine = angle.clamp(-math.pi, math.pi).cos_()
    return (0.16 * cosine).add_(0.5).mul_(cosine).add_(0.34)
