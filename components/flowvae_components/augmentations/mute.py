"""Silence now and then."""

from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Stream
from flowvae_components.augmentations.probability import require_probability


class Mute:
    """Puts silence in the place of some sounds, so that silence has a place among the codes.

    Formula: y = 0 * x with the given probability, otherwise y = x.
        A loss that is relative to the level of the sound has no level here: look at what it makes of silence.
    Shapes: (b, c, t) -> the same; one draw a sound, the same in all channels.
    Units: none.
    Parameters:
        probability: the share of the sounds that are silent.
    Source: RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011.

    >>> import torch
    >>> from flowvae.testing.streams import SeededStream
    >>> Mute(probability=1.0)(torch.ones(1, 1, 3), SeededStream(0))
    tensor([[[0., 0., 0.]]])
    """

    def __init__(self, *, probability: float = 0.1) -> None:
        require_probability(probability)
        self.probability = probability

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        kept = stream.uniform(0.0, 1.0, (len(batch), 1, 1), batch.device) >= self.probability
        return batch * kept
