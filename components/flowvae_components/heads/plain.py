"""The plain head: one convolution."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Convolution, Normalization
from flowvae_components.blocks.geometry import require_odd
from flowvae_components.blocks.initial import HEAD_GAIN, same_length


class PlainHead(nn.Module):
    """Mixes the channels of the last stage into the signal, with one convolution and nothing after it.

    Formula: y = conv(x) + bias. No tanh: it cannot reach +-1, and on bands it would compress loud tones.
    Shapes: (b, in, t) -> (b, out, t).
    Units: y is an amplitude; nothing keeps it inside [-1, 1], so a file that is written must be clipped.
    Parameters:
        kernel_size: taps of the convolution, odd
        normalization: how the weight of the convolution is held
        convolution: where the convolution looks; none: as far back as ahead
    Source: Zeghidour et al. 2021, arxiv.org/abs/2107.03312, section III.
    Errors: ValueError for an even kernel_size.

    >>> import torch
    >>> PlainHead(4, 1, normalization=lambda layer: layer)(torch.zeros(2, 4, 16)).shape
    torch.Size([2, 1, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int = 7,
        normalization: Normalization,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        require_odd("kernel_size", kernel_size)
        self.conv = normalization(
            same_length(in_channels, out_channels, kernel_size, gain=HEAD_GAIN, convolution=convolution)
        )

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o t"]:
        y: Tensor = self.conv(x)
        return y
