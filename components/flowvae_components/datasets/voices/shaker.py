"""The shaker."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flowvae_components.datasets.voices.character import Character, log_between
from flowvae_components.datasets.voices.noises import around, bins_hz, fast_length, shaped_noise
from flowvae_components.datasets.voices.tones import seconds


def shaker(values: Generator, noise: Generator, character: Character, rate: int) -> NDArray[np.float64]:
    """Grains that slide along a shell and hit its end: the one drum here with a slow attack.

    Formula: noise around 3.3 to 11 kHz, times swell (t / rise)^2 up to the hit after 15 to 50 ms, then -40 dB after 0.04 to
        0.21 s; every grain on its own, 600 to 3000 a second.
    Shapes: -> (t,).
    Units: Hz, s.
    Source: own; after Cook 1997, Physically informed sonic modeling of percussive sounds.

    >>> from flowvae_components.datasets.voices.character import draw_character
    >>> a, b, c = np.random.default_rng(0).spawn(3)
    >>> bool(np.isfinite(shaker(a, b, draw_character(c), 44100)).all())
    True
    """
    rise_s = log_between(values, 0.015, 0.05)
    fall_s = log_between(values, 0.07, 0.13) * character.decay
    centre_hz, quality = log_between(values, 4000, 9000) * character.tuning, log_between(values, 1, 4)
    grains_hz, smooth = log_between(values, 600, 3000), values.uniform(0.1, 0.5)
    t = seconds(rise_s + 1.7 * fall_s, rate)
    n = fast_length(len(t))
    shell = around(bins_hz(n, rate), centre_hz, quality)
    grains = noise.standard_normal(n) * (noise.random(n) < grains_hz / rate)
    rattle = np.fft.irfft(np.fft.rfft(grains) * shell, n)[: len(t)]
    rattle = (1 - smooth) * rattle / (rattle.std() + 1e-20) + smooth * shaped_noise(noise, n, shell)[: len(t)]
    swell = np.minimum(t / rise_s, 1) ** 2 * 10 ** (-2 * np.maximum(t - rise_s, 0) / fall_s)
    return np.asarray(rattle * swell)
