"""The stack of grouped convolutions that judges a waveform at one rate."""

from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Judgement, Normalization
from flowvae_components.discriminators.judging import judged

WIDTHS = (1, 4, 16, 64, 64, 64)
"""Channels of the hidden layers, in units of `width`."""


class ScaleDiscriminator(nn.Module):
    """Judges a waveform with few weights for a long view: wide kernels, strides of 4, and groups of four channels.

    Formula: a convolution of 15 taps, four of 41 taps with a stride of 4 in groups (see `groups_of`), one of 5 taps,
        leaky ReLU of `slope` after each, and one of 3 taps to the logits.
    Shapes: (b, c, t) -> logits (b, 1, n), n = t / 256 rounded up; features (b, width * (1, 4, 16, 64, 64, 64), n_i).
    Units: audio is amplitude; logits have no unit. A logit sees 4951 samples.
    Source: Kumar et al. 2019 (MelGAN), arxiv.org/abs/1910.06711, section 2.2.

    >>> import torch
    >>> stack = ScaleDiscriminator(2, 4, slope=0.2, ends="zeros", normalization=lambda layer: layer)
    >>> logits, features = stack(torch.zeros(1, 2, 1000))
    >>> logits.shape, [feature.shape[1] for feature in features]
    (torch.Size([1, 1, 4]), [4, 16, 64, 256, 256, 256])
    """

    def __init__(
        self,
        channels: int,
        width: int,
        *,
        slope: float,
        ends: Literal["zeros", "reflect"],
        normalization: Normalization,
    ) -> None:
        super().__init__()
        self.slope = slope
        sizes = [k * width for k in WIDTHS]
        first = nn.Conv1d(channels, width, 15, padding=7, padding_mode=ends)
        strided = [nn.Conv1d(i, o, 41, 4, padding=20, groups=groups_of(i)) for i, o in pairwise(sizes[:5])]
        layers = (first, *strided, nn.Conv1d(sizes[4], sizes[5], 5, padding=2))
        self.convs = nn.ModuleList(normalization(layer) for layer in layers)
        self.conv_post = normalization(nn.Conv1d(sizes[-1], 1, 3, padding=1))

    def forward(self, audio: Float[Tensor, "b c t"]) -> Judgement:
        return judged(self.convs, self.conv_post, audio, self.slope)


def groups_of(channels: int) -> int:
    """The number of groups for so many input channels: a quarter of them where that is a whole number.

    Otherwise the largest number that divides the channels and leaves at least four in a group, else 1. The layers of the stack
    have a multiple of their input channels as output, so it divides these too.

    >>> groups_of(16), groups_of(4), groups_of(6), groups_of(10), groups_of(2)
    (4, 1, 1, 2, 1)
    """
    return next((groups for groups in range(channels // 4, 1, -1) if channels % groups == 0), 1)
