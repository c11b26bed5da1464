"""Upsampling by interpolation and a convolution, at the cost of a low-rate convolution."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Convolution, Normalization
from flowvae_components.blocks.initial import level_keeping
from flowvae_components.blocks.padded import crop_of, ends_of, padded_conv


class ResizeConv(nn.Module):
    """Interpolates, then filters: all phases of the output share one filter, so a constant stays one.

    Formula: y = conv(resize(x)) + bias, with 2 * factor + 1 taps at the high rate and silence around x; resize
        repeats every sample (nearest), or draws lines between the centres of those steps (linear).
        It is computed at the low rate: y[m * factor + p] = sum over q of folded[p, q] * x[m + q], where
        folded[p, q] = sum over taps j of weight[j] * response[p, q, j], and response[p, q, j] is how much of
        x[m + q] the resized signal holds at sample m * factor + p + j - before. before is the half of the taps but
        one, or what `convolution` puts before a signal that misses them. A line leads to a sample that is yet to
        come: with a causal convolution the lines are ceil(factor / 2) samples late.
    Shapes: (b, in, t) -> (b, out, t * factor), exact for odd factors too; weight is (out, in, 2 * factor + 1).
    Units: hidden amplitudes, without unit.
    Parameters:
        mode: nearest repeats samples; linear draws lines between them, and sounds duller
        bias: whether a learned constant is added to each channel
        normalization: how the weight of the high-rate convolution is held
        convolution: where the high-rate convolution looks; none: as far back as ahead
    Source: Odena, Dumoulin and Olah 2016, distill.pub/2016/deconv-checkerboard; for audio Pons et al. 2020,
        arxiv.org/abs/2010.14356. The fold is elementary.

    >>> ResizeConv(4, 2, 5, normalization=lambda layer: layer)(torch.zeros(1, 4, 4)).shape
    torch.Size([1, 2, 20])
    """

    response: Tensor
    channels: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        factor: int,
        *,
        mode: Literal["nearest", "linear"] = "nearest",
        bias: bool = True,
        normalization: Normalization,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        self.factor = factor
        ends = ends_of(2 * factor, convolution)
        # The layer holds the weight; it is never called, as its work is done at the low rate.
        self.conv = normalization(
            level_keeping(padded_conv(in_channels, out_channels, 2 * factor + 1, padding=ends, bias=bias))
        )
        # Repeated, a sample fills its own step; lines reach over two, of which one is to spare.
        steps = 1 if mode == "nearest" else 2
        cut = crop_of((steps - 1) * factor, convolution)
        first = -((ends[0] - cut + steps * factor - 1) // factor)
        last = (factor - 1 + ends[1] + cut) // factor
        self.padding = (-first, last)
        self.register_buffer(
            "response", _response(factor, mode, (first, last), ends[0], cut), persistent=False
        )
        self.register_buffer(
            "channels", torch.arange(out_channels).repeat_interleave(factor), persistent=False
        )

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o n"]:
        weight, bias = self.conv.weight, self.conv.bias
        if not isinstance(weight, Tensor):
            raise TypeError("normalization must give a layer with a weight that can be read")
        # Contiguous, as a permuted weight makes oneDNN choose another, slower layout for all that follows.
        folded = torch.einsum("oij,pqj->opiq", weight, self.response).flatten(0, 1).contiguous()
        # By their numbers: a view of the bias is nothing that torch's compiler gives a convolution.
        repeated = bias.index_select(0, self.channels) if isinstance(bias, Tensor) else None
        before, after = self.padding
        if before == after:
            phases = functional.conv1d(x, folded, repeated, padding=before)
        else:
            phases = functional.conv1d(functional.pad(x, self.padding), folded, repeated)
        b, _, t = x.shape
        return phases.reshape(b, -1, self.factor, t).transpose(2, 3).flatten(2)


def _response(factor: int, mode: str, reach: tuple[int, int], before: int, cut: int) -> Tensor:
    """(factor, low-rate taps, high-rate taps): what a unit impulse at low-rate sample q leaves where tap j reads."""
    first, last = reach
    # Silence on either side, wide enough that no kernel of interpolation is cut off.
    silence = 3
    impulses = functional.pad(torch.eye(last - first + 1)[:, None], (silence, silence))
    if mode == "nearest":
        # Not by `interpolate`, which repeats wrongly where 1 / factor is rounded up: 41, 47, 55 ...
        spread, late = impulses.repeat_interleave(factor, -1), 0
    else:
        spread = functional.interpolate(impulses, scale_factor=float(factor), mode=mode)
        late = (factor + 1) // 2 - cut
    start = (
        (silence - first) * factor - before - late
    )  # tap 0 of phase 0, where sample 0 stands at silence - first
    windows = spread[:, 0, start:].unfold(-1, 2 * factor + 1, 1)[:, :factor]
    return windows.transpose(0, 1).contiguous()
