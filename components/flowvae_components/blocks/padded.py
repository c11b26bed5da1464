"""Convolutions with other silence before a signal than after it."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Convolution


class PaddedConv1d(nn.Conv1d):
    """A convolution that puts silence around its input first, not the same amount at both ends.

    Formula: y = conv([0] * before, x, [0] * after).
    Shapes: (b, in, t) -> (b, out, (t + before + after - dilation * (kernel_size - 1) - 1) // stride + 1).
    Units: samples at the rate of the input.
    Source: torch.nn.Conv1d, which pads both ends alike.
    """

    ends: tuple[int, int] = (0, 0)

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o n"]:
        y: Tensor = super().forward(functional.pad(x, self.ends))
        return y


def padded_conv(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    padding: tuple[int, int],
    stride: int = 1,
    dilation: int = 1,
    bias: bool = True,
    groups: int = 1,
) -> nn.Conv1d:
    """A convolution with so much silence before the signal, and so much after it: torch's own where both are the same.

    Formula: y = conv([0] * before, x, [0] * after), with padding = (before, after).
    Shapes: (b, in, t) -> (b, out, (t + before + after - dilation * (kernel_size - 1) - 1) // stride + 1).
    Units: samples at the rate of the input.
    Source: torch.nn.Conv1d.

    >>> import torch
    >>> padded_conv(4, 2, 3, padding=(2, 0))(torch.zeros(1, 4, 16)).shape
    torch.Size([1, 2, 16])
    """
    before, after = padding
    if before == after:
        return nn.Conv1d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=before,
            dilation=dilation,
            bias=bias,
            groups=groups,
        )
    layer = PaddedConv1d(
        in_channels, out_channels, kernel_size, stride=stride, dilation=dilation, bias=bias, groups=groups
    )
    layer.ends = padding
    return layer


def ends_of(missing: int, convolution: Convolution | None) -> tuple[int, int]:
    """The silence before a signal and after it, shared out evenly where no `convolution` says otherwise.

    Formula: before = ceil(missing / 2), after = floor(missing / 2), or as the convolution has it.
    Shapes: a whole number -> two.
    Units: samples at the rate of the layer's input.
    Source: as flowvae.contracts.Convolution.

    >>> ends_of(5, None)
    (3, 2)
    """
    return convolution(missing) if convolution else (missing - missing // 2, missing // 2)


def crop_of(spare: int, convolution: Convolution | None) -> int:
    """How many of the samples that a full transposed convolution has to spare are cut off at its start.

    Formula: what the convolution puts after a signal that misses as many samples, or one more where they are odd: the mirror
        of padding. Silence after a signal is a look ahead, and so is what is cut off at the start.
    Shapes: a whole number -> one.
    Units: samples at the rate of the layer's output.
    Source: ceil(spare / 2), which comes out without a convolution: Kumar et al. 2019 (MelGAN), arxiv.org/abs/1910.06711.

    >>> crop_of(5, None), crop_of(5, lambda missing: (missing, 0))
    (3, 0)
    """
    _, after = ends_of(spare + spare % 2, convolution)
    return min(after, spare)
