"""What about a decoded file is worth a word."""

import numpy as np
from numpy.typing import NDArray

from flowvae_components.audio_files import containers
from flowvae_components.audio_files.decoding import Decoded

# 3 steps of 16 bits: below it lies silence with noise.
SILENT_PEAK = 1e-4
QUIET_PEAK = 0.05
LOUD_PEAK = 8.0
_WORTH_A_WORD_OFFSET = 0.005
_N_CLIPPED = 4
_ABRUPT = 0.05
_N_LAST = 32


def file_notes(name: str, decoded: Decoded) -> list[str]:
    """What a file's name says that is not so.

    Formula: container against ending.
    Shapes: none.
    Units: none.
    Source: own.

    >>> file_notes("a.wav", Decoded(np.zeros((1, 9), np.float32), 44100, "AIFF", "PCM_16", 9))
    ['named .wav, AIFF inside']
    """
    if containers.misnamed(name, decoded.container):
        return [f"named .{containers.ending(name)}, {decoded.container} inside"]
    return []


def shortage(content: bytes, decoded: Decoded) -> str:
    """What a file's header promises and the file does not hold; empty where nothing is missing.

    Formula: frames found against frames promised.
    Shapes: none.
    Units: frames.
    Source: own.

    >>> shortage(b"", Decoded(np.zeros((1, 9), np.float32), 44100, "AIFF", "PCM_16", 12))
    'cut short: header says 12 frames, 9 found'
    """
    promised = containers.promised_frames(content) or decoded.promised
    found = decoded.audio.shape[1]
    # MP3 headers round to whole frames of 1152 samples, and streams write a length near 2^63.
    if found < promised < 2**62 and decoded.container != "MP3":
        return f"cut short: header says {promised} frames, {found} found"
    return ""


def sound_notes(audio: NDArray[np.float32], encoding: str) -> list[str]:
    """What is unusual in the samples themselves, though it can be used.

    Formula: offset = |mean| > 0.005; clipped = 4 samples or more at full scale; quiet = peak < 0.05;
        loud = peak > 1 and above the rounding of codecs; abrupt = last 32 samples above 5 % of the peak.
    Shapes: (c, t) as decoded -> texts.
    Units: full scale is 1.
    Source: own.

    >>> sound_notes(np.full((1, 100), 0.01, np.float32), "PCM_U8")
    ['8 bit', 'offset 0.01', 'quiet: peak 0.01', 'ends abruptly']
    """
    peak = float(np.abs(audio).max())
    offset = float(np.abs(audio.mean(axis=1, dtype=np.float64)).max())
    n_full = int((np.abs(audio) >= 0.9999).sum())
    notes = {
        "8 bit": encoding in {"PCM_U8", "PCM_S8", "ULAW", "ALAW"},
        f"offset {offset:.3g}": offset > _WORTH_A_WORD_OFFSET * max(1.0, peak),
        f"quiet: peak {peak:.3g}": peak < QUIET_PEAK,
        f"above full scale: peak {peak:.3g}": 1.001 < peak <= LOUD_PEAK,
        f"far above full scale: peak {peak:.3g}": peak > LOUD_PEAK,
        f"clipped: {n_full} samples at full scale": n_full >= _N_CLIPPED and peak <= 1.001,
        "ends abruptly": float(np.abs(audio[:, -_N_LAST:]).max()) > _ABRUPT * peak,
    }
    return [note for note, holds in notes.items() if holds]
