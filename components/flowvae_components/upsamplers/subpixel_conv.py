"""Upsampling by a convolution that makes all phases at the low rate."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Convolution, Normalization
from flowvae_components.blocks.geometry import require_odd
from flowvae_components.blocks.initial import same_length


class SubpixelConv(nn.Module):
    """Makes factor channels for each one at the low rate, and lays them out in time one after the other.

    Formula: y[c, m * factor + p] = conv(x)[c * factor + p, m].
        Each phase p has filters and a bias of its own, so a constant may come out with a tone at rate / factor and its
        multiples. Where the phases start alike (icnr), the layer starts as a convolution whose samples are repeated, and
        what is heard of the pattern later was learnt.
    Shapes: (b, in, t) -> (b, out, t * factor), exact for odd factors too; weight is (out * factor, in, kernel_size).
    Units: hidden amplitudes, without unit.
    Parameters:
        kernel_size: taps of the convolution at the low rate, odd
        start: independent draws every phase; icnr draws one and starts all phases of a channel as its copies
        bias: whether a learned constant is added to each phase of each channel
        normalization: how the weight of the convolution is held
        convolution: where the convolution looks; none: as far back as ahead
    Source: Shi et al. 2016, arxiv.org/abs/1609.05158; icnr: Aitken et al. 2017, arxiv.org/abs/1707.02937.
    Errors: ValueError for an even kernel_size.

    >>> SubpixelConv(4, 2, 5, normalization=lambda layer: layer)(torch.zeros(1, 4, 4)).shape
    torch.Size([1, 2, 20])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        factor: int,
        *,
        kernel_size: int = 3,
        start: Literal["independent", "icnr"] = "independent",
        bias: bool = True,
        normalization: Normalization,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        require_odd("kernel_size", kernel_size)
        self.factor = factor
        layer = same_length(
            in_channels, factor * out_channels, kernel_size, bias=bias, convolution=convolution
        )
        if start == "icnr":
            # Before the normalization: one that holds lengths or directions apart would overwrite what is set later.
            with torch.no_grad():
                layer.weight.copy_(layer.weight[::factor].repeat_interleave(factor, 0))
        self.conv = normalization(layer)

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o n"]:
        phases: Tensor = self.conv(x)
        b, _, t = x.shape
        return phases.reshape(b, -1, self.factor, t).transpose(2, 3).flatten(2)
