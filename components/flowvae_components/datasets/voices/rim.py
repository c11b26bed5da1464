"""Wood on wood: the rim of a drum, or a block."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flowvae_components.datasets.voices.character import Character, log_between
from flowvae_components.datasets.voices.noises import noise_between
from flowvae_components.datasets.voices.tones import decaying, falling_sine, seconds


def rim(values: Generator, noise: Generator, character: Character, rate: int) -> NDArray[np.float64]:
    """A stick against the hoop: three hard modes and a snap, over at once.

    Formula: sines at f, 1.4 to 2.2 f and 2.6 to 4.3 f, f from 310 to 1100 Hz, -40 dB after 0.03 to 0.26 s; snap = noise
        from 1.5 to 10 kHz, gone after 5 to 15 ms.
    Shapes: -> (t,).
    Units: Hz, s.
    Source: own; 49 rim shots and side sticks of Debian's hydrogen-drumkits have their spectral centroid (weighted with
        power) at 0.36 to 4.9 kHz and fall by 40 dB in 0.15 to 0.64 s, most of it room (5th and 95th percentile,
        measured).

    >>> from flowvae_components.datasets.voices.character import draw_character
    >>> a, b, c = np.random.default_rng(0).spawn(3)
    >>> bool(np.isfinite(rim(a, b, draw_character(c), 44100)).all())
    True
    """
    low_hz = log_between(values, 380, 900) * character.tuning
    ratios = (1.0, values.uniform(1.4, 2.2), values.uniform(2.6, 4.3))
    levels_db = (0.0, *values.uniform(-9, 3, 2))
    fall_s = log_between(values, 0.06, 0.16) * character.decay
    snap_s, snap_db = log_between(values, 0.005, 0.015), values.uniform(-16, -4) + character.attack_db
    t = seconds(1.7 * fall_s, rate)
    wood = np.zeros_like(t)
    for number, (ratio, level) in enumerate(zip(ratios, levels_db, strict=True)):
        wood += (
            10 ** (level / 20)
            * falling_sine(t, ratio * low_hz, 0.0, 1.0)
            * decaying(t, fall_s / (1 + number))
        )
    snap = noise_between(noise, t, rate, 1500, 10000) * decaying(t, snap_s, 0.0002)
    return wood + 10 ** (snap_db / 20) * snap
