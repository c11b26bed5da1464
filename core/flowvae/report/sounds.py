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
SILENT_PEAK = 1e-4  # 3 steps of 16 bits: below it lies rounding
# Of 938 drum sounds of 18 free kits ten peak below 0.05 of full scale, and by their names those are soft layers. What
# stays below it beside a target at full scale has no hit in it.
NEARLY_SILENT = 0.05


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
    """What a sound was multiplied with, and in words why that does not bring it to the level of its row, if so."""

    factor: float
    obstacle: str = ""

    @property
    def db(self) -> float:
        """The same in decibels."""
        return decibels(self.factor)


def silence(audio: Audio, reference_peak: float) -> str:
    """In words that a sound is silent, or nearly so beside a reference; empty where it is neither.

    >>> silence(np.full((8, 1), 0.02), 0.9), silence(np.full((8, 1), 0.02), 0.1)
    ('nearly silent, not matched', '')
    """
    if peak(audio) < SILENT_PEAK:
        return "silent"
    return "nearly silent, not matched" if peak(audio) < NEARLY_SILENT * reference_peak else ""


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


def residual(target: Clip, estimate: Clip) -> Clip | None:
    """Target minus estimate at their true levels, as long as the target; None where their rates differ.

    A mono sound beside one of two channels counts in both; beyond its end an estimate is silent.

    >>> residual(Clip(np.ones((3, 1)), 8000), Clip(np.full((2, 2), 0.25), 8000)).audio.tolist()
    [[0.75, 0.75], [0.75, 0.75], [1.0, 1.0]]
    """
    if target.rate != estimate.rate:
        return None
    frames = len(target.audio)
    kept = estimate.audio[:frames]
    return Clip(target.audio - np.pad(kept, ((0, frames - len(kept)), (0, 0))), target.rate)


def peak(audio: Audio) -> float:
    """The highest absolute value."""
    return float(np.abs(audio).max())


def decibels(factor: float) -> float:
    """20 log10 of a factor above 0."""
    return float(20 * np.log10(factor))


def beyond_full_scale(audio: Audio) -> str:
    """In words that a sound has values that no file of whole numbers can hold; empty where it has none.

    >>> beyond_full_scale(np.array([[1.0], [-1.0]])), beyond_full_scale(np.array([[2.0]]))
    ('', '6.0 dB beyond full scale, cut there')
    """
    beyond_db = decibels(peak(audio)) if peak(audio) > 1 else 0.0
    # What was lowered until it fits may lie a rounding error above it.
    return f"{beyond_db:.1f} dB beyond full scale, cut there" if beyond_db >= 0.05 else ""


def sound_address(clip: Clip, gain: float = 1.0) -> str:
    """A 16-bit FLAC file as a data address: of drum sounds half of what WAV takes, and every browser plays it.

    Where libsndfile makes no FLAC, built without it or at more than 655,350 samples a second, it is a WAV file of the same
    samples: larger, and heard alike.
    """
    # Rounded here: libsndfile rounds floats in another way for each format.
    samples = np.clip(np.rint(clip.audio * gain * 32768), -32768, 32767).astype(np.int16)
    try:
        return _address(samples, clip.rate, "FLAC")
    except soundfile.LibsndfileError:
        return _address(samples, clip.rate, "WAV")


def _address(samples: NDArray[np.int16], rate: int, form: str) -> str:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype="PCM_16")
    return f"data:audio/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
