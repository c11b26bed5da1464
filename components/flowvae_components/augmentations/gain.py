"""Another loudness."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Refused, Stream
from flowvae_components.augmentations.probability import require_probability


class Gain:
    """Makes some sounds louder or quieter, none of them louder than full scale.

    Formula: y = x / max(1 / g, peak), g = 10^(gain_db / 20), gain_db evenly from low_db to high_db, and the peak is the
        highest |x| in all channels. This is g * x, divided by its own peak where that exceeds 1.
    Shapes: (b, c, t) -> the same; one gain a sound, the same in all channels, so a stereo image is kept.
    Units: decibels; full scale is 1.
    Parameters:
        probability: the share of the sounds that are changed.
        low_db: the lowest gain in decibels.
        high_db: the highest gain in decibels.
    Source: RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011, whose own code gives back what it was given.

    >>> from flowvae.testing.streams import SeededStream
    >>> Gain(probability=1.0, low_db=20.0, high_db=20.0)(torch.tensor([[[0.05, 0.0]], [[0.5, 0.25]]]), SeededStream(0))
    tensor([[[0.5000, 0.0000]],
    <BLANKLINE>
            [[1.0000, 0.5000]]])
    """

    def __init__(self, *, probability: float = 0.5, low_db: float = -6.0, high_db: float = 3.0) -> None:
        require_probability(probability)
        if not -120 <= high_db <= 120:  # more than the range of 20 bits is a slip of the pen
            raise Refused("high_db", f"high_db must be from -120 to 120, got {high_db}")
        if not -120 <= low_db <= high_db:
            raise Refused("low_db", f"low_db must be from -120 to {high_db} (high_db), got {low_db}")
        self.probability, self.low_db, self.high_db = probability, low_db, high_db

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        size = (len(batch), 1, 1)
        gain_db = stream.uniform(self.low_db, self.high_db, size, batch.device).to(batch.dtype)
        chosen = stream.uniform(0.0, 1.0, size, batch.device) < self.probability
        peak = batch.abs().amax(dim=(1, 2), keepdim=True)
        divisor = torch.maximum(10 ** (-gain_db / 20), peak)
        # Whatever is divided by 1 is what it was, to the last bit: one pass over the sounds in place of two.
        return batch / torch.where(chosen, divisor, 1.0)
