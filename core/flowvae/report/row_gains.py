"""What the sounds of a row are multiplied with: one loudness, by lowering alone."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from flowvae.report.loudness import Level, loudness
from flowvae.report.sounds import SILENT_PEAK, Clip, Gain, decibels, peak, silence


def reference_peak(targets: list[Clip]) -> float | None:
    """What silence is measured by: the peak of a target, or what is typical of several; None where all are silent."""
    known = [peak(clip.audio) for clip in targets if peak(clip.audio) >= SILENT_PEAK]
    return float(np.median(known)) if known else None


def gains(heard: Sequence[Clip], target: Clip | None, reference_peak: float | None) -> Callable[[Clip], Gain]:
    """What each sound of a row is multiplied with, so that all are as loud as its quietest one and none is cut at full scale.

    The target is the anchor, without one the loudest of the row.
    """
    if reference_peak is None:
        return lambda clip: Gain(1.0, "silent" if peak(clip.audio) < SILENT_PEAK else "")
    silences = {id(clip): silence(clip.audio, reference_peak) for clip in heard}
    loud = {id(clip): loudness(clip.audio, clip.rate) for clip in heard if not silences[id(clip)]}
    loud = {key: lufs for key, lufs in loud.items() if lufs > -math.inf}
    anchor = loud.get(id(target)) if target else None
    level = Level.of(max(loud.values(), default=0.0) if anchor is None else anchor, list(loud.values()))
    level = level.fitting([loud[id(clip)] - decibels(peak(clip.audio)) for clip in heard if id(clip) in loud])

    def gain_of(clip: Clip) -> Gain:
        if id(clip) in loud:
            return level.gain_for(loud[id(clip)])
        return Gain(1.0, silences[id(clip)] or "below what loudness is measured from, not matched")

    return gain_of
