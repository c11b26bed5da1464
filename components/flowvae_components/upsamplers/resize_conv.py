"""Upsampling by interpolation and a convolution, at the cost of a low-rate convolution."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Normalization
from flowvae_components.blocks.initial import level_keeping


class ResizeConv(nn.Module):
    """Interpolates, then filters: all phases of the output share one filter, so a constant stays one.

    Formula: y = conv(resize(x)) + bias, with 2 * factor + 1 taps at the high rate and silence around x; resize
        repeats every sample (nearest), or draws lines between the centres of those steps (linear).
        It is computed at the low rate: y[m * factor + p] = sum over q of folded[p, q] * x[m + q], where
        folded[p, q] = sum over taps j of weight[j] * response[p, q, j], and response[p, q, j] is how much of
        x[m + q] the resized signal holds at sample m * factor + p + j - factor.
    Shapes: (b, in, t) -> (b, out, t * factor), exact for odd factors too; weight is (out, in, 2 * factor + 1).
    Units: hidden amplitudes, without unit.
    Parameters:
        mode: nearest repeats samples; linear draws lines between them, and sounds duller
        normalization: how the weight of the high-rate convolution is held
    Source: Odena, Dumoulin and Olah 2016, distill.pub/2016/deconv-checkerboard; for audio Pons et al. 2020,
        arxiv.org/abs/2010.14356. The fold is elementary.

    >>> ResizeConv(4, 2, 5, normalization=lambda layer: layer)(torch.zeros(1, 4, 4)).shape
    torch.Size([1, 2, 20])
    """

    response: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        factor: int,
        *,
        mode: Literal["nearest", "linear"] = "nearest",
        normalization: Normalization,
    ) -> None:
        super().__init__()
        self.factor = factor
        # The layer holds the weight; it is never called, as its work is done at the low rate.
        self.conv = normalization(
            level_keeping(nn.Conv1d(in_channels, out_channels, 2 * factor + 1, padding=factor))
        )
        self.register_buffer("response", _response(factor, mode), persistent=False)

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o n"]:
        weight, bias = self.conv.weight, self.conv.bias
        if not isinstance(weight, Tensor) or not isinstance(bias, Tensor):
            raise TypeError("normalization must give a layer with a weight and a bias that can be read")
        # Contiguous, as a permuted weight makes oneDNN choose another, slower layout for all that follows.
        folded = torch.einsum("oij,pqj->opiq", weight, self.response).flatten(0, 1).contiguous()
        phases = functional.conv1d(
            x, folded, bias.repeat_interleave(self.factor), padding=folded.shape[-1] // 2
        )
        b, _, t = x.shape
        return phases.reshape(b, -1, self.factor, t).transpose(2, 3).flatten(2)


def _response(factor: int, mode: str) -> Tensor:
    """(factor, low-rate taps, high-rate taps): what a unit impulse at low-rate sample q leaves where tap j reads."""
    reach = 1 if mode == "nearest" else 2
    impulses = torch.eye(2 * reach + 1)[:, None]
    # Silence on either side, wide enough that no kernel of interpolation is cut off.
    spread = functional.interpolate(
        functional.pad(impulses, (reach + 1, reach + 1)),
        scale_factor=float(factor),
        mode=mode,
    )
    start = (2 * reach + 1) * factor - factor  # tap 0 of phase 0, when q = 0 is the middle of the impulses
    windows = spread[:, 0, start:].unfold(-1, 2 * factor + 1, 1)[:, :factor]
    return windows.transpose(0, 1).contiguous()
