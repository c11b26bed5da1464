"""The head of RAVE: a signal and the loudness that gates it."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Convolution, Normalization
from flowvae_components.blocks.geometry import require_odd
from flowvae_components.blocks.initial import HEAD_GAIN, same_length


class AmplitudeModulatedHead(nn.Module):
    """Makes a signal and an envelope for each channel, and multiplies them: a quiet tail needs only the envelope.

    Formula: y = signal * sigmoid(envelope), where (signal, envelope) are the halves of conv(x) + bias.
        RAVE puts a tanh around it; here there is none, as it compresses loud tones of a band and cannot
        reach +-1.
    Shapes: (b, in, t) -> (b, out, t); the convolution has 2 * out channels.
    Units: y is an amplitude, unbounded; the envelope is a gain in (0, 1), at the rate of the signal or band.
    Parameters:
        kernel_size: taps of the convolution, odd
        normalization: how the weight of the convolution is held
        convolution: where the convolution looks; none: as far back as ahead
    Source: Caillon and Esling 2021, arxiv.org/abs/2111.05011; this form is that of RAVE's second version.
    Errors: ValueError for an even kernel_size.

    >>> import torch
    >>> AmplitudeModulatedHead(4, 1, normalization=lambda layer: layer)(torch.zeros(2, 4, 16)).shape
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
            same_length(in_channels, 2 * out_channels, kernel_size, gain=HEAD_GAIN, convolution=convolution)
        )

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o t"]:
        signal, envelope = self.conv(x).chunk(2, dim=1)
        y: Tensor = signal * envelope.sigmoid()
        return y
