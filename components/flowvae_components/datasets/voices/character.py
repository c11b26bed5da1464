"""What the sounds of one kit have in common, and how single values are drawn around it."""

import math
from dataclasses import dataclass

from numpy.random import Generator


@dataclass(frozen=True)
class Character:
    """How one kit sounds, whichever drum is hit."""

    tuning: float
    """A factor on every pitch."""
    decay: float
    """A factor on every decay time."""
    drive: float
    """Gain into the saturation, 1 is next to clean."""
    tilt_db: float
    """Slope of the spectrum in dB per octave."""
    noisiness_db: float
    """Level of what is noise against what is tone."""
    attack_db: float
    """Level of clicks and sticks against the body."""
    room_db: float
    """Energy of the room against the dry sound."""
    room_s: float
    """Time in which the room falls by 60 dB."""


def log_between(generator: Generator, low: float, high: float) -> float:
    """A draw that is uniform in the logarithm, as ears judge pitches and times.

    Formula: exp(U(ln low, ln high)).
    Shapes: a number.
    Units: those of the bounds.
    Source: own.

    >>> import numpy as np
    >>> 50 <= log_between(np.random.default_rng(0), 50, 200) <= 200
    True
    """
    return math.exp(generator.uniform(math.log(low), math.log(high)))


def draw_character(generator: Generator) -> Character:
    """A kit: machine or wood, dry or in a hall, dull or bright.

    Formula: each value on its own, uniform in its bounds, factors in their logarithm.
    Shapes: none.
    Units: dB, s; factors without unit.
    Source: own.

    >>> import numpy as np
    >>> 0.8 < draw_character(np.random.default_rng(0)).tuning < 1.25
    True
    """
    return Character(
        tuning=log_between(generator, 0.82, 1.22),
        decay=log_between(generator, 0.55, 1.6),
        drive=log_between(generator, 1.0, 4.0),
        tilt_db=generator.uniform(-1.5, 1.5),
        noisiness_db=generator.uniform(-6.0, 6.0),
        attack_db=generator.uniform(-8.0, 4.0),
        room_db=generator.uniform(-40.0, -12.0),
        room_s=log_between(generator, 0.1, 0.6),
    )
