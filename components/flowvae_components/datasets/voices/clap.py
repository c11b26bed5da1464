"""The hand clap."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flowvae_components.datasets.voices.character import Character, log_between
from flowvae_components.datasets.voices.noises import above, around, below, bins_hz, fast_length, shaped_noise
from flowvae_components.datasets.voices.tones import decaying, seconds


def clap(values: Generator, noise: Generator, character: Character, rate: int) -> NDArray[np.float64]:
    """A few hands that do not meet at the same moment.

    Formula: noise around 0.74 to 2.1 kHz, times the sum of 3 to 5 bursts, 7 to 14 ms apart, each gone after 8 to 20 ms, the
        last one after 0.06 to 0.27 s.
    Shapes: -> (t,).
    Units: Hz, s.
    Source: own; after the TR-808's clap. 10 claps of Debian's hydrogen-drumkits have their spectral centroid (weighted
        with power) at 1.5 to 3.0 kHz and fall by 40 dB in 0.06 to 0.25 s (5th and 95th percentile, measured).

    >>> from flowvae_components.datasets.voices.character import draw_character
    >>> a, b, c = np.random.default_rng(0).spawn(3)
    >>> bool(np.isfinite(clap(a, b, draw_character(c), 44100)).all())
    True
    """
    n_hands = int(values.integers(3, 6))
    steps_s = values.uniform(0.007, 0.014) * values.uniform(0.75, 1.25, 5)
    levels = values.uniform(0.5, 1.0, 5)
    burst_s = log_between(values, 0.01, 0.022)
    tail_s = log_between(values, 0.1, 0.17) * character.decay
    centre_hz, quality = log_between(values, 900, 1700) * character.tuning, log_between(values, 1.5, 4)
    breath = values.uniform(0.03, 0.15)
    t = seconds(steps_s.sum() + 1.7 * tail_s, rate)
    n = fast_length(len(t))
    f = bins_hz(n, rate)
    hands = (around(f, centre_hz, quality) + breath) * above(f, 500) * below(f, 9000)
    starts = np.concatenate([[0.0], np.cumsum(steps_s[: n_hands - 1])])
    envelope = np.zeros_like(t)
    for number, start in enumerate(starts):
        last = number == n_hands - 1
        since = np.maximum(t - start, 0)
        envelope += (
            (1.0 if last else levels[number]) * decaying(since, tail_s if last else burst_s) * (t >= start)
        )
    return shaped_noise(noise, n, hands)[: len(t)] * envelope
