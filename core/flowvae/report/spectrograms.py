"""Spectrograms on one frequency axis and one decibel scale, as small indexed PNG pictures."""

import base64
import io

import numpy as np
from numpy.typing import NDArray

from flowvae.report.sounds import Clip

Levels = NDArray[np.float64]

N_COLUMNS = 200
N_BANDS = 96
LOWEST_HZ = 40.0
RANGE_DB = 80.0
WINDOW_S = 0.023  # short enough for an attack, long enough to part two toms
N_SHADES = 64  # steps of 1.25 dB, finer than the eye tells apart in a picture of this size


def levels_db(clip: Clip) -> Levels:
    """Mean level of each log-spaced band at each column, in dB beside a sine of full scale; (band, column).

    Formula: Hann windows, four times zero padded; the power of a band is the integral of the power spectrum
        between its edges over its width, so narrow low bands read between the bins and wide high ones average.
    """
    window_length = 2 ** round(np.log2(WINDOW_S * clip.rate))
    window = np.hanning(window_length + 1)[:-1]
    padded = np.pad(clip.audio, ((window_length // 2, window_length), (0, 0)))
    starts = np.linspace(0, len(clip.audio) - 1, N_COLUMNS).astype(np.int64)
    frames = padded[starts[:, None] + np.arange(window_length)]  # (column, sample, channel)
    spectrum = np.fft.rfft(frames * window[:, None], 4 * window_length, axis=1)
    power = np.mean(np.abs(spectrum) ** 2, axis=2).T / (window.sum() / 2) ** 2  # (bin, column)
    integral = np.concatenate([np.zeros((1, N_COLUMNS)), np.cumsum(power, axis=0)])
    edges = np.geomspace(LOWEST_HZ, clip.rate / 2, N_BANDS + 1) * 4 * window_length / clip.rate
    below = np.floor(edges).astype(np.int64)
    at_edges = integral[below] + (edges - below)[:, None] * power[np.minimum(below, len(power) - 1)]
    bands = np.diff(at_edges, axis=0) / np.diff(edges)[:, None]
    levels: Levels = 10 * np.log10(np.maximum(bands, 1e-12))
    return levels


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
