"""The noises of drums: white noise with the spectrum that a part of the drum gives it."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Signal = NDArray[np.float64]


def bins_hz(n: int, rate: int) -> Signal:
    """The frequencies of a Fourier transform of n points, the lowest lifted off zero.

    Formula: i * rate / n; half a bin for i = 0.
    Shapes: -> (n / 2 + 1,).
    Units: Hz.
    Source: own.

    >>> bins_hz(4, 8).tolist()
    [1.0, 2.0, 4.0]
    """
    frequencies = np.arange(n // 2 + 1, dtype=np.float64) * (rate / n)
    frequencies[0] = rate / n / 2
    return frequencies


def above(frequencies: Signal, cutoff_hz: float, order: int = 2) -> Signal:
    """The gain of a high-pass filter.

    Formula: Butterworth, 1 / sqrt(1 + (cutoff_hz / f)^(2 order)).
    Shapes: (f,) -> (f,).
    Units: Hz.
    Source: Butterworth 1930.

    >>> round(float(above(np.array([100.0]), 100.0)[0] ** 2), 6)
    0.5
    """
    return np.asarray(1 / np.sqrt(1 + (cutoff_hz / frequencies) ** (2 * order)))


def below(frequencies: Signal, cutoff_hz: float, order: int = 2) -> Signal:
    """The gain of a low-pass filter.

    Formula: Butterworth, 1 / sqrt(1 + (f / cutoff_hz)^(2 order)).
    Shapes: (f,) -> (f,).
    Units: Hz.
    Source: Butterworth 1930.

    >>> float(below(np.array([1e-9]), 100.0)[0])
    1.0
    """
    return np.asarray(1 / np.sqrt(1 + (frequencies / cutoff_hz) ** (2 * order)))


def around(frequencies: Signal, centre_hz: float, quality: float) -> Signal:
    """The gain of a resonance.

    Formula: 1 / sqrt(1 + quality^2 (f / centre_hz - centre_hz / f)^2).
    Shapes: (f,) -> (f,).
    Units: Hz; quality = centre over bandwidth.
    Source: the resonance of an oscillating circuit.

    >>> float(around(np.array([100.0]), 100.0, 5.0)[0])
    1.0
    """
    return np.asarray(1 / np.sqrt(1 + (quality * (frequencies / centre_hz - centre_hz / frequencies)) ** 2))


def fast_length(n_samples: int) -> int:
    """A length that Fourier transforms like, little above the one that is needed.

    Formula: the next of 8, 9, ... 16 times a power of two.
    Shapes: none.
    Units: samples.
    Source: own.

    >>> fast_length(1000), fast_length(66000)
    (1024, 73728)
    """
    unit = max(2, 1 << max(0, (n_samples - 1).bit_length() - 4))
    return -(-n_samples // unit) * unit


def shaped_noise(generator: Generator, n: int, gain: Signal) -> Signal:
    """Gaussian noise with a given spectrum.

    Formula: white noise, Fourier transform of n points, times gain, and back.
    Shapes: gain (n / 2 + 1,) -> (n,).
    Units: the result has root mean square 1.
    Source: own.

    >>> round(float(np.std(shaped_noise(np.random.default_rng(0), 512, np.ones(257)))), 6)
    1.0
    """
    noise = np.fft.irfft(np.fft.rfft(generator.standard_normal(n)) * gain, n)
    return np.asarray((noise - noise.mean()) / (noise.std() + 1e-20))


def noise_between(generator: Generator, t: Signal, rate: int, low_hz: float, high_hz: float) -> Signal:
    """Noise of one band, a number for each moment of t.

    Formula: shaped_noise with the gain above(low_hz) * below(high_hz).
    Shapes: (t,) -> (t,).
    Units: Hz; the result has root mean square 1, about.
    Source: own.

    >>> len(noise_between(np.random.default_rng(0), np.zeros(1000), 44100, 500.0, 2000.0))
    1000
    """
    n = fast_length(len(t))
    f = bins_hz(n, rate)
    return shaped_noise(generator, n, above(f, low_hz) * below(f, high_hz))[: len(t)]
