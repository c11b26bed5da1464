"""Upsampling by a transposed convolution."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Convolution, Normalization
from flowvae_components.blocks.geometry import kernel_of
from flowvae_components.blocks.initial import level_keeping
from flowvae_components.blocks.padded import crop_of


class TransposedConv(nn.Module):
    """Puts zeros between the samples and filters, in one transposed convolution.

    Formula: y[n] = bias + sum over m of weight[n + cut - m * factor] * x[m], with kernel = overlap * factor + extra
        taps. cut is how much of the kernel - factor samples to spare is cut off at the start: half of it, rounded up,
        or what `convolution` puts after a signal that misses as many (one more where they are odd).
        Each of the factor phases of y has overlap taps of its own, so a constant may come out with a tone at
        rate / factor and its multiples: the checkerboard of images, heard in tails. With extra taps some phases
        have one tap more than others, and the tone is there even where all weights are the same.
    Shapes: (b, in, t) -> (b, out, t * factor), exact for odd factors and for every kernel.
    Units: hidden amplitudes, without unit.
    Parameters:
        overlap: how many samples of the input each output sample hears, 1 or more
        extra: taps beyond them, 0 or more; WaveGAN's 25 taps at a factor of 4 are an overlap of 6 and 1 more
        bias: whether a learned constant is added to each channel
        normalization: how the weight of the convolution is held
        convolution: where the kernel looks; none: as far back as ahead
    Source: Kumar et al. 2019 (MelGAN), arxiv.org/abs/1910.06711, for kernel and padding; what it does to a
        constant: Pons et al. 2020, arxiv.org/abs/2010.14356.
    Errors: ValueError for an overlap below 1 and for extra taps below 0.

    >>> import torch
    >>> TransposedConv(4, 2, 5, normalization=lambda layer: layer)(torch.zeros(1, 4, 4)).shape
    torch.Size([1, 2, 20])
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
        spare = kernel - factor
        cut = crop_of(spare, convolution)
        # torch cuts both ends alike, gives back less than a step at the end, and the slice below does the rest.
        padding = min(cut, spare - cut + factor - 1)
        self.start = cut - padding
        self.conv = normalization(
            level_keeping(
                nn.ConvTranspose1d(
                    in_channels,
                    out_channels,
                    kernel,
                    stride=factor,
                    padding=padding,
                    output_padding=max(0, padding - (spare - cut)),
                    bias=bias,
                )
            )
        )

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o n"]:
        y: Tensor = self.conv(x)
        return y[..., self.start : self.start + x.shape[-1] * self.factor]
