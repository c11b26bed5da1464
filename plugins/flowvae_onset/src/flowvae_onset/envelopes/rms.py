"""The effective level over time."""

import math

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae_onset.frames import samples_of

FLOOR = 1e-10
"""-100 dB of full scale, as a power: below the noise of a 16-bit file."""


class RMS(nn.Module):
    """The root of the mean power of each window, over all channels.

    Formula: e[n] = sqrt(p[n] + FLOOR) - sqrt(FLOOR), p[n] = mean of x^2 over window n and all channels.
        The last window holds what is left and is divided by what it holds.
    Shapes: (b, c, t) -> (b, n), n = ceil((t - window) / hop) + 1.
    Units: amplitude; a sine of amplitude 1 has 0.707.
    Parameters:
        window_ms: length of a window in ms, above 0
        hop_ms: from one window to the next in ms, above 0
    Source: the definition.
    Errors: ValueError for a duration that is not above 0.

    >>> import torch
    >>> RMS(1000, window_ms=4.0, hop_ms=4.0)(torch.ones(1, 2, 8))
    tensor([[1.0000, 1.0000]])
    """

    def __init__(self, sample_rate: int, *, window_ms: float = 5.0, hop_ms: float = 2.5) -> None:
        super().__init__()
        self.window = samples_of("window_ms", window_ms, sample_rate)
        self.hop = samples_of("hop_ms", hop_ms, sample_rate)

    def forward(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b n"]:
        power = audio.square().mean(1)
        window = min(self.window, audio.shape[-1])
        mean = functional.avg_pool1d(power[:, None], window, self.hop, ceil_mode=True)[:, 0]
        return (mean + FLOOR).sqrt() - math.sqrt(FLOOR)
