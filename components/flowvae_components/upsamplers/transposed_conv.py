"""Upsampling by a transposed convolution."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Normalization
from flowvae_components.blocks.initial import level_keeping


class TransposedConv(nn.Module):
    """Puts zeros between the samples and filters, in one transposed convolution.

    Formula: y[n] = bias + sum over m of weight[n + ceil(factor / 2) - m * factor] * x[m], with 2 * factor taps.
        Each of the factor phases of y has two taps of its own, so a constant may come out with a tone at
        rate / factor and its multiples: the checkerboard of images, heard in tails.
    Shapes: (b, in, t) -> (b, out, t * factor), exact for odd factors too.
    Units: hidden amplitudes, without unit.
    Parameters:
        normalization: how the weight of the convolution is held
    Source: Kumar et al. 2019 (MelGAN), arxiv.org/abs/1910.06711, for kernel and padding; what it does to a
        constant: Pons et al. 2020, arxiv.org/abs/2010.14356.

    >>> import torch
    >>> TransposedConv(4, 2, 5, normalization=lambda layer: layer)(torch.zeros(1, 4, 4)).shape
    torch.Size([1, 2, 20])
    """

    def __init__(
        self, in_channels: int, out_channels: int, factor: int, *, normalization: Normalization
    ) -> None:
        super().__init__()
        self.conv = normalization(
            level_keeping(
                nn.ConvTranspose1d(
                    in_channels,
                    out_channels,
                    2 * factor,
                    stride=factor,
                    padding=(factor + 1) // 2,
                    output_padding=factor % 2,
                )
            )
        )

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o n"]:
        y: Tensor = self.conv(x)
        return y
