"""A factor that rises again and again."""

import math
from collections.abc import Callable

from flowvae.contracts import Refused


def cyclic(n_steps: int, *, n_cycles: int = 4, rise: float = 0.5) -> Callable[[int], float]:
    """In every cycle up along a line to 1, and flat for what is left of it.

    Formula: factor(step) = min(1, (step % period + 1) / (rise * period)), period = ceil(n_steps / n_cycles).
        Above 0 at the first step of a cycle, so that no step leaves the posterior without a price; a step past the
        end goes on in cycles.
    Shapes: a step -> a factor from above 0 to 1.
    Units: the factor multiplies a weight or a learning rate; rise is a fraction of a cycle.
    Parameters:
        n_cycles: how often the factor rises
        rise: the fraction of a cycle over which it rises; 0 stays at 1
    Source: Fu et al. 2019, Cyclical annealing schedule, arxiv.org/abs/1903.10145: the defaults are theirs. Their line
        lies one step later, with a 0 at the beginning of each cycle.

    >>> factor = cyclic(8, n_cycles=2, rise=0.5)
    >>> [factor(step) for step in range(8)]
    [0.5, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0]
    """
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}")
    if n_cycles < 1:
        raise Refused("n_cycles", f"n_cycles must be at least 1, got {n_cycles}")
    if not 0 <= rise <= 1:
        raise Refused("rise", f"rise must be a fraction from 0 to 1, got {rise}")
    period = math.ceil(n_steps / n_cycles)
    n_rising = max(1.0, rise * period)

    def factor(step: int) -> float:
        return min(1.0, (step % period + 1) / n_rising)

    return factor
