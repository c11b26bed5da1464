"""A lower rate without what would fold down."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

CROSSINGS = 24
"""Zero crossings of the sinc on each side: the filter is flat up to 0.79 of the new Nyquist frequency."""
ATTENUATION_DB = 80.0


class Decimation(nn.Module):
    """Filters out what lies above the new Nyquist frequency, then keeps every factor-th sample.

    Formula: y[m] = sum over n of h[n] * x[m * factor + n], n = -24 * factor .. 24 * factor,
        h[n] ~ sinc(cutoff * n / factor) * kaiser(n), scaled so that the sum of h is 1: a constant stays what it is. The ends of
        the sound are held, so that it stays so there too. The cutoff lies half of the filter's slope below the new Nyquist
        frequency (Kaiser's formula for 80 dB), where the stop band begins.
    Shapes: (b, c, t) -> (b, c, t / factor rounded up). A factor of 1 is the identity.
    Units: amplitude. In fp32 (or fp64) inside autocast too.
    Source: Kaiser 1974, Nonrecursive digital filter design using the I0-sinh window function.

    >>> Decimation(4)(torch.ones(1, 2, 10))
    tensor([[[1.0000, 1.0000, 1.0000],
             [1.0000, 1.0000, 1.0000]]])
    """

    taps: Tensor

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor
        # A constant of the class: it stays out of the weights.
        self.register_buffer("taps", _low_pass(factor)[None, None].float(), persistent=False)

    def forward(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b c n"]:
        if self.factor == 1:
            return audio
        # Autocast would round the taps to half precision, and with them everything 50 dB below the loudest.
        with torch.autocast(audio.device.type, enabled=False):
            flat = audio.to(self.taps.dtype).flatten(0, 1)[:, None]
            reach = CROSSINGS * self.factor
            held = functional.pad(flat, (reach, reach), mode="replicate")
            low = functional.conv1d(held, self.taps, stride=self.factor)
            return low.reshape(*audio.shape[:2], -1)


def _low_pass(factor: int) -> Tensor:
    n = torch.arange(-CROSSINGS * factor, CROSSINGS * factor + 1, dtype=torch.float64)
    # The width of the slope, as a share of the new Nyquist frequency.
    slope = (ATTENUATION_DB - 7.95) / (2.285 * 2 * CROSSINGS * math.pi)
    beta = 0.1102 * (ATTENUATION_DB - 8.7)
    window = torch.kaiser_window(len(n), periodic=False, beta=beta, dtype=torch.float64)
    taps = torch.sinc((1 - slope / 2) * n / factor) * window
    return taps / taps.sum()
