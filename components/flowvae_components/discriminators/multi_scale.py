"""Judges that hear the sound at several rates."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Judgement, Normalization, Refused, Stream
from flowvae_components.blocks.geometry import require_positive
from flowvae_components.discriminators.decimation import Decimation
from flowvae_components.discriminators.scale_stack import ScaleDiscriminator

SLOPE = 0.1
"""Of the leaky ReLU, as in the Descript codec."""


class MultiScale(nn.Module):
    """Judges the waveform as it is and at lower rates, where the same kernels hear slower things.

    Formula: for each factor, ScaleDiscriminator(decimated), decimated = Decimation(factor)(audio): a windowed sinc that is
        flat up to 0.79 of the new Nyquist frequency and 80 dB down at it. The mean of two samples, which
        others take for a filter, lets half of the energy at the new Nyquist frequency through.
    Shapes: (b, channels, t) -> for each factor logits (b, 1, n), n = t / (256 * factor) rounded up, and six features
        (b, width * (1, 4, 16, 64, 64, 64), n_i). All channels of the sound enter the first convolution together. Groups hold
        four channels where the width is a multiple of 4, otherwise the fewest from four on that divide the channels.
    Units: audio is amplitude in [-1, 1]; logits have no unit.
    Parameters:
        factors: by what the rate is divided for each judge, from 1 to the length of the clip
        width: channels of the first layer; the last has 64 times as many
        normalization: how the weights of the convolutions are held
    Source: Kumar et al. 2023 (Descript audio codec), arxiv.org/abs/2306.06546, after Kumar et al. 2019 (MelGAN),
        arxiv.org/abs/1910.06711. The low-pass is this project's.

    >>> import torch
    >>> from flowvae.testing.streams import SeededStream
    >>> judge = MultiScale(2, 2048, width=4, normalization=lambda layer: layer)
    >>> [tuple(logits.shape) for logits, features in judge(torch.zeros(1, 2, 2048), SeededStream(0))]
    [(1, 1, 8), (1, 1, 4), (1, 1, 2)]
    """

    within_clip = ("factors",)

    def __init__(
        self,
        channels: int,
        n_samples: int,
        *,
        factors: tuple[int, ...] = (1, 2, 4),
        width: int = 16,
        normalization: Normalization,
    ) -> None:
        super().__init__()
        require_positive("width", width)
        if not factors:
            raise Refused("factors", "factors must name at least one factor, got none")
        for factor in factors:
            if not 1 <= factor <= n_samples:
                raise Refused(
                    "factors",
                    f"factors must be from 1 to the {n_samples} samples of the clip each, got {factor}",
                )
        self.decimations = nn.ModuleList(Decimation(factor) for factor in factors)
        self.discriminators = nn.ModuleList(
            ScaleDiscriminator(channels, width, slope=SLOPE, ends="zeros", normalization=normalization)
            for _ in factors
        )

    def forward(self, audio: Float[Tensor, "b c t"], stream: Stream) -> list[Judgement]:
        pairs = zip(self.decimations, self.discriminators, strict=True)
        return [discriminator(decimation(audio)) for decimation, discriminator in pairs]
