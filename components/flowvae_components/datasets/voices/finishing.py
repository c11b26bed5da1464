"""What happens to every drum after the hit: saturation, colour, a room, an end."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flowvae_components.datasets.voices.character import Character
from flowvae_components.datasets.voices.noises import bins_hz, fast_length

Signal = NDArray[np.float64]
LONGEST_S = 1.0
SHORTEST_S = 0.02
_END_DB = -66.0
_FADE_S = 0.005


def driven(signal: Signal, drive: float) -> Signal:
    """A sound pushed into saturation: louder lows, new overtones.

    Formula: tanh(drive * x / peak) / tanh(drive).
    Shapes: (t,) -> (t,).
    Units: full scale is 1, and the result reaches it.
    Source: the transfer curve of a differential pair.

    >>> driven(np.array([0.0, 2.0]), 3.0).tolist()
    [0.0, 1.0]
    """
    return np.asarray(np.tanh(drive * signal / (np.abs(signal).max() + 1e-20)) / np.tanh(drive))


def in_a_room(dry: Signal, character: Character, generator: Generator, rate: int) -> Signal:
    """A dry sound with its kit's colour and room.

    Formula: dry * slope, plus the convolution of that with noise that falls by 60 dB in room_s, starts after 4 ms and
        lies between 250 Hz and 9 kHz; slope = ((1 + j f / 60) / (1 + j f / 16000))^(tilt_db / 6.02), which is tilt_db
        per octave between the two corners. All filters are causal: nothing sounds before the hit.
    Shapes: (t,) -> (t + the room's length,).
    Units: s, dB, Hz.
    Source: Moorer 1979, About this reverberation business.

    >>> kit = Character(1, 1, 1, 0, 0, 0, -20, 0.1)
    >>> in_a_room(np.eye(1, 100)[0], kit, np.random.default_rng(0), 1000).shape
    (200,)
    """
    n_room = round(character.room_s * rate)
    n = fast_length(len(dry) + n_room)
    s = 1j * bins_hz(n, rate)
    t = np.arange(n_room) / rate
    response = generator.standard_normal(n_room) * 10 ** (-3 * t / character.room_s) * (t >= 0.004)
    low = s / 250
    room = np.fft.rfft(response, n) * low**2 / (low**2 + np.sqrt(2) * low + 1) / (1 + s / 9000)
    room *= 10 ** (character.room_db / 20) / np.sqrt(np.sum(response**2) + 1e-20)
    slope = ((1 + s / 60) / (1 + s / 16000)) ** (character.tilt_db / 6.02)
    spectrum = np.fft.rfft(dry, n) * slope * (1 + room)
    return np.asarray(np.fft.irfft(spectrum, n)[: len(dry) + n_room])


def ended(signal: Signal, rate: int) -> Signal:
    """A sound without the silence behind it, 20 ms to 1 s long, whose end makes no click.

    Formula: cut behind the last sample above -66 dB of the peak; half a cosine over the last 5 ms.
    Shapes: (channels, t) -> (channels, shorter t).
    Units: Hz.
    Source: own.

    >>> ended(np.eye(1, 5000, 10), 1000).shape
    (1, 20)
    """
    loud = np.flatnonzero(np.abs(signal).max(axis=0) > np.abs(signal).max() * 10 ** (_END_DB / 20))
    length = int(np.clip(loud[-1] + 1, round(SHORTEST_S * rate), round(LONGEST_S * rate)))
    cut = signal[:, :length].copy()
    n_fade = min(round(_FADE_S * rate), cut.shape[1])
    phase = (np.arange(n_fade) + 0.5) / max(1, n_fade)
    cut[:, cut.shape[1] - n_fade :] *= 0.5 + 0.5 * np.cos(np.pi * phase)
    return cut
