"""From samples at the right rate to a sound of a data set: offset, end, onset."""

import numpy as np
from numpy.typing import NDArray

ONSET_DB = -40.0
LEAD_S = 0.002
FADE_S = 0.005
SHORTEST_OFFSET_S = 0.02
SILENCE = 1e-4
"""3 steps of 16 bits."""


def without_offset(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """The sound without the constant that a converter added to each channel.

    Formula: from the first sample above 1e-4 of full scale to the last, less their mean: silence that was added around
        a sound has no part in it and stays silent. Nothing is taken from less than 20 ms, where the mean may be the hit.
    Shapes: (c, t) -> (c, t), a new array.
    Units: full scale is 1.
    Source: own.

    >>> without_offset(np.pad(np.full((1, 4000), 0.25, np.float32), ((0, 0), (0, 4000))), 44100).max()
    np.float32(0.0)
    """
    free = audio.copy()
    loud = np.flatnonzero((np.abs(audio) > SILENCE).any(axis=0))
    if len(loud) and loud[-1] + 1 - loud[0] >= SHORTEST_OFFSET_S * sample_rate:
        heard = slice(loud[0], loud[-1] + 1)
        free[:, heard] -= audio[:, heard].mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    return free


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
