"""A factor that rises before another schedule begins."""

from collections.abc import Callable

from flowvae.contracts import Refused, Schedule


def warmup(n_steps: int, *, then: Schedule, steps: int = 1000) -> Callable[[int], float]:
    """Up along a line to where another schedule begins, and then that one over what is left of the run.

    Formula: factor(step) = rest(0) * (step + 1) / (steps + 1) for step < steps, and rest(step - steps) from there,
        rest = then(n_steps - steps). Above 0 at the first step, which then moves something. A run that is no
        longer than the warm-up ends within it.
    Shapes: a step -> a factor from 0 to 1.
    Units: the factor multiplies a learning rate or a weight; steps are counted, whatever the length of the run.
    Parameters:
        then: what follows; its first step comes after the warm-up, and it sees a run that is as much shorter
        steps: how many steps the rise takes; 0 is none
    Source: Goyal et al. 2017, Accurate, large minibatch SGD, arxiv.org/abs/1706.02677, section 2.2.

    >>> factor = warmup(7, then=lambda n_steps: lambda step: 1 - step / n_steps, steps=3)
    >>> [factor(step) for step in range(7)]
    [0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25]
    """
    if steps < 0:
        raise Refused("steps", f"steps must be at least 0, got {steps}")
    rest = then(max(1, n_steps - steps))

    def factor(step: int) -> float:
        return rest(0) * (step + 1) / (steps + 1) if step < steps else rest(step - steps)

    return factor
