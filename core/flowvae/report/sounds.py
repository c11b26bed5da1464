"""Sounds for the page: read with care, brought to one loudness, and written into a data address."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from attrs import frozen
from numpy.typing import NDArray

from flowvae.report.number_format import plain

Audio = NDArray[np.float64]

LONGEST_S = 12.0
LOWEST_RATE = 1000  # below it there is no frequency axis left to draw
CEILING = 0.999  # just below full scale, so that rounding to 16 bits cannot clip
MOST_GAIN = 10 ** (
    24 / 20
)  # what is further away was not rebuilt; louder still, its noise would be all one hears
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


@frozen
class Reference:
    """What the sounds of a row are brought to, and measured by."""

    rms: float
    peak: float

    @classmethod
    def of(cls, audio: Audio) -> "Reference | None":
        """A target's; None where it is silent, and there is nothing to be brought to."""
        return cls(rms(audio), peak(audio)) if peak(audio) >= SILENT_PEAK else None

    def without_clipping(self, sounds: Sequence[Audio]) -> "Reference":
        """The same, or as much lower as the spikiest sound needs not to clip; a (nearly) silent one stays as it is.

        Formula: rms' = min(rms, CEILING * rms(x) / peak(x)) over all x that are not silent.

        >>> sounds = [np.full((8, 1), 0.1), np.array([[0.5], [0.0], [0.0], [0.0]])]
        >>> Reference(0.9, 0.9).without_clipping(sounds).rms
        0.4995
        """
        reached = [CEILING * rms(x) / peak(x) for x in sounds if not self.silence(x)]
        return Reference(min([self.rms, *reached]), self.peak)

    def silence(self, audio: Audio) -> str:
        """In words that a sound is silent, or nearly so beside the reference; empty where it is neither."""
        if peak(audio) < SILENT_PEAK:
            return "silent"
        return "nearly silent, not made louder" if peak(audio) < NEARLY_SILENT * self.peak else ""

    def gain_for(self, audio: Audio) -> Gain:
        """The gain that brings a sound to the RMS of the reference; it clips nothing that `without_clipping` saw.

        Formula: g = rms / rms(x), at most 24 dB. Silence keeps its level.

        >>> Reference(0.25, 1.0).gain_for(np.full((8, 1), 0.5))
        Gain(factor=0.5, obstacle='')
        """
        silence = self.silence(audio)
        if silence:
            return Gain(1.0, silence)
        wish = self.rms / rms(audio)
        if wish > MOST_GAIN:
            return Gain(
                MOST_GAIN, f"the most there is; still {plain(decibels(wish / MOST_GAIN), 2)} dB too quiet"
            )
        return Gain(wish)


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


def peak(audio: Audio) -> float:
    """The highest absolute value."""
    return float(np.abs(audio).max())


def decibels(factor: float) -> float:
    """20 log10 of a factor above 0."""
    return float(20 * np.log10(factor))


def wav_address(clip: Clip, gain: float = 1.0) -> str:
    """A 16-bit WAV file as a data address."""
    file = io.BytesIO()
    audio = np.clip(clip.audio * gain, -1.0, 1.0)
    soundfile.write(file, audio, clip.rate, format="WAV", subtype="PCM_16")
    return f"data:audio/wav;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
