"""From a file's samples to a sound of a data set: channels, rate, offset, level, end, onset."""

import math

import numpy as np
import soxr
from numpy.typing import NDArray

ONSET_DB = -40.0
LEAD_S = 0.002
FADE_S = 0.005
SHORTEST_OFFSET_S = 0.02


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


def offset_of(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """The constant that a converter added to each channel.

    Formula: the mean over time; 0 for a sound shorter than 20 ms, where the mean may be the hit itself.
    Shapes: (c, t) -> (c, 1).
    Units: full scale is 1.
    Source: own.

    >>> offset_of(np.full((1, 4000), 0.25, np.float32), 44100)
    array([[0.25]], dtype=float32)
    """
    if audio.shape[1] < SHORTEST_OFFSET_S * sample_rate:
        return np.zeros((len(audio), 1), np.float32)
    return np.asarray(audio.mean(axis=1, keepdims=True, dtype=np.float64), np.float32)


def faded(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """The sound with an end that silence can follow without a click.

    Formula: the last 5 ms, at most a quarter of the sound, times a half cosine from 1 to 0.
    Shapes: (c, t) -> (c, t), a new array.
    Units: full scale is 1.
    Source: own.

    >>> faded(np.ones((1, 8), np.float32), 44100)[0, -2:].round(2).tolist()
    [0.8500000238418579, 0.15000000596046448]
    """
    n_fade = min(round(FADE_S * sample_rate), audio.shape[1] // 4)
    phase = (np.arange(n_fade) + 0.5) / max(1, n_fade)
    gain = np.ones(audio.shape[1], np.float32)
    gain[audio.shape[1] - n_fade :] = 0.5 + 0.5 * np.cos(np.pi * phase)
    return np.asarray(audio * gain, np.float32)


def onset(audio: NDArray[np.float32], sample_rate: int) -> int:
    """Where the clip begins: shortly before the first sound, so that the attack is in it.

    Formula: first sample above -40 dB of the peak, in any channel, less 2 ms, not below 0.
    Shapes: (c, t) -> a sample index below t.
    Units: samples.
    Source: own.

    >>> onset(np.eye(1, 1000, 500, np.float32), 44100)
    412
    """
    level = np.abs(audio).max(axis=0)
    first = int(np.argmax(level > level.max() * 10 ** (ONSET_DB / 20)))
    return max(0, first - round(LEAD_S * sample_rate))
