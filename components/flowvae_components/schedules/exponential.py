"""A learning rate that loses the same share at every step."""

from collections.abc import Callable

from flowvae.contracts import Refused


def exponential(*, gamma: float = 0.999996) -> Callable[[int], float]:
    """From the full learning rate down by one ratio a step, whatever the length of the run.

    Formula: factor(step) = gamma ^ step.
        It is halved every log(2) / (1 - gamma) steps, nearly: with the default every 173,000.
    Shapes: a step -> a factor from above 0 to 1.
    Units: the factor multiplies the learning rate of the optimizer; gamma is a ratio per step.
    Parameters:
        gamma: what a step leaves of the learning rate, above 0; 1 keeps it
    Source: Kumar et al. 2023, arxiv.org/abs/2306.06546: the default is that of their code, for 400,000 steps.

    >>> exponential(gamma=0.5)(3)
    0.125
    """
    if not 0 < gamma <= 1:
        raise Refused("gamma", f"gamma must be above 0 and at most 1, got {gamma}")

    def factor(step: int) -> float:
        return float(gamma**step)

    return factor
