"""Upsampling by zeros between the samples and a learned filter over them, computed without the zeros."""

import math

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Convolution, Normalization
from flowvae_components.blocks.initial import level_keeping
from flowvae_components.blocks.padded import ends_of, padded_conv


class StretchConv(nn.Module):
    """Puts zeros between the samples, then filters at the high rate with an odd kernel that is centred on the sample.

    Formula: y[n] = bias + sum over j of weight[j] * z[n + j - before], j = 0 .. 2 * factor, where z[m * factor] = x[m]
        and z is 0 elsewhere; before is factor, or what `convolution` puts before a signal that misses 2 * factor samples.
        It can compute what a transposed convolution of 2 * factor + 1 taps can: phase 0 has three taps and each other
        phase two, so constants come out with a tone at rate / factor. Other than there, a slice of the first axis of
        the weight, which weight normalization scales as one, belongs to an output channel.
        Only terms that are not 0 are summed: it is computed as a transposed convolution with the kernel turned round.
    Shapes: (b, in, t) -> (b, out, t * factor), exact for odd factors too; weight is (out, in, 2 * factor + 1).
    Units: hidden amplitudes, without unit.
    Parameters:
        bias: whether a learned constant is added to each channel
        normalization: how the weight of the high-rate convolution is held
        convolution: where the high-rate convolution looks; none: as far back as ahead
    Source: "stretch" in the comparison of Pons et al. 2023, arxiv.org/abs/2111.11773, taken as zero insertion and a
        learned convolution (Pons et al. 2020, arxiv.org/abs/2010.14356, section 3). The layer of the 2023 paper was not
        read again: its kernel and channels may differ.

    >>> import torch
    >>> StretchConv(4, 2, 5, normalization=lambda layer: layer)(torch.zeros(1, 4, 4)).shape
    torch.Size([1, 2, 20])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        factor: int,
        *,
        bias: bool = True,
        normalization: Normalization,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        self.factor = factor
        ends = ends_of(2 * factor, convolution)
        # torch cuts both ends alike; at most a step, as it gives back less than one at the end.
        self.padding = min(ends[1], factor)
        self.start = ends[1] - self.padding
        # One sample in factor is not 0: the weights start as much louder. The layer holds them and is never called.
        self.conv = normalization(
            level_keeping(
                padded_conv(in_channels, out_channels, 2 * factor + 1, padding=ends, bias=bias),
                gain=math.sqrt(factor),
            )
        )

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o n"]:
        weight, bias = self.conv.weight, self.conv.bias
        if not isinstance(weight, Tensor):
            raise TypeError("normalization must give a layer with a weight that can be read")
        # Where more is cut off at the start, the end comes from a silence after x.
        y = functional.conv_transpose1d(
            functional.pad(x, (0, 1)) if self.start else x,
            weight.transpose(0, 1).flip(-1),
            bias if isinstance(bias, Tensor) else None,
            stride=self.factor,
            padding=self.padding,
            output_padding=max(0, 2 * self.padding - self.factor - 1),
        )
        return y[..., self.start : self.start + x.shape[-1] * self.factor]
