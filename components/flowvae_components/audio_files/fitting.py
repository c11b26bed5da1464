"""From a file's samples to the channels and the rate that are asked for."""

import math

import numpy as np
import soxr
from numpy.typing import NDArray


def to_channels(audio: NDArray[np.float32], channels: int) -> tuple[NDArray[np.float32], str]:
    """As many channels as are asked for, and a note where some were mixed, repeated or left out.

    Formula: to one: the mean of all; from one: repeated; to fewer: the first; to more: from the first again.
    Shapes: (c, t) -> (channels, t).
    Units: full scale is 1.
    Source: own. The mean and not the sum, so that a mono file stored twice keeps its level.

    >>> to_channels(np.float32([[1, 0], [0, 0]]), 1)[0]
    array([[0.5, 0. ]], dtype=float32)
    """
    n_given = len(audio)
    if n_given == channels:
        return audio, ""
    if channels == 1:
        return audio.mean(axis=0, keepdims=True, dtype=np.float64).astype(
            np.float32
        ), f"mean of {n_given} channels"
    order = np.arange(channels) % n_given
    if n_given > channels:
        return audio[order], f"first {channels} of {n_given} channels"
    return audio[order], "mono repeated" if n_given == 1 else f"{n_given} channels repeated"


def to_rate(audio: NDArray[np.float32], rate: int, sample_rate: int) -> NDArray[np.float32]:
    """The same sound at another sample rate, neither moved nor cut short.

    Formula: linear-phase low-pass at 0.91 of the lower Nyquist frequency, 20-bit quality (soxr HQ).
    Shapes: (c, t) -> (c, max(1, round(t * sample_rate / rate))).
    Units: rates in Hz.
    Source: the SoX resampler library, sourceforge.net/projects/soxr.

    >>> to_rate(np.ones((1, 480), np.float32), 48000, 44100).shape
    (1, 441)
    """
    if rate == sample_rate:
        return audio
    n_wanted = max(1, round(audio.shape[1] * sample_rate / rate))
    # The library rounds the length down, to nothing for a single sample: silence behind the end pays for it.
    padding = math.ceil(2 * rate / sample_rate)
    padded = np.pad(audio, ((0, 0), (0, padding)))
    resampled = soxr.resample(padded.T, rate, sample_rate, quality="HQ").T[:, :n_wanted]
    return np.ascontiguousarray(resampled, np.float32)
