"""A factor that moves along a line."""

from collections.abc import Callable

from flowvae.contracts import Refused


def linear(
    n_steps: int, *, start: float = 1.0, end: float = 0.1, share: float = 1.0
) -> Callable[[int], float]:
    """From one factor to another along a line, up or down, and flat from there.

    Formula: factor(step) = start + (end - start) * min(1, step / (share * n_steps)).
        It begins at `start` and would be at `end` one step after its share of the run.
    Shapes: a step -> a factor from start to end.
    Units: the factor multiplies a learning rate or a weight; share is a fraction of the run.
    Parameters:
        start: the factor at the first step
        end: the factor when the line has come to its end
        share: the fraction of the run that the line takes, above 0
    Source: Caillon and Esling 2021 (RAVE), arxiv.org/abs/2111.05011: the defaults are those of their generator.

    >>> factor = linear(10, start=0.0, end=1.0, share=0.5)
    >>> [factor(step) for step in (0, 1, 5, 9)]
    [0.0, 0.2, 1.0, 1.0]
    """
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}")
    if not 0 <= start <= 1:
        raise Refused("start", f"start must be from 0 to 1, got {start}")
    if not 0 <= end <= 1:
        raise Refused("end", f"end must be from 0 to 1, got {end}")
    if not 0 < share <= 1:
        raise Refused("share", f"share must be above 0 and at most 1, got {share}")

    def factor(step: int) -> float:
        way = min(1.0, step / (share * n_steps))
        return (1 - way) * start + way * end

    return factor
