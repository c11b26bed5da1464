"""The tones of drums: sines that fall in pitch, and clusters of square waves."""

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]


def seconds(duration_s: float, rate: int) -> Signal:
    """The times of the samples of a sound.

    Formula: t = i / rate, i = 0 ... round(duration_s * rate) - 1, at least one.
    Shapes: -> (t,).
    Units: s; rate in Hz.
    Source: own.

    >>> seconds(0.5, 4).tolist()
    [0.0, 0.25]
    """
    return np.arange(max(1, round(duration_s * rate))) / rate


def decaying(t: Signal, fall_s: float, attack_s: float = 0.0005) -> Signal:
    """An envelope that rises at once and falls evenly in decibels.

    Formula: (1 - exp(-t / attack_s)) * 10^(-2 t / fall_s): -40 dB after fall_s.
    Shapes: (t,) -> (t,).
    Units: s.
    Source: the free decay of a damped mode.

    >>> round(float(decaying(np.array([0.25]), 0.5)[0]), 6)
    0.1
    """
    return np.asarray(-np.expm1(-t / attack_s) * 10 ** (-2 * t / fall_s))


def falling_sine(t: Signal, end_hz: float, sweep: float, sweep_s: float) -> Signal:
    """A sine that starts high and settles: a membrane is stretched while it swings widely.

    Formula: f(t) = end_hz * (1 + sweep * exp(-t / sweep_s)); y = sin(2 pi times the integral of f).
    Shapes: (t,) -> (t,).
    Units: Hz, s; sweep is a ratio.
    Source: Werner, Abel and Smith 2014, on the bass drum of the TR-808, DAFx-14.

    >>> float(falling_sine(np.array([0.25]), 1.0, 0.0, 1.0)[0])
    1.0
    """
    turns = end_hz * (t + sweep * sweep_s * -np.expm1(-t / sweep_s))
    return np.asarray(np.sin(2 * np.pi * turns))


def square_cluster(n: int, rate: int, pitches_hz: Signal, gain: Signal) -> Signal:
    """Square waves that share no fundamental, heard through a filter: the metal of cymbals.

    Formula: the sum over pitches p and odd k of gain(k p) / k at k p, each line on its nearest bin, as one inverse
        Fourier transform of n points: nothing is above the Nyquist frequency, so nothing folds back.
    Shapes: gain (n / 2 + 1,) over the bins -> (n,).
    Units: Hz; the result has root mean square 1.
    Source: Werner, Abel and Smith 2014, on the cymbal of the TR-808, ICMC 2014.

    >>> square_cluster(64, 64, np.array([2.0]), np.ones(33)).shape
    (64,)
    """
    spectrum = np.zeros(n // 2 + 1, np.complex128)
    for number, pitch in enumerate(pitches_hz):
        k = np.arange(1, max(2, int(rate / 2 / pitch)), 2)
        bins = np.rint(k * pitch * n / rate).astype(np.int64)
        phases = np.exp(2j * np.pi * k * number * 0.618)  # the golden ratio spreads the starting points
        inside = bins <= n // 2
        np.add.at(spectrum, bins[inside], (phases / k)[inside])
    wave = np.fft.irfft(spectrum * gain, n)
    return np.asarray(wave / np.sqrt(np.mean(wave**2) + 1e-20))
