"""How loud a sound is to an ear, and how a row of sounds is brought to one loudness without lifting any."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.report.number_format import plain
from flowvae.report.sounds import Audio, Gain

BLOCK_S = 0.4
N_STEPS = 4  # blocks overlap by three quarters
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
MOST_LOWERED = 20.0  # LU; further down, a row is compared with the noise of the room


def loudness(audio: Audio, rate: int) -> float:
    """The integrated loudness in LUFS of (frames, channels); minus infinity for silence.

    Formula: the sound is K-weighted; the mean square z of each block of 400 ms is summed over channels; what is left above
        two gates is averaged: L = -0.691 + 10 log10(mean z). The gates: -70 LUFS, then 10 LU below the mean of what
        the first leaves. A sound shorter than 400 ms is one block as long as it is: the standard says nothing of it, and
        padded with silence it would be measured too quiet.
    Units: LUFS; a full-scale sine of 997 Hz in one channel has -3.01.
    Source: ITU-R BS.1770-4.

    >>> t = np.arange(48_000) / 48_000
    >>> round(loudness(np.sin(2 * np.pi * 997 * t)[:, None], 48_000), 1)
    -3.0
    """
    squared = np.square(k_weighted(audio, rate)).sum(axis=1)
    length = min(round(BLOCK_S * rate), len(squared))
    total = np.concatenate([[0.0], np.cumsum(squared)])
    starts = np.arange(0, len(squared) - length + 1, max(1, length // N_STEPS))
    blocks = (total[starts + length] - total[starts]) / length
    heard = blocks[_lufs(blocks) > ABSOLUTE_GATE]
    if not len(heard):
        return -np.inf
    heard = heard[_lufs(heard) > _lufs(heard.mean()) + RELATIVE_GATE]
    return float(_lufs(heard.mean()))


def _lufs(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-30)))


def k_weighted(audio: Audio, rate: int) -> Audio:
    """The sound after the two filters of the standard, as many frames as before."""
    n_fft = 2 * len(
        audio
    )  # a filter in a spectrum goes round: silence as long as the sound takes what rings on
    spectrum = np.fft.rfft(audio, n_fft, axis=0) * response(n_fft, rate)[:, None]
    return np.asarray(np.fft.irfft(spectrum, n_fft, axis=0)[: len(audio)])


@lru_cache(maxsize=8)
def response(n_fft: int, rate: int) -> NDArray[np.complex128]:
    """A shelf of 4 dB above 1.7 kHz, and no lows; the filters as functions of frequency fit any rate.

    Source: github.com/jiixyj/libebur128.
    """
    hz = np.fft.rfftfreq(n_fft, 1 / rate)
    gain = 10 ** (3.999843853973347 / 20)
    s = 1j * hz / 1681.974450955533
    shelf_q, middle = 0.7071752369554196, gain**0.4996667741545416
    shelf = (gain * s**2 + middle * s / shelf_q + 1) / (s**2 + s / shelf_q + 1)
    s = 1j * hz / 38.13547087602444
    lows = s**2 / (s**2 + s / 0.5003270373238773 + 1)
    return np.asarray(shelf * lows)


@frozen
class Level:
    """The loudness that a row is brought to, in LUFS."""

    lufs: float

    @classmethod
    def of(cls, anchor: float, others: Sequence[float]) -> "Level":
        """The quietest of a row, but not too far below its anchor: what is quieter still pulls nobody down.

        >>> Level.of(-20.0, [-25.0, -12.0, -70.0])
        Level(lufs=-25.0)
        """
        return cls(min([anchor, *(one for one in others if one >= anchor - MOST_LOWERED)]))

    def fitting(self, heard: Sequence[float]) -> "Level":
        """The same, or the loudness to which all have to go so that none is cut; `heard` is where each of a row just fits.

        >>> Level(-20.0).fitting([-18.0, -23.0, -70.0])
        Level(lufs=-23.0)
        """
        return Level(min([self.lufs, *(one for one in heard if one >= self.lufs - MOST_LOWERED)]))

    def gain_for(self, lufs: float) -> Gain:
        """The gain that lowers a sound of so many LUFS to the level; what lies below it stays as it is, and says so.

        Formula: g = 10^((level - lufs) / 20), never above 1.

        >>> round(Level(-26.0).gain_for(-20.0).db, 6), Level(-26.0).gain_for(-30.0).obstacle
        (-6.0, '4.0 LU quieter, not matched')
        """
        if lufs < self.lufs:
            return Gain(1.0, f"{plain(self.lufs - lufs, 2)} LU quieter, not matched")
        return Gain(10 ** ((self.lufs - lufs) / 20))
