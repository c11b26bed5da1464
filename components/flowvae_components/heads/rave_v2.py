"""The head of RAVE's second version."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Convolution, Normalization, Refused
from flowvae_components.blocks.geometry import require_odd
from flowvae_components.blocks.initial import HEAD_GAIN, same_length


class RAVEv2Head(nn.Module):
    """Makes a signal and a gate for each channel, multiplies them, and bounds the product.

    Formula: y = full_scale * tanh(signal * sigmoid(gate)), where (signal, gate) are the halves of conv(x), without bias.
        tanh compresses loud tones and never reaches +-1; amplitude_modulated is the same without it, and with a bias.
        Where RAVE makes noise too, it goes under the tanh; the head noise_synth adds it to what comes out here.
    Shapes: (b, in, t) -> (b, out, t); the convolution has 2 * out channels.
    Units: y is an amplitude in (-full_scale, full_scale); the gate is one of the signal or band, at its rate.
    Parameters:
        kernel_size: taps of the convolution, odd
        full_scale: what the loudest tone has where the head gives its signal: 1 at the full rate and in RAVE's bands, and
            sqrt(n_bands) in those of a bank that keeps the level of noise, which a bound of 1 would clip
        normalization: how the weight of the convolution is held
        convolution: where the convolution looks; none: as far back as ahead
    Source: the second version of RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011.
    Errors: ValueError for an even kernel_size and for a full_scale of 0 or less.

    >>> import torch
    >>> RAVEv2Head(4, 1, normalization=lambda layer: layer)(torch.zeros(2, 4, 16)).shape
    torch.Size([2, 1, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int = 7,
        full_scale: float = 1.0,
        normalization: Normalization,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        require_odd("kernel_size", kernel_size)
        if full_scale <= 0:
            raise Refused("full_scale", f"full_scale must be above 0, got {full_scale}")
        self.full_scale = full_scale
        self.conv = normalization(
            same_length(
                in_channels,
                2 * out_channels,
                kernel_size,
                gain=HEAD_GAIN / full_scale,
                bias=False,
                convolution=convolution,
            )
        )

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o t"]:
        signal, gate = self.conv(x).chunk(2, dim=1)
        y: Tensor = self.full_scale * (signal * gate.sigmoid()).tanh()
        return y
