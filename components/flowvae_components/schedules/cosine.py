"""A learning rate that falls along half a cosine."""

import math
from collections.abc import Callable

from flowvae.contracts import Refused


def cosine(n_steps: int, *, final: float = 0.0) -> Callable[[int], float]:
    """From the full learning rate down along half a cosine, slow at both ends.

    Formula: factor(step) = final + (1 - final) * (1 + cos(pi * step / n_steps)) / 2.
        It starts at 1 and would be at `final` one step after the last, so that with a final of 0 the last step
        still learns; a step past the end has `final`.
    Shapes: a step -> a factor from final to 1.
    Units: the factor multiplies the learning rate of the optimizer.
    Parameters:
        final: the factor at the end.
    Source: Loshchilov and Hutter 2017, arxiv.org/abs/1608.03983, without restarts.

    >>> factor = cosine(10, final=0.1)
    >>> [round(factor(step), 2) for step in (0, 5, 10)]
    [1.0, 0.55, 0.1]
    """
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}")
    if not 0 <= final <= 1:
        raise Refused("final", f"final must be from 0 to 1, got {final}")

    def factor(step: int) -> float:
        return final + (1 - final) * (1 + math.cos(math.pi * min(step, n_steps) / n_steps)) / 2

    return factor
