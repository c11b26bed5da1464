"""The hi-hat, closed and open."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flowvae_components.datasets.voices.character import Character, log_between
from flowvae_components.datasets.voices.noises import above, around, below, bins_hz, fast_length, shaped_noise
from flowvae_components.datasets.voices.tones import decaying, seconds, square_cluster

# The six oscillators of the TR-808, in Hz: no two of them make an interval.
_OSCILLATORS = np.array([205.3, 304.4, 369.6, 522.7, 540.0, 800.0])


def closed_hat(values: Generator, noise: Generator, character: Character, rate: int) -> NDArray[np.float64]:
    """Two cymbals that touch: a short hiss of metal.

    Formula: (square_cluster + noise) above 2.5 to 7.5 kHz, -40 dB after 0.05 to 0.32 s.
    Shapes: -> (t,).
    Units: Hz, s.
    Source: own; after the TR-808's cymbal. 76 closed hats of Debian's hydrogen-drumkits have their spectral centroid
        (weighted with power) at 3.1 to 14.6 kHz (5th and 95th percentile) and fall by 40 dB in 0.09 to 0.47 s (5th and
        75th; the longer ones have open ones among them), measured.

    >>> from flowvae_components.datasets.voices.character import draw_character
    >>> a, b, c = np.random.default_rng(0).spawn(3)
    >>> len(closed_hat(a, b, draw_character(c), 44100)) < 44100
    True
    """
    return _hat(values, noise, character, rate, log_between(values, 0.09, 0.2) * character.decay)


def open_hat(values: Generator, noise: Generator, character: Character, rate: int) -> NDArray[np.float64]:
    """Two cymbals that ring against each other.

    Formula: as closed_hat, -40 dB after 0.23 to 1.0 s.
    Shapes: -> (t,).
    Units: Hz, s.
    Source: own; 43 open and half-open hats of Debian's hydrogen-drumkits have their spectral centroid (weighted with
        power) at 1.4 to 10.3 kHz and fall by 40 dB in 0.16 to 5.1 s (5th and 95th percentile, measured).

    >>> from flowvae_components.datasets.voices.character import draw_character
    >>> a, b, c = np.random.default_rng(0).spawn(3)
    >>> len(open_hat(a, b, draw_character(c), 44100)) > 8000
    True
    """
    return _hat(values, noise, character, rate, log_between(values, 0.42, 0.65) * character.decay)


def _hat(
    values: Generator, noise: Generator, character: Character, rate: int, fall_s: float
) -> NDArray[np.float64]:
    pitches = _OSCILLATORS * log_between(values, 0.9, 2.2) * character.tuning * values.uniform(0.96, 1.04, 6)
    cutoff_hz, resonance_hz = log_between(values, 2500, 7500), log_between(values, 3500, 9500)
    metal = values.uniform(0.25, 0.9)
    stick_db = values.uniform(-12, 0) + character.attack_db
    t = seconds(min(1.0, 1.7 * fall_s), rate)
    n = fast_length(len(t))
    f = bins_hz(n, rate)
    plates = (
        above(f, cutoff_hz, 3) * (0.35 + around(f, resonance_hz, values.uniform(1.5, 4))) * below(f, 16000, 3)
    )
    # A cluster's lines fall with 1 / k, noise does not: the slope is given back above the cutoff.
    cluster = square_cluster(n, rate, pitches, plates * np.sqrt(f))[: len(t)]
    hiss = shaped_noise(noise, n, plates)[: len(t)]
    ringing = metal * cluster + (1 - metal) * 10 ** (character.noisiness_db / 40) * hiss
    tip = hiss * decaying(t, 0.012, 0.0002) * 10 ** (stick_db / 20)
    return ringing * (0.45 * decaying(t, 0.35 * fall_s) + 0.55 * decaying(t, fall_s)) + tip
