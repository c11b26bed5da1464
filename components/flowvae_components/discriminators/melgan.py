"""The judges of MelGAN."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Judgement, Normalization, Refused, Stream
from flowvae_components.blocks.geometry import require_positive
from flowvae_components.discriminators.scale_stack import ScaleDiscriminator

SLOPE = 0.2
"""Of the leaky ReLU, as in MelGAN."""
SHORTEST = 8
"""The first convolution mirrors 7 samples at the ends, and mirrors no sample twice."""


class MelGANDiscriminator(nn.Module):
    """Judges the waveform and its running means, each at half the rate of the one before.

    Formula: x_0 = audio; x_i+1[m] = mean of x_i[2 m - 1 .. 2 m + 2], of those that exist; then one ScaleDiscriminator for each
        x_i, its first convolution with reflected ends. The mean is a weak filter: 3.7 dB down at half of the new Nyquist
        frequency and only 11 dB at one and a half of it, so tones fold down. It is what was published; see multi_scale.
    Shapes: (b, channels, t) -> for each scale i logits (b, 1, n), n = t / (256 * 2^i) rounded up, and six features
        (b, width * (1, 4, 16, 64, 64, 64), n_i). All channels of the sound enter the first convolution together. Groups hold
        four channels where the width is a multiple of 4, otherwise the fewest from four on that divide the channels.
    Units: audio is amplitude in [-1, 1]; logits have no unit.
    Parameters:
        scales: how many rates are judged; at the lowest, 8 samples must be left
        width: channels of the first layer; the last has 64 times as many
        normalization: how the weights of the convolutions are held
    Source: Kumar et al. 2019 (MelGAN), arxiv.org/abs/1910.06711, section 2.2. There the widest layers have 1024 channels at
        any width; here 64 * width, which is the same at 16.

    >>> import torch
    >>> from flowvae.testing.streams import SeededStream
    >>> judge = MelGANDiscriminator(1, 2048, width=4, normalization=lambda layer: layer)
    >>> [tuple(logits.shape) for logits, features in judge(torch.zeros(1, 1, 2048), SeededStream(0))]
    [(1, 1, 8), (1, 1, 4), (1, 1, 2)]
    """

    def __init__(
        self, channels: int, n_samples: int, *, scales: int = 3, width: int = 16, normalization: Normalization
    ) -> None:
        super().__init__()
        require_positive("width", width)
        require_positive("scales", scales)
        if n_samples >> (scales - 1) < SHORTEST:
            left = n_samples >> (scales - 1)
            raise Refused(
                "scales",
                f"scales must leave {SHORTEST} samples of the clip's {n_samples} at the last, got {scales}, which leave {left}",
            )
        self.discriminators = nn.ModuleList(
            ScaleDiscriminator(channels, width, slope=SLOPE, ends="reflect", normalization=normalization)
            for _ in range(scales)
        )

    def forward(self, audio: Float[Tensor, "b c t"], stream: Stream) -> list[Judgement]:
        judgements = []
        for scale, discriminator in enumerate(self.discriminators):
            if scale:
                audio = functional.avg_pool1d(audio, 4, stride=2, padding=1, count_include_pad=False)
            judgements.append(discriminator(audio))
        return judgements
