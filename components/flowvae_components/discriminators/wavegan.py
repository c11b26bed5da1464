"""The judge of WaveGAN."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Judgement, Normalization, Refused, Stream
from flowvae_components.blocks.geometry import require_positive
from flowvae_components.discriminators.phase_shuffle import phase_shuffle as shuffled

SLOPE = 0.2
"""Of the leaky ReLU, as in WaveGAN."""
WIDTHS = (1, 2, 4, 8, 16)
"""Channels of the layers, in units of `width`."""
STRIDE = 4


class WaveGANDiscriminator(nn.Module):
    """Judges the whole sound with one number, blind to small shifts of its hidden layers.

    Formula: five times f = leaky(conv(x)) with 25 taps and a stride of 4; between them x = f, shifted by
        phase_shuffle; logits = linear(flatten(f_5)).
    Shapes: (b, channels, n_samples) -> one judgement: logits (b, 1), features (b, width * (1, 2, 4, 8, 16), n_i) before their
        shift, n_i = n_samples / 4^i rounded up. All channels of the sound enter the first convolution together.
    Units: audio is amplitude in [-1, 1]; logits have no unit; shifts are in samples of their layer.
    Parameters:
        width: channels of the first layer; the last has 16 times as many
        phase_shuffle: how far each of the first four layers is shifted at most; 0 shifts none
        normalization: how the weights of the convolutions and of the linear layer are held
    Source: Donahue, McAuley and Puckette 2018, arxiv.org/abs/1802.04208. The kernels are centred on their sample; the published
        ones begin two samples later.
    Errors: ValueError for a sound of another length than n_samples.

    >>> import torch
    >>> from flowvae.testing.streams import SeededStream
    >>> judge = WaveGANDiscriminator(1, 1024, width=4, phase_shuffle=0, normalization=lambda layer: layer)
    >>> [(logits, features)] = judge(torch.zeros(2, 1, 1024), SeededStream(0))
    >>> logits.shape, [feature.shape[2] for feature in features]
    (torch.Size([2, 1]), [256, 64, 16, 4, 1])
    """

    def __init__(
        self,
        channels: int,
        n_samples: int,
        *,
        width: int = 64,
        phase_shuffle: int = 2,
        normalization: Normalization,
    ) -> None:
        super().__init__()
        require_positive("width", width)
        shortest = -(-n_samples // STRIDE ** (len(WIDTHS) - 1))
        if not 0 <= phase_shuffle < shortest:
            raise Refused(
                "phase_shuffle",
                f"phase_shuffle must be at least 0 and below the {shortest} samples that the fourth layer makes "
                f"of the clip's {n_samples}, got {phase_shuffle}",
            )
        self.n_samples, self.radius = n_samples, phase_shuffle
        self.convs = nn.ModuleList(
            normalization(nn.Conv1d(i, o, 25, STRIDE, padding=12))
            for i, o in pairwise((channels, *(k * width for k in WIDTHS)))
        )
        frames = -(-n_samples // STRIDE ** len(WIDTHS))
        self.linear = normalization(nn.Linear(WIDTHS[-1] * width * frames, 1))

    def forward(self, audio: Float[Tensor, "b c t"], stream: Stream) -> list[Judgement]:
        if audio.shape[-1] != self.n_samples:
            raise ValueError(
                f"n_samples is {self.n_samples} in this discriminator, got {audio.shape[-1]} samples"
            )
        x, features = audio, list[Tensor]()
        for conv in self.convs:
            if features and self.radius:
                x = shuffled(x, self.radius, stream)
            x = functional.leaky_relu(conv(x), SLOPE, inplace=True)
            features.append(x)
        return [(self.linear(x.flatten(1)), features)]
