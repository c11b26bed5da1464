"""The snare drum."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flowvae_components.datasets.voices.character import Character, log_between
from flowvae_components.datasets.voices.finishing import driven
from flowvae_components.datasets.voices.noises import noise_between
from flowvae_components.datasets.voices.tones import decaying, falling_sine, seconds


def snare(values: Generator, noise: Generator, character: Character, rate: int) -> NDArray[np.float64]:
    """Two modes of a head, and wires that rattle under it.

    Formula: sum of two falling sines at f and 1.5 to 1.9 f with f from 123 to 305 Hz, -40 dB after 0.07 to 0.35 s, plus
        noise from 0.4-1.6 kHz up to 4-12 kHz, -40 dB after 0.09 to 0.48 s, that sets in 1 to 3 ms after the stick.
    Shapes: -> (t,).
    Units: Hz, s.
    Source: own; after the two resonators and the noise of the TR-808. 62 snares of Debian's hydrogen-drumkits have
        their spectral centroid (weighted with power) at 200 to 2800 Hz and fall by 40 dB in 0.09 to 0.63 s (5th and
        95th percentile, measured).

    >>> from flowvae_components.datasets.voices.character import draw_character
    >>> a, b, c = np.random.default_rng(0).spawn(3)
    >>> bool(np.isfinite(snare(a, b, draw_character(c), 44100)).all())
    True
    """
    head_hz = log_between(values, 150, 250) * character.tuning
    ratio, second_db = values.uniform(1.5, 1.9), values.uniform(-10, 0)
    head_s = log_between(values, 0.12, 0.22) * character.decay
    wires_s = log_between(values, 0.16, 0.3) * character.decay
    wires_db = values.uniform(-24, -8) + character.noisiness_db
    low_hz, high_hz = log_between(values, 400, 1600), log_between(values, 4000, 12000)
    late_s, stick_db = values.uniform(0.001, 0.003), values.uniform(-26, -14) + character.attack_db
    t = seconds(min(1.0, 1.7 * max(head_s, wires_s)), rate)
    head = falling_sine(t, head_hz, 0.25, 0.015) * decaying(t, head_s)
    head += 10 ** (second_db / 20) * falling_sine(t, ratio * head_hz, 0.12, 0.012) * decaying(t, 0.7 * head_s)
    hiss = noise_between(noise, t, rate, low_hz, high_hz)
    # Wires fall in two steps: slapped against the head first, then ringing on.
    rattle = 0.6 * decaying(t, 0.3 * wires_s, late_s) + 0.4 * decaying(t, wires_s, late_s)
    stick = hiss * decaying(t, 0.006, 0.0002)
    return driven(
        head + 10 ** (wires_db / 20) * hiss * rattle * 2 + 10 ** (stick_db / 20) * stick, character.drive
    )
