"""Where the weights of a layer start."""

import math
from typing import TypeVar

import torch
from torch import nn

from flowvae.contracts import Convolution
from flowvae_components.blocks.padded import ends_of, padded_conv

Layer = TypeVar("Layer", nn.Conv1d, nn.ConvTranspose1d, nn.Linear)

HEAD_GAIN = 0.02
"""The start of a decoder's last layer: far softer than sounds are. Spectral losses on logarithms punish a loud start,
and the decoder unlearns all it was born with before it learns: with 0.1 the first 150 steps went that way."""


def level_keeping(layer: Layer, gain: float = 1.0) -> Layer:
    """Gives a layer weights that keep the level of white noise, and no bias.

    Formula: weight ~ N(0, gain^2 / n), n = the number of inputs that one output sums; bias = 0.
        torch's own start lowers the variance to a third in every layer. After a dozen layers a latent vector hardly
        depends on its sound, and the decoder learns to do without it before the encoder learns to speak: with it
        the codes of different sounds differed by 0.01 where the posterior's own noise was 0.7.
    Shapes: the layer's own.
    Units: none.
    Source: LeCun et al. 1998, Efficient BackProp, section 4.6.

    >>> y = level_keeping(nn.Conv1d(64, 64, 7))(torch.randn(1, 64, 1000))
    >>> 0.8 < float(y.detach().std()) < 1.2
    True
    """
    inputs = layer.weight[0].numel()
    if isinstance(layer, nn.ConvTranspose1d):
        # Each output sample meets one tap in `stride`.
        inputs = layer.in_channels * layer.kernel_size[0] // layer.stride[0]
    with torch.no_grad():
        layer.weight.normal_(0.0, gain / math.sqrt(inputs))
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


def same_length(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    dilation: int = 1,
    gain: float = 1.0,
    bias: bool = True,
    groups: int = 1,
    convolution: Convolution | None = None,
) -> nn.Conv1d:
    """A convolution with a level-keeping start that gives as many samples as it gets.

    Formula: y[n] = bias + sum over j of weight[j] * x[n + dilation * j - before], zeros around x; before is half of what the
        kernel is wide, where `convolution` does not say otherwise.
    Shapes: (b, in, t) -> (b, out, t), for an odd kernel_size or with a `convolution`.
    Units: none; gain is a ratio of levels, dilation is in samples.
    Source: as level_keeping.

    >>> same_length(4, 2, 7, dilation=3)(torch.zeros(1, 4, 16)).shape
    torch.Size([1, 2, 16])
    """
    layer = padded_conv(
        in_channels,
        out_channels,
        kernel_size,
        dilation=dilation,
        padding=ends_of(dilation * (kernel_size - 1), convolution),
        bias=bias,
        groups=groups,
    )
    return level_keeping(layer, gain)
