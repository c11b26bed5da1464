"""Phases: which objective is computed at a step, what moves, with which optimizer, and what is frozen.

A new way to train is a new value of these types and no branch in the loop.
"""

from collections.abc import Sequence

from attrs import frozen

from flowvae.building.parts import Parts
from flowvae.training.objective import Objective, Representation

MODEL, OPTIMIZER = "model", "optimizer"
"""The names of the first player's module and optimizer, in the state of a run."""


@frozen(eq=False)
class Turn:
    """One player's move within a step."""

    objective: Objective
    moves: tuple[str, ...]
    """Names of the modules whose weights are stepped."""
    optimizer: str
    """The name of the optimizer that steps them."""


@frozen(eq=False)
class Phase:
    """A stretch of a training."""

    name: str
    turns: tuple[Turn, ...]
    from_step: int = 0
    frozen: tuple[str, ...] = ()
    """Names of modules (`model.encoder`) that are neither stepped nor averaged, to the bit."""


def phases_of(parts: Parts) -> tuple[Phase, ...]:
    """The phases that a recipe asks for, in their order."""
    representation = Turn(Representation.of(parts), (MODEL,), OPTIMIZER)
    return (Phase("representation", (representation,)),)


def phase_at(phases: Sequence[Phase], step: int) -> Phase:
    """The phase that a step belongs to: the last that has begun.

    >>> phase_at([Phase("first", ()), Phase("second", (), from_step=3)], 2).name
    'first'
    """
    return [phase for phase in phases if phase.from_step <= step][-1]
