"""A learning rate that falls as a power of one over the step."""

from collections.abc import Callable

from flowvae.contracts import Refused


def inverse(
    *, decay_steps: float = 200_000.0, power: float = 0.5, warmup_decay: float = 0.999
) -> Callable[[int], float]:
    """A quick rise, then a fall that grows ever slower; the length of the run does not matter.

    Formula: factor(step) = (1 - warmup_decay ^ (step + 1)) * (1 + step / decay_steps) ^ -power.
    Shapes: a step -> a factor from 0 to 1.
    Units: the factor multiplies the learning rate of the optimizer; decay_steps is in steps, warmup_decay a
        ratio per step.
    Parameters:
        decay_steps: after how many steps the fall has come to 2 ^ -power
        power: how steep the fall is in the end; 0 is none
        warmup_decay: what a step leaves of the part that the rise still lacks, below 1; 0 begins at the height.
            After 1 / (1 - warmup_decay) steps 63 % are reached
    Source: the InverseLR of stable-audio-tools, with the values of its autoencoders.

    >>> factor = inverse()
    >>> [round(factor(step), 3) for step in (0, 999, 200_000, 600_000)]
    [0.001, 0.631, 0.707, 0.5]
    """
    if decay_steps <= 0:
        raise Refused("decay_steps", f"decay_steps must be above 0, got {decay_steps}")
    if power < 0:
        raise Refused("power", f"power must be at least 0, got {power}")
    if not 0 <= warmup_decay < 1:
        raise Refused("warmup_decay", f"warmup_decay must be from 0 to below 1, got {warmup_decay}")

    def factor(step: int) -> float:
        warmup = 1 - warmup_decay ** (step + 1)
        return float(warmup * (1 + step / decay_steps) ** -power)

    return factor
