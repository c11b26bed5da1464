"""Whether the clip that will be heard is the sound that the file holds."""

import numpy as np
from numpy.typing import NDArray

CANCELLED = 0.01
"""-20 dB: what is left of a drum then is the difference between its channels, mostly their noise."""
WEAKENED = 0.25
"""-6 dB: channels that have nothing to do with each other lose 3 dB, one silent channel of two as much."""
LEFT_OUT = 0.25
MOST = 0.6
"""Two hits of one level have half of the power each."""
WITHOUT_HIT = 0.1
BETTER = 0.1
"""By how much more of the power a clip from the hit on must hold, to begin there and not where the sound does."""
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


def is_most(audio: NDArray[np.float32], start: int, n_samples: int) -> bool:
    """Whether a clip holds the hit of a sound, and most of the rest.

    Formula: power of audio[start:start + n_samples] over that of audio at least 0.6, and the hit in it.
    Shapes: (c, t) -> truth.
    Units: start and n_samples in samples.
    Source: own.

    >>> is_most(np.eye(1, 1000, 900, np.float32), 0, 100)
    False
    """
    return holds_the_hit(audio, start, n_samples) and share(audio, start, n_samples) >= MOST


def share(audio: NDArray[np.float32], start: int, n_samples: int) -> float:
    """How much of the power of a sound is in a clip.

    Formula: power of audio[start:start + n_samples] over that of audio.
    Shapes: (c, t) -> a number.
    Units: start and n_samples in samples.
    Source: own.

    >>> share(np.ones((1, 1000), np.float32), 100, 250)
    0.25
    """
    energy = np.square(audio, dtype=np.float64).sum(axis=0)
    return float(energy[start : start + n_samples].sum() / energy.sum())


def gains(audio: NDArray[np.float32], start: int, other: int, n_samples: int) -> bool:
    """Whether a clip from another sample on is more of the sound.

    Formula: its share of the power is more than 1/10 higher.
    Shapes: (c, t) -> truth.
    Units: start, other and n_samples in samples.
    Source: own.

    >>> gains(np.eye(1, 1000, 900, np.float32), 0, 890, 100)
    True
    """
    return share(audio, other, n_samples) > share(audio, start, n_samples) + BETTER


def holds_the_hit(audio: NDArray[np.float32], start: int, n_samples: int) -> bool:
    """Whether what is loudest is in a clip, or something that is nearly as loud.

    Formula: peak of audio[start:start + n_samples] over that of audio at least 1/10.
    Shapes: (c, t) -> truth.
    Units: start and n_samples in samples.
    Source: own.

    >>> holds_the_hit(np.eye(1, 1000, 900, np.float32), 0, 100)
    False
    """
    level = np.abs(audio).max(axis=0)
    return float(level[start : start + n_samples].max()) >= WITHOUT_HIT * float(level.max())


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
    if not holds_the_hit(audio, start, n_samples):
        after = (int(np.abs(audio).max(axis=0).argmax()) - start) / sample_rate
        return [f"the hit is not in the clip: it comes {after:.2f} s after its beginning"]
    inside = share(audio, start, n_samples)
    if inside < LEFT_OUT:
        seconds = audio.shape[1] / sample_rate
        return [f"{inside:.0%} of the sound is in its clip, of {seconds:.1f} s: a long sound, or several"]
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
