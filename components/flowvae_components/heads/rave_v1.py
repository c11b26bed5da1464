"""The head of RAVE's first version."""

from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Convolution, Normalization, Refused
from flowvae_components.blocks.geometry import require_odd
from flowvae_components.blocks.initial import HEAD_GAIN, same_length
from flowvae_components.blocks.mod_sigmoid import mod_sigmoid


class RAVEv1Head(nn.Module):
    """Makes a signal for each channel and one loudness for all, and multiplies them.

    Formula: y = full_scale * tanh(wave(x)) * mod_sigmoid(loudness(x)), with mod_sigmoid(a) = 2 * sigmoid(a)^2.3 + 1e-7, and
        two convolutions without bias. On bands, one loudness gates all of them; tanh compresses loud tones.
        RAVE adds noise to it in its second phase: the head noise_synth does so with any head, from the start.
    Shapes: (b, in, t) -> (b, out, t); the loudness is (b, 1, t).
    Units: y is an amplitude in full_scale * (-2, 2).
    Parameters:
        kernel_size: taps of the convolution that makes the signal, odd
        loudness_kernel_size: taps of the one that makes the loudness, odd
        full_scale: what the loudest tone has where the head gives its signal: 1 at the full rate and in RAVE's bands, and
            sqrt(n_bands) in those of a bank that keeps the level of noise, which a bound of 1 would clip
        normalization: how the weights of the convolutions are held
        convolution: where the convolutions look; none: as far back as ahead
    Source: Caillon and Esling 2021, arxiv.org/abs/2111.05011.
    Errors: ValueError for an even kernel and for a full_scale of 0 or less.

    >>> import torch
    >>> RAVEv1Head(4, 1, normalization=lambda layer: layer)(torch.zeros(2, 4, 16)).shape
    torch.Size([2, 1, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int = 7,
        loudness_kernel_size: int = 3,
        full_scale: float = 1.0,
        normalization: Normalization,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        require_odd("kernel_size", kernel_size)
        require_odd("loudness_kernel_size", loudness_kernel_size)
        if full_scale <= 0:
            raise Refused("full_scale", f"full_scale must be above 0, got {full_scale}")
        self.full_scale = full_scale
        conv = partial(same_length, in_channels, bias=False, convolution=convolution)
        self.wave = normalization(conv(out_channels, kernel_size, gain=HEAD_GAIN / full_scale))
        self.loudness = normalization(conv(1, loudness_kernel_size, gain=HEAD_GAIN))

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o t"]:
        y: Tensor = self.full_scale * self.wave(x).tanh() * mod_sigmoid(self.loudness(x))
        return y
