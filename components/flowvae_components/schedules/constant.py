"""A learning rate that stays."""

from collections.abc import Callable


def constant() -> Callable[[int], float]:
    """The highest learning rate at every step.

    Formula: factor(step) = 1.
    Shapes: a step -> a factor.
    Units: the factor multiplies the learning rate of the optimizer.
    Source: the plain case.

    >>> constant()(7)
    1.0
    """

    def factor(_step: int) -> float:
        return 1.0

    return factor
