"""The tom-tom."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flowvae_components.datasets.voices.character import Character, log_between
from flowvae_components.datasets.voices.finishing import driven
from flowvae_components.datasets.voices.noises import noise_between
from flowvae_components.datasets.voices.tones import decaying, falling_sine, seconds

# The modes of an ideal circular membrane over its lowest: zeros of the Bessel functions J1, J2, J0 over 2.405.
_MEMBRANE = (1.593, 2.136, 2.295)


def tom(values: Generator, noise: Generator, character: Character, rate: int) -> NDArray[np.float64]:
    """A head without wires: its lowest mode, three more that die sooner, and a stick.

    Formula: falling sines at f and at 1.59, 2.14, 2.30 f, f from 70 to 256 Hz, sweep ratio 0.05 to 0.6; -40 dB after 0.19
        to 1.0 s, overtones in 0.2 to 0.5 of that; stick = noise between 0.8 and 6 kHz.
    Shapes: -> (t,).
    Units: Hz, s.
    Source: own; modes after Rayleigh 1877, The Theory of Sound. 77 toms of Debian's hydrogen-drumkits have their
        spectral centroid (weighted with power) at 89 to 476 Hz and fall by 40 dB in 0.19 to 2.0 s (5th and 95th
        percentile, measured).

    >>> from flowvae_components.datasets.voices.character import draw_character
    >>> a, b, c = np.random.default_rng(0).spawn(3)
    >>> bool(np.isfinite(tom(a, b, draw_character(c), 44100)).all())
    True
    """
    low_hz = log_between(values, 85, 210) * character.tuning
    sweep, sweep_s = log_between(values, 0.05, 0.6), log_between(values, 0.03, 0.12)
    fall_s = log_between(values, 0.35, 0.62) * character.decay
    overtone_db, overtone_share = values.uniform(-24, -8, 3), values.uniform(0.2, 0.5, 3)
    stick_db = values.uniform(-32, -18) + character.attack_db
    t = seconds(min(1.0, 1.7 * fall_s), rate)
    head = falling_sine(t, low_hz, sweep, sweep_s) * decaying(t, fall_s, 0.0015)
    for ratio, level, share in zip(_MEMBRANE, overtone_db, overtone_share, strict=True):
        overtone = falling_sine(t, ratio * low_hz, sweep, sweep_s) * decaying(t, share * fall_s)
        head += 10 ** ((level + character.noisiness_db / 2) / 20) * overtone
    stick = noise_between(noise, t, rate, 800, 6000) * decaying(t, 0.015, 0.0002)
    return driven(head + 10 ** (stick_db / 20) * stick, max(1.0, 0.6 * character.drive))
