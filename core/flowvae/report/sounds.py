"""Sounds for the page: read with care, brought to one loudness, and written into a data address."""

import base64
import io
from pathlib import Path

import numpy as np
import soundfile
from attrs import frozen
from numpy.typing import NDArray

Audio = NDArray[np.float64]

LONGEST_S = 12.0
LOWEST_RATE = 1000  # below it there is no frequency axis left to draw
CEILING = 0.999  # just below full scale, so that rounding to 16 bits cannot clip
MOST_GAIN = 10 ** (24 / 20)  # a nearly silent estimate is not blown up into noise
SILENT_RMS = 1e-6


@frozen(eq=False)
class Clip:
    """A sound as (frames, channels)."""

    audio: Audio
    rate: int

    @property
    def duration_s(self) -> float:
        """Its length."""
        return len(self.audio) / self.rate


@frozen
class Gain:
    """What a sound was multiplied with, and whether a limit held it back from the target's loudness."""

    factor: float
    is_limited: bool

    @property
    def db(self) -> float:
        """The same in decibels."""
        return float(20 * np.log10(self.factor))


def read_clip(path: Path) -> Clip | None:
    """The first two channels of a file; None where it is missing, empty, damaged, a link, or not finite."""
    if path.is_symlink() or not path.is_file():
        return None
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            audio: Audio = file.read(int(LONGEST_S * rate), dtype="float64", always_2d=True)[:, :2]
    except (soundfile.SoundFileError, OSError, ValueError, MemoryError):
        return None
    is_sound = len(audio) > 0 and rate >= LOWEST_RATE and bool(np.isfinite(audio).all())
    return Clip(audio, rate) if is_sound else None


def rms(audio: Audio) -> float:
    """Root mean square over time and channels."""
    return float(np.sqrt(np.mean(np.square(audio))))


def matching_gain(wanted: float, estimate: Audio) -> Gain:
    """The gain that brings a sound to the wanted RMS without clipping.

    Formula: g = wanted / rms(estimate), at most CEILING / peak(estimate) and 24 dB. Silence keeps its level.

    >>> matching_gain(0.25, np.full((8, 1), 0.5)).factor
    0.5
    """
    level = rms(estimate)
    if min(level, wanted) < SILENT_RMS:
        return Gain(1.0, is_limited=level >= SILENT_RMS or wanted >= SILENT_RMS)
    limit = min(CEILING / float(np.abs(estimate).max()), MOST_GAIN)
    wish = wanted / level
    return Gain(min(wish, limit), is_limited=wish > limit)


def wav_address(clip: Clip, gain: float = 1.0) -> str:
    """A 16-bit WAV file as a data address."""
    file = io.BytesIO()
    audio = np.clip(clip.audio * gain, -1.0, 1.0)
    soundfile.write(file, audio, clip.rate, format="WAV", subtype="PCM_16")
    return f"data:audio/wav;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
