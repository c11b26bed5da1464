"""The filter between a signal and the same signal at twice the rate."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

N_TAPS = 12
CUTOFF, HALF_WIDTH = 0.25, 0.3
"""In units of the higher rate: half of its Nyquist frequency, and the transition as BigVGAN has it."""


def half_band_taps() -> Float[Tensor, " k"]:
    """A windowed sinc that lets through what lies below a quarter of the rate.

    Formula: h[n] = sinc(2 * CUTOFF * n) * kaiser[n], n = -5.5 ... 5.5, scaled to a sum of 1. Kaiser's rule gives
        A = 2.285 * (N_TAPS / 2 - 1) * pi * 4 * HALF_WIDTH + 7.95 = 51 dB, beta = 0.1102 * (A - 8.7) = 4.66.
    Shapes: (12,), symmetric.
    Units: none.
    Source: Kaiser 1974; the sizes are those of BigVGAN, arxiv.org/abs/2206.04658.

    >>> round(float(half_band_taps().sum()), 9)
    1.0
    """
    attenuation_db = 2.285 * (N_TAPS / 2 - 1) * math.pi * 4 * HALF_WIDTH + 7.95
    beta = 0.1102 * (attenuation_db - 8.7)
    window = torch.kaiser_window(N_TAPS, periodic=False, beta=beta, dtype=torch.float64)
    time = torch.arange(N_TAPS, dtype=torch.float64) - (N_TAPS - 1) / 2
    taps = torch.sinc(2 * CUTOFF * time) * window
    # A sum of exactly 1: a constant passes unchanged, both ways.
    return taps / taps.sum()
