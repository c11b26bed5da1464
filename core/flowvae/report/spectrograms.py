"""Spectrograms on one frequency axis and one decibel scale, as small indexed PNG pictures."""

import base64
import io
from functools import cache

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.report.sounds import Clip

Levels = NDArray[np.float64]

N_COLUMNS = 200
N_BANDS = 96
LOWEST_HZ = 40.0
RANGE_DB = 80.0
WINDOW_S = 0.023  # short enough for an attack, long enough to part two toms
NARROW_BINS = 2.0  # the window smooths over as much
N_SHADES = 64  # steps of 1.25 dB, finer than the eye tells apart in a picture of this size


def levels_db(clip: Clip) -> Levels:
    """Mean level of each log-spaced band at each column, in dB beside a sine of full scale; (band, column).

    Formula: Hann windows; the power of a band is the mean of the bins' powers over it, each bin taken for the part of the band
        that it covers, and for bands that are too narrow for that the power at the middle of the band.
    """
    window_length = 2 ** round(np.log2(WINDOW_S * clip.rate))
    # In single precision, whose noise lies 60 dB below what a picture shows: these pictures are what a report costs.
    padded = np.pad(clip.audio.T.astype(np.float32), ((0, 0), (window_length // 2, window_length)))
    starts = np.linspace(0, len(clip.audio) - 1, N_COLUMNS).astype(np.int64)
    frames = padded[:, starts[:, None] + np.arange(window_length)]  # (channel, column, sample)
    bands = _bands(clip.rate, window_length)
    spectrum, parts = np.fft.rfft(frames * bands.window), frames @ bands.waves
    power = np.concatenate(
        [
            parts[..., ::2] ** 2 + parts[..., 1::2] ** 2,
            (spectrum.real**2 + spectrum.imag**2) @ bands.shares,
        ],
        axis=2,
    ).mean(axis=0)  # (column, band)
    levels: Levels = 10 * np.log10(np.maximum(power.T, 1e-12)).astype(np.float64)
    return levels


@frozen(eq=False)
class _Bands:
    """What windows are multiplied with: by all, by the narrow bands, and what is made of their bins by the wide ones."""

    window: NDArray[np.float32]
    waves: NDArray[np.float32]
    shares: NDArray[np.float32]


@cache
def _bands(rate: int, window_length: int) -> _Bands:
    window = np.hanning(window_length + 1)[:-1]
    window *= 2 / window.sum()  # a sine of full scale has the power 1
    edges = np.geomspace(LOWEST_HZ, rate / 2, N_BANDS + 1) * window_length / rate  # in bins
    n_narrow = int(np.sum(np.diff(edges) < NARROW_BINS))
    turns = np.outer(np.arange(window_length), np.sqrt(edges[1:] * edges[:-1])[:n_narrow]) / window_length
    waves = window[:, None] * np.exp(-2j * np.pi * turns)
    low, high = edges[n_narrow:-1], edges[n_narrow + 1 :]
    bins = np.arange(window_length // 2 + 1)[:, None]
    shares = (np.clip(high, bins - 0.5, bins + 0.5) - np.clip(low, bins - 0.5, bins + 0.5)) / (high - low)
    single = (part.astype(np.float32) for part in (window, waves.view(np.float64), shares))
    return _Bands(*single)


def height_of(hz: float, rate: int) -> float:
    """Where a frequency lies on the axis: 0 at the bottom, 1 at the top."""
    return float(np.log(hz / LOWEST_HZ) / np.log(rate / 2 / LOWEST_HZ))


def shades() -> NDArray[np.uint8]:
    """The colours from quiet to loud, (shade, 3)."""
    from matplotlib import colormaps  # noqa: PLC0415  # slow to import, and only a report needs it

    rgba = colormaps["magma"](np.linspace(0, 1, N_SHADES))
    return np.asarray(np.round(rgba[:, :3] * 255), dtype=np.uint8)


def picture_address(levels: Levels, top_db: float, palette: NDArray[np.uint8]) -> str:
    """A PNG of one byte a pixel as a data address; `top_db` is the loudest level that it shows."""
    from PIL import Image  # noqa: PLC0415  # only a report needs it

    scaled = np.clip((levels - top_db) / RANGE_DB + 1, 0, 1) * (N_SHADES - 1)
    picture = Image.fromarray(np.round(scaled[::-1]).astype(np.uint8))  # pictures begin at the top
    picture.putpalette(palette.tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
