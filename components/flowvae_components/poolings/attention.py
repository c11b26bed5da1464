"""Learned questions to all frames."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Normalization
from flowvae_components.blocks.geometry import require_positive
from flowvae_components.blocks.initial import level_keeping

LONGEST = 10_000.0
"""Radians apart: the slowest wave of the places turns once in 2 pi times as many frames, as in Vaswani et al."""


class Attention(nn.Module):
    """Averages the frames once for each of some learned queries, with weights that depend on what a frame holds and where it is.

    Formula: h[n] = frames[n] + places[n]; weights = softmax over n of scores(h), one row a query;
        y = linear(flatten(sum over n of weights[n] * h[n])). places is fixed: sqrt(2) * sin and cos of n / 10000^(2i / channels),
        as loud as frames of level 1, so frames in another order give another vector. scores is a linear layer
        without bias, whose rows are the queries. No weight grows with the length of the clip.
    Shapes: (b, channels, n_frames) -> (b, features); weights are (b, n_queries, n_frames).
    Units: none.
    Parameters:
        n_queries: how many averages are taken
        normalization: how the weights of the two linear layers are held
    Source: pooling by attention, Lee et al. 2019, arxiv.org/abs/1810.00825, section 3.2, with keys and values as they are; the
        places, Vaswani et al. 2017, arxiv.org/abs/1706.03762, section 3.5.
    Errors: ValueError for n_queries below 1.

    >>> Attention(4, 10, 6, normalization=lambda layer: layer)(torch.zeros(2, 4, 10)).shape
    torch.Size([2, 6])
    """

    places: Tensor

    def __init__(
        self,
        channels: int,
        n_frames: int,
        features: int,
        *,
        n_queries: int = 8,
        normalization: Normalization,
    ) -> None:
        super().__init__()
        require_positive("n_queries", n_queries)
        # Without a bias: all frames would have the same of it, and softmax does not see that.
        self.scores = normalization(level_keeping(nn.Linear(channels, n_queries, bias=False)))
        self.mix = normalization(level_keeping(nn.Linear(channels * n_queries, features)))
        self.register_buffer("places", _places(channels, n_frames), persistent=False)

    def forward(self, frames: Float[Tensor, "b c n"]) -> Float[Tensor, "b f"]:
        h = (frames + self.places).mT
        weights = self.scores(h).softmax(1)
        y: Tensor = self.mix((weights.mT @ h).flatten(1))
        return y


def _places(channels: int, n_frames: int) -> Float[Tensor, "c n"]:
    """The place of each frame as a vector: sines in even channels, cosines in odd ones, two of each rate."""
    channel = torch.arange(channels)
    rate = LONGEST ** (-2 * (channel // 2) / channels)
    turned = torch.arange(n_frames) * rate[:, None] + (channel % 2)[:, None] * math.pi / 2
    return math.sqrt(2) * turned.sin()
