"""A factor that moves along a line in its logarithm."""

import math
from collections.abc import Callable

from flowvae.contracts import Refused


def log_linear(
    n_steps: int, *, start: float = 2e-5, end: float = 1.0, share: float = 1.0
) -> Callable[[int], float]:
    """From one factor to another by the same ratio at every step, and flat from there.

    Formula: factor(step) = exp((1 - t) * ln(start) + t * ln(end)), t = min(1, step / (share * n_steps)).
        It begins at `start` and would be at `end` one step after its share of the run.
    Shapes: a step -> a factor from start to end.
    Units: the factor multiplies a learning rate or a weight; share is a fraction of the run.
    Parameters:
        start: the factor at the first step, above 0
        end: the factor when the line has come to its end, above 0
        share: the fraction of the run that the line takes, above 0
    Source: the warm-up of beta in Caillon and Esling 2021 (RAVE), arxiv.org/abs/2111.05011: the defaults are those of
        their code, which goes from 1e-6 to 5e-2, relative to where it ends.

    >>> factor = log_linear(4, start=1e-4)
    >>> [f"{factor(step):.0e}" for step in range(5)]
    ['1e-04', '1e-03', '1e-02', '1e-01', '1e+00']
    """
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}")
    if not 0 < start <= 1:
        raise Refused("start", f"start must be above 0 and at most 1, got {start}")
    if not 0 < end <= 1:
        raise Refused("end", f"end must be above 0 and at most 1, got {end}")
    if not 0 < share <= 1:
        raise Refused("share", f"share must be above 0 and at most 1, got {share}")

    def factor(step: int) -> float:
        way = min(1.0, step / (share * n_steps))
        return math.exp((1 - way) * math.log(start) + way * math.log(end))

    return factor
