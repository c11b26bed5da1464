"""Downsampling by a fixed low-pass filter, and a convolution at the low rate."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Convolution, Normalization
from flowvae_components.blocks.geometry import require_odd
from flowvae_components.blocks.initial import same_length
from flowvae_components.blocks.low_pass import low_pass_taps
from flowvae_components.blocks.padded import ends_of

STEPS = 23
"""How many samples of the low rate the filter spans. Odd, so that its middle is the middle of a step for every factor."""
CUTOFF, ATTENUATION_DB = 0.88, 47.0
"""The cutoff in units of the new Nyquist frequency. Found by search: with 23 steps these leave -0.7 dB at 0.8 of it, and
less than -46 dB above it; 19 steps cannot reach -1 dB and -40 dB together."""


class PoolConv(nn.Module):
    """Takes out what the low rate cannot hold, keeps every factor-th sample, then filters.

    Formula: y = conv(low[::factor]) + bias, low = x through a windowed sinc of 23 * factor taps, the same for each channel;
        a step of factor samples and the one that is kept of it have the same middle.
        Tones above the new Nyquist frequency are gone before they can fold; a convolution that steps has to learn that.
        The ends of x are continued by their first and last value, so that a constant stays one up to the ends.
    Shapes: (b, in, t) -> (b, out, t / factor), exact for odd factors too.
    Units: hidden amplitudes, without unit. Tones pass within 0.7 dB up to 0.8 of the new Nyquist frequency, and lose 46 dB
        and more above it; white noise loses the share of its power that lies there. An onset gets ripples before and after
        it, 11 samples of the low rate to each side.
    Parameters:
        kernel_size: taps of the convolution at the low rate, odd
        bias: whether a learned constant is added to each channel
        normalization: how the weight of the convolution is held
        convolution: where the filter and the convolution look; none: as far back as ahead; a causal one delays
            by 11 samples of the low rate
    Source: pooling with a filter: Zhang 2019, Making Convolutional Networks Shift-Invariant Again,
        arxiv.org/abs/1904.11486; the filter: Kaiser 1974.
    Errors: ValueError for an even kernel_size.

    >>> PoolConv(2, 4, 5, normalization=lambda layer: layer)(torch.zeros(1, 2, 20)).shape
    torch.Size([1, 4, 4])
    """

    taps: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        factor: int,
        *,
        kernel_size: int = 3,
        bias: bool = True,
        normalization: Normalization,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        require_odd("kernel_size", kernel_size)
        self.factor = factor
        self.ends = ends_of((STEPS - 1) * factor, convolution)
        taps = low_pass_taps(STEPS * factor, CUTOFF / (2 * factor), ATTENUATION_DB)
        self.register_buffer("taps", taps.to(torch.get_default_dtype()), persistent=False)
        self.conv = normalization(
            same_length(in_channels, out_channels, kernel_size, bias=bias, convolution=convolution)
        )

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o n"]:
        continued = functional.pad(x, self.ends, mode="replicate")
        # The step is part of the filter: what would be thrown away is never computed.
        low = functional.conv1d(
            continued, self.taps.expand(x.shape[1], 1, -1), stride=self.factor, groups=x.shape[1]
        )
        y: Tensor = self.conv(low)
        return y
