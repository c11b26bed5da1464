"""Downsampling by a convolution that steps."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Convolution, Normalization
from flowvae_components.blocks.geometry import kernel_of
from flowvae_components.blocks.initial import level_keeping
from flowvae_components.blocks.padded import ends_of, padded_conv


class StridedConv(nn.Module):
    """Filters and keeps every factor-th sample, in one convolution.

    Formula: y[m] = bias + sum over j of weight[j] * x[m * factor + j - before], j = 0 .. kernel - 1, where
        kernel = overlap * factor + extra, and before is what `convolution` puts before x of the kernel - factor
        samples that are missing: half of them, rounded up, where there is none.
        Where the kernel is a multiple of the factor, every input sample has the same number of taps, overlap, in
        the gradient; extra taps meet some samples of each step and not the others, and the gradient itself
        carries a tone at rate / factor.
    Shapes: (b, in, t) -> (b, out, t / factor), exact for odd factors and for every kernel.
    Units: hidden amplitudes, without unit.
    Parameters:
        overlap: how many steps the kernel spans, 1 or more; 1 lets no sample be seen twice
        extra: taps beyond them, 0 or more; 1 with an overlap of 2 is RAVE's first version, 25 / 4 is (6, 1)
        bias: whether a learned constant is added to each channel
        normalization: how the weight of the convolution is held
        convolution: where the kernel looks; none: as far back as ahead
    Source: Zeghidour et al. 2021, arxiv.org/abs/2107.03312, section III; uneven overlap: Odena, Dumoulin and
        Olah 2016, distill.pub/2016/deconv-checkerboard.
    Errors: ValueError for an overlap below 1 and for extra taps below 0.

    >>> import torch
    >>> StridedConv(2, 4, 5, normalization=lambda layer: layer)(torch.zeros(1, 2, 20)).shape
    torch.Size([1, 4, 4])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        factor: int,
        *,
        overlap: int = 2,
        extra: int = 0,
        bias: bool = True,
        normalization: Normalization,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        self.factor, kernel = factor, kernel_of(factor, overlap, extra)
        before, after = ends_of(kernel - factor, convolution)
        if before == after + 1:
            # One sample more at the end is cut off or never reached, and torch pads alike ends without a copy.
            after = before
        self.conv = normalization(
            level_keeping(
                padded_conv(
                    in_channels, out_channels, kernel, stride=factor, padding=(before, after), bias=bias
                )
            )
        )

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o n"]:
        y: Tensor = self.conv(x)
        # A factor of 1 may leave one sample too many; for all others nothing is cut.
        return y[..., : x.shape[-1] // self.factor]
