"""A flip of the sign."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Stream
from flowvae_components.augmentations.probability import require_probability


class Polarity:
    """Turns some sounds upside down, which nobody hears.

    Formula: y = -x with the given probability, otherwise y = x.
    Shapes: (b, c, t) -> the same; one draw a sound, the same in all channels.
    Units: none.
    Parameters:
        probability: the share of the sounds that are flipped.
    Source: the plainest member of the family of phase changes, as in stable-audio-tools.

    >>> from flowvae.testing.streams import SeededStream
    >>> Polarity(probability=1.0)(torch.ones(1, 1, 3), SeededStream(0))
    tensor([[[-1., -1., -1.]]])
    """

    def __init__(self, *, probability: float = 0.5) -> None:
        require_probability(probability)
        self.probability = probability

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        flipped = stream.uniform(0.0, 1.0, (len(batch), 1, 1), batch.device) < self.probability
        return torch.where(flipped, -batch, batch)
