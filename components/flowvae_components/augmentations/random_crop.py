"""A small shift in time."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Refused, Stream


class RandomCrop:
    """Cuts the clip out of its slack, each sound a little earlier or later.

    Formula: y[i] = x[slack + shift + i], shift from -jitter to jitter, all equally likely,
        slack = (t - n_samples) / 2.
        A code of one vector a sound has to hold the time of the onset too: a few milliseconds teach the decoder
        to follow it, a free crop would spend the code on it.
    Shapes: (b, c, n_samples + 2 * slack) -> (b, c, n_samples); one shift a sound, the same in all channels.
    Units: shifts are in samples, the parameter is in milliseconds.
    Parameters:
        jitter_ms: the largest shift either way, in milliseconds.
    Source: the crop of RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011, held near the onset.
    A batch with less slack than the jitter raises ValueError.

    >>> from flowvae.testing.streams import SeededStream
    >>> RandomCrop(1000, 8, jitter_ms=2.0)(torch.zeros(5, 1, 12), SeededStream(0)).shape
    torch.Size([5, 1, 8])
    """

    def __init__(self, sample_rate: int, n_samples: int, *, jitter_ms: float = 5.0) -> None:
        if jitter_ms < 0:
            raise Refused("jitter_ms", f"jitter_ms must not be below 0, got {jitter_ms}")
        self.n_samples = n_samples
        self.jitter = round(jitter_ms * sample_rate / 1000)

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c n"]:
        n_items, slack = len(batch), (batch.shape[-1] - self.n_samples) // 2
        if slack < self.jitter:
            raise Refused(
                "jitter_ms", f"jitter_ms must fit the slack of {slack} samples, got {self.jitter} samples"
            )
        shift = stream.integers(-self.jitter, self.jitter, (n_items,), batch.device)
        # One index a sound: with one for each sample it takes four times as long.
        item = torch.arange(n_items, device=batch.device)
        return batch.unfold(-1, self.n_samples, 1)[item, :, slack + shift]
