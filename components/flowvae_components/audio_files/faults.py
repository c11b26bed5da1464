"""Samples that nothing can be made of."""

import numpy as np
from numpy.typing import NDArray


def fault(audio: NDArray[np.float32]) -> str:
    """Why the samples of a file cannot be used at all; empty if they can.

    Formula: no samples, or one that is no number.
    Shapes: (c, t) -> text.
    Units: none.
    Source: own.

    >>> fault(np.float32([[0, np.inf, 0, np.nan]]))
    '2 non-finite samples, first at 1'
    """
    if audio.shape[1] == 0:
        return "no samples in it"
    bad = np.flatnonzero(~np.isfinite(audio).all(axis=0))
    if len(bad) == 0:
        return ""
    return f"{len(bad)} non-finite sample{'s' if len(bad) > 1 else ''}, first at {bad[0]}"
