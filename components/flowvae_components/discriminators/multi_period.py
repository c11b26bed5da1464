"""Judges that each hear every p-th sample."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Judgement, Normalization, Refused, Stream
from flowvae_components.blocks.geometry import require_positive
from flowvae_components.discriminators.judging import judged

SLOPE = 0.1
"""Of the leaky ReLU, as in HiFi-GAN and in the Descript codec."""
WIDTHS = (1, 4, 16, 32, 32)
"""Channels of the hidden layers, in units of `width`."""
STRIDES = (3, 3, 3, 3, 1)
NARROW = 8
"""Up to this width, channels that are last in memory give the same values in four fifths of the time; at 32, the width of the
papers, they take 1.14 times as long (one thread of a processor)."""


class PeriodDiscriminator(nn.Module):
    """Writes the sound in rows of `period` samples and judges the columns, all by the same weights.

    Formula: column j holds x[j], x[j + p], x[j + 2 p], ..., p = period; then five convolutions along the columns
        (5 taps, the first four with a stride of 3), and one of 3 taps to the logits.
        The rows are filled up by reflection where t is no multiple of p, and only there. No filter stands before the
        decimation: what a generator hides above rate / (2 p) folds down into sight.
    Shapes: (b, c, t) -> logits (b, 1, p, n), features (b, width * k, p, n_i). Time is the last axis: with p last, the
        same bits take a step 1.2 to 1.3 times as long at widths of 4 and 8, and no less at 16 and 32.
    Units: audio is amplitude; logits have no unit. A logit sees 647 rows, 647 * p samples.
    Source: Kong, Kim and Bae 2020 (HiFi-GAN), arxiv.org/abs/2010.05646, section 2.3.

    >>> import torch
    >>> logits, features = PeriodDiscriminator(1, 3, 4, lambda layer: layer)(torch.zeros(2, 1, 400))
    >>> logits.shape, features[0].shape
    (torch.Size([2, 1, 3, 2]), torch.Size([2, 4, 3, 45]))
    """

    def __init__(self, channels: int, period: int, width: int, normalization: Normalization) -> None:
        super().__init__()
        self.period = period
        self.memory_format = torch.channels_last if width <= NARROW else torch.contiguous_format
        sizes = pairwise((channels, *(k * width for k in WIDTHS)))
        self.convs = nn.ModuleList(
            normalization(nn.Conv2d(i, o, (1, 5), (1, stride), padding=(0, 2)))
            for (i, o), stride in zip(sizes, STRIDES, strict=True)
        )
        self.conv_post = normalization(nn.Conv2d(WIDTHS[-1] * width, 1, (1, 3), padding=(0, 1)))

    def forward(self, audio: Float[Tensor, "b c t"]) -> Judgement:
        missing = -audio.shape[-1] % self.period
        if missing:
            audio = functional.pad(audio, (0, missing), mode="reflect")
        columns = audio.reshape(*audio.shape[:2], -1, self.period).transpose(2, 3)
        return judged(self.convs, self.conv_post, columns, SLOPE, self.memory_format)


class MultiPeriod(nn.Module):
    """Judges the beat between samples: each of its parts hears every p-th one, for a p of its own.

    Formula: one PeriodDiscriminator for each period: the sound in rows of p samples, six convolutions along the columns,
        leaky ReLU of 0.1 between them; channels width * (1, 4, 16, 32, 32).
    Shapes: (b, channels, t) -> for each period logits (b, 1, p, n) and five features (b, width * k, p, n_i). All
        channels of the sound enter the first convolution together.
    Units: audio is amplitude in [-1, 1]; logits have no unit; periods are in samples.
    Parameters:
        periods: the lengths of a row in samples, each from 1 to that of the clip; primes overlap least
        width: channels of the first layer; the last has 32 times as many
        normalization: how the weights of the convolutions are held
    Source: Kong, Kim and Bae 2020 (HiFi-GAN), arxiv.org/abs/2010.05646, section 2.3, where the published code pads only
        when needed too; the sizes are those of Kumar et al. 2023 (Descript audio codec), arxiv.org/abs/2306.06546.

    >>> import torch
    >>> from flowvae.testing.streams import SeededStream
    >>> judge = MultiPeriod(2, 400, width=4, normalization=lambda layer: layer)
    >>> [tuple(logits.shape) for logits, features in judge(torch.zeros(1, 2, 400), SeededStream(0))]
    [(1, 1, 2, 3), (1, 1, 3, 2), (1, 1, 5, 1), (1, 1, 7, 1), (1, 1, 11, 1)]
    """

    within_clip = ("periods",)

    def __init__(
        self,
        channels: int,
        n_samples: int,
        *,
        periods: tuple[int, ...] = (2, 3, 5, 7, 11),
        width: int = 32,
        normalization: Normalization,
    ) -> None:
        super().__init__()
        require_positive("width", width)
        if not periods:
            raise Refused("periods", "periods must name at least one period, got none")
        for period in periods:
            if not 1 <= period <= n_samples:
                raise Refused(
                    "periods",
                    f"periods must be from 1 to the {n_samples} samples of the clip each, got {period}",
                )
        self.discriminators = nn.ModuleList(
            PeriodDiscriminator(channels, period, width, normalization) for period in periods
        )

    def forward(self, audio: Float[Tensor, "b c t"], stream: Stream) -> list[Judgement]:
        return [discriminator(audio) for discriminator in self.discriminators]
