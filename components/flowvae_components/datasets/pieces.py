"""The hits of a recording, each of which is a sound of its own."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from flowvae_components.datasets import conversion

FRAME_S = 0.005
N_BEFORE, N_ATTACK = 8, 1
"""40 ms, so that the lowest drum has a crest among them; the frame before a hit may hold the beginning of its attack."""
RISE = 4.0
"""12 dB: noise and the beating of a decay stay below, a hit over the tail of one 12 dB louder is none."""
APART = 0.9
"""Of a clip: what is played once a clip is never exactly one clip apart."""
LEAST = 0.1
"""Of the peak of all; what is softer is a noise between the hits."""


def hits(audio: NDArray[np.float32], sample_rate: int, n_apart: int) -> list[int]:
    """Where sounds begin in a recording, about one clip apart or more.

    Formula: level = peaks of frames of 5 ms; a hit is a frame above 1/10 of the highest and above 4 times the highest of
        the 2nd to 8th frame before it, 0.9 * n_apart samples or more after the last one. It begins 2 ms before the first sample
        that is twice as high as those.
    Shapes: (c, t) -> sample indices, in their order.
    Units: sample_rate in Hz, n_apart in samples.
    Source: own.

    >>> hits(np.eye(1, 9000, 1000, np.float32) + np.eye(1, 9000, 6000, np.float32), 44100, 4000)
    [912, 5912]
    """
    level = np.abs(audio).max(axis=0)
    n_frame = max(1, round(FRAME_S * sample_rate))
    frames = np.pad(level, (0, -len(level) % n_frame)).reshape(-1, n_frame).max(axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(frames, (N_BEFORE, 0)), N_BEFORE - N_ATTACK)[
        : len(frames)
    ]
    before = windows.max(axis=1)
    found: list[int] = []
    for frame in np.flatnonzero((frames >= LEAST * frames.max()) & (frames >= RISE * before)):
        first = max(0, int(frame) - N_ATTACK) * n_frame
        heard = level[first : (int(frame) + 1) * n_frame] > 2 * before[frame]
        start = max(0, first + int(heard.argmax()) - round(conversion.LEAD_S * sample_rate))
        if not found or start - found[-1] >= APART * n_apart:
            found.append(start)
    return found


def pieces(
    audio: NDArray[np.float32], starts: list[int], sample_rate: int, peak: float | None
) -> list[NDArray[np.float32]]:
    """A recording cut at its hits, each piece with its end faded and at its level, or at a peak of its own.

    Formula: audio[starts[i]:starts[i + 1]], times peak over its highest absolute value.
    Shapes: (c, t) -> as many (c, t) as there are starts.
    Units: starts in samples; full scale is 1.
    Source: own.

    >>> [piece.shape for piece in pieces(np.ones((1, 900), np.float32), [100, 500], 44100, None)]
    [(1, 400), (1, 400)]
    """
    cut = []
    for start, end in pairwise([*starts, audio.shape[1]]):
        piece = conversion.faded(audio[:, start:end], sample_rate)
        cut.append(piece * np.float32(peak / float(np.abs(piece).max())) if peak else piece)
    return cut
