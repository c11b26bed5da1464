"""The bass drum."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flowvae_components.datasets.voices.character import Character, log_between
from flowvae_components.datasets.voices.finishing import driven
from flowvae_components.datasets.voices.noises import noise_between
from flowvae_components.datasets.voices.tones import decaying, falling_sine, seconds


def kick(values: Generator, noise: Generator, character: Character, rate: int) -> NDArray[np.float64]:
    """A deep sine that falls into its pitch, and the click of the beater.

    Formula: tanh(drive * (falling_sine * decaying + click)); end at 33 to 80 Hz, sweep ratio 0.5 to 5 over 6 to 45 ms,
        -40 dB after 0.10 to 0.58 s; click = noise between 1 and 6 kHz that is gone after 4 to 20 ms.
    Shapes: -> (t,).
    Units: Hz, s.
    Source: own; 46 recorded and synthetic kicks of Debian's hydrogen-drumkits have their spectral centroid (weighted
        with power) at 55 to 146 Hz and fall by 40 dB in 0.10 to 0.58 s (5th and 95th percentile, measured).

    >>> from flowvae_components.datasets.voices.character import draw_character
    >>> a, b, c = np.random.default_rng(0).spawn(3)
    >>> bool(np.isfinite(kick(a, b, draw_character(c), 44100)).all())
    True
    """
    end_hz = log_between(values, 40, 66) * character.tuning
    sweep, sweep_s = log_between(values, 0.5, 5), log_between(values, 0.006, 0.045)
    fall_s = log_between(values, 0.19, 0.36) * character.decay
    click_db = values.uniform(-34, -16) + character.attack_db
    click_s, click_hz = log_between(values, 0.004, 0.02), log_between(values, 1000, 3000)
    drive = character.drive * log_between(values, 0.7, 1.4)
    t = seconds(min(1.0, 1.7 * fall_s), rate)
    body = falling_sine(t, end_hz, sweep, sweep_s) * decaying(t, fall_s, 0.001)
    click = noise_between(noise, t, rate, click_hz, 2.5 * click_hz)
    return driven(body + 10 ** (click_db / 20) * click * decaying(t, click_s, 0.0002), drive)
