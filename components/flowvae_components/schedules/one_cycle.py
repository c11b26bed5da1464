"""A learning rate that rises once and falls once."""

import math
from collections.abc import Callable

from flowvae.contracts import Refused


def one_cycle(n_steps: int, *, warmup: float = 0.1, final: float = 0.01) -> Callable[[int], float]:
    """Half a cosine up to the full learning rate, half a cosine down.

    Formula: with peak = round(warmup * (n_steps - 1)), factor(step) = final + (1 - final) * r, where
        r = (1 - cos(pi * step / peak)) / 2 before the peak and
        r = (1 + cos(pi * (step - peak) / (n_steps - 1 - peak))) / 2 from it on.
        It starts and ends at `final`; a step past the end has the last factor.
    Shapes: a step -> a factor from final to 1.
    Units: the factor multiplies the learning rate of the optimizer.
    Parameters:
        warmup: the fraction of the training during which the rate rises.
        final: the factor at both ends.
    Source: Smith and Topin 2019, arxiv.org/abs/1708.07120; the cosine is Loshchilov and Hutter 2017,
        arxiv.org/abs/1608.03983.

    >>> factor = one_cycle(11, warmup=0.2, final=0.1)
    >>> [round(factor(step), 2) for step in (0, 2, 6, 10)]
    [0.1, 1.0, 0.55, 0.1]
    """
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}")
    if not 0 <= warmup <= 1:
        raise Refused("warmup", f"warmup must be a fraction from 0 to 1, got {warmup}")
    if not 0 <= final <= 1:
        raise Refused("final", f"final must be from 0 to 1, got {final}")
    last = n_steps - 1
    peak = round(warmup * last)

    def factor(step: int) -> float:
        step = min(step, last)
        # The angle runs from -pi at the start over 0 at the peak to pi at the end.
        way = (step - peak) / (peak if step < peak else max(1, last - peak))
        return final + (1 - final) * (1 + math.cos(math.pi * way)) / 2

    return factor
