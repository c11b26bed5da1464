"""Downsampling by a convolution that steps."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Normalization
from flowvae_components.blocks.initial import level_keeping


class StridedConv(nn.Module):
    """Filters and keeps every factor-th sample, in one convolution.

    Formula: y[m] = bias + sum over j of weight[j] * x[m * factor + j - ceil(factor / 2)], j = 0 .. 2 * factor - 1.
        The kernel is a multiple of the stride, so every input sample has the same number of taps in the
        gradient; with another length the gradient itself carries a tone at rate / factor.
    Shapes: (b, in, t) -> (b, out, t / factor), exact for odd factors too.
    Units: hidden amplitudes, without unit.
    Parameters:
        normalization: how the weight of the convolution is held
    Source: Zeghidour et al. 2021, arxiv.org/abs/2107.03312, section III; uneven overlap: Odena, Dumoulin and
        Olah 2016, distill.pub/2016/deconv-checkerboard.

    >>> import torch
    >>> StridedConv(2, 4, 5, normalization=lambda layer: layer)(torch.zeros(1, 2, 20)).shape
    torch.Size([1, 4, 4])
    """

    def __init__(
        self, in_channels: int, out_channels: int, factor: int, *, normalization: Normalization
    ) -> None:
        super().__init__()
        self.factor = factor
        self.conv = normalization(
            level_keeping(
                nn.Conv1d(in_channels, out_channels, 2 * factor, stride=factor, padding=(factor + 1) // 2)
            )
        )

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o n"]:
        y: Tensor = self.conv(x)
        # A factor of 1 leaves one sample too many; for all others nothing is cut.
        return y[..., : x.shape[-1] // self.factor]
