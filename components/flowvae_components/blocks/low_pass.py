"""The low-pass filters that stand around a change of rate."""

import torch
from jaxtyping import Float
from torch import Tensor


def low_pass_taps(n_taps: int, cutoff: float, attenuation_db: float) -> Float[Tensor, " k"]:
    """A sinc under a Kaiser window: it lets through what lies below a frequency, and delays all by the same time.

    Formula: h[n] = sinc(2 * cutoff * n) * kaiser[n], n = -(n_taps - 1) / 2 ... (n_taps - 1) / 2, scaled to a sum of 1;
        with A the attenuation, beta = 0.1102 * (A - 8.7) above 50 dB, else 0.5842 * (A - 21)^0.4 + 0.07886 * (A - 21).
    Shapes: (n_taps,), symmetric, in float64.
    Units: cutoff, where half of the amplitude is left, is a share of the sample rate; attenuation is in dB, 21 or more.
    Source: Kaiser 1974, Nonrecursive digital filter design using the I0-sinh window function.

    >>> round(float(low_pass_taps(12, 0.25, 51.0).sum()), 9)
    1.0
    """
    over = attenuation_db - 21
    beta = 0.1102 * (attenuation_db - 8.7) if attenuation_db > 50 else 0.5842 * over**0.4 + 0.07886 * over
    window = torch.kaiser_window(n_taps, periodic=False, beta=beta, dtype=torch.float64)
    time = torch.arange(n_taps, dtype=torch.float64) - (n_taps - 1) / 2
    taps = torch.sinc(2 * cutoff * time) * window
    # A sum of exactly 1: a constant passes unchanged.
    return taps / taps.sum()
