"""Whether the clip that will be heard is the sound that the file holds."""

import numpy as np
from numpy.typing import NDArray

CANCELLED = 0.01
"""-20 dB: what is left of a drum then is the difference between its channels, mostly their noise."""
WEAKENED = 0.25
"""-6 dB: channels that have nothing to do with each other lose 3 dB, one silent channel of two as much."""
LEFT_OUT = 0.25
WITHOUT_HIT = 0.1
NARROW = 0.8
"""A file at 44.1 kHz lacks next to nothing of one at 48 kHz."""


def mixing_loss(given: NDArray[np.float32], mixed: NDArray[np.float32]) -> float:
    """What a mix to fewer channels has left of the power.

    Formula: mean of mixed^2 / mean of given^2; offsets, which are subtracted later, do not count.
    Shapes: (c, t) and (channels, t) -> a number; 1 where nothing was given.
    Units: none.
    Source: own.

    >>> mixing_loss(np.float32([[1, 0], [-1, 0]]), np.float32([[0, 0]]))
    0.0
    """
    before = float(given.var(axis=1, dtype=np.float64).mean())
    return float(mixed.var(axis=1, dtype=np.float64).mean()) / before if before else 1.0


def clip_notes(audio: NDArray[np.float32], start: int, n_samples: int, sample_rate: int) -> list[str]:
    """What of a finished sound is not in its clip.

    Formula: power of audio[start:start + n_samples] over that of audio below 1/4: most of the file is left out; peak of
        it over that of audio below 1/10: the hit is not in it.
    Shapes: (c, t) -> texts.
    Units: n_samples and start in samples; sample_rate in Hz.
    Source: own.

    >>> clip_notes(np.eye(1, 1000, 900, np.float32), 0, 100, 1000)
    ['the hit is not in the clip: it comes 0.90 s after its beginning']
    """
    level = np.abs(audio).max(axis=0)
    clip = slice(start, start + n_samples)
    loudest = int(level.argmax())
    if float(level[clip].max()) < WITHOUT_HIT * float(level[loudest]):
        after = (loudest - start) / sample_rate
        return [f"the hit is not in the clip: it comes {after:.2f} s after its beginning"]
    energy = np.square(audio, dtype=np.float64).sum(axis=0)
    share = float(energy[clip].sum() / energy.sum())
    if share < LEFT_OUT:
        seconds = audio.shape[1] / sample_rate
        return [f"{share:.0%} of the sound is in its clip, of {seconds:.1f} s: a long sound, or several"]
    return []


def rate_notes(rate: int, sample_rate: int) -> list[str]:
    """A file that has nothing in the upper part of the spectrum.

    Formula: rate < 0.8 * sample_rate.
    Shapes: none.
    Units: Hz.
    Source: own.

    >>> rate_notes(8000, 44100), rate_notes(44100, 48000)
    (['nothing above 4000 Hz'], [])
    """
    return [f"nothing above {rate // 2} Hz"] if rate < NARROW * sample_rate else []
