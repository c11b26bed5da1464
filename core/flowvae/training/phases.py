"""Phases: which objective is computed at a step, what moves, with which optimizer, and what is frozen.

A new way to train is a new value of these types and no branch in the loop.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from attrs import frozen
from torch import nn

from flowvae.building.device import uses_bf16
from flowvae.building.parts import Parts
from flowvae.building.second_player import HERE, SecondPlayer
from flowvae.training.adversary import DiscriminatorObjective, GeneratorObjective, Jury
from flowvae.training.objective import Objective, Representation

MODEL, OPTIMIZER = "model", "optimizer"
"""The names of the first player's module and optimizer, in the state of a run."""
SECOND_OPTIMIZER = f"{HERE}.optimizer"
"""The name of the second player's."""
DISCRIMINATORS = "discriminator/"
"""What its figures are told under."""


@frozen(eq=False)
class Turn:
    """One player's move within a step."""

    objective: Objective
    moves: tuple[str, ...]
    """Names of the modules whose weights are stepped."""
    optimizer: str
    """The name of the optimizer that steps them."""
    schedule: Callable[[int], float]
    """From the step within the training to a factor of its learning rate."""
    clip: float | None
    """The largest norm of the gradient."""
    lends: tuple[str, ...] = ()
    """Names of modules that the gradient goes through and does not reach."""
    every: int = 1
    """It is taken at the first step of the phase and at every so many steps from there."""
    told_as: str = ""
    """What its figures are told under; the model's have no such prefix."""


@frozen(eq=False)
class Phase:
    """A stretch of a training."""

    name: str
    turns: tuple[Turn, ...]
    from_step: int = 0
    frozen: tuple[str, ...] = ()
    """Names of modules (`model.encoder`) that are neither stepped nor averaged, to the bit."""

    def turns_at(self, step: int) -> tuple[Turn, ...]:
        """Who moves at a step, in this order."""
        return tuple(turn for turn in self.turns if (step - self.from_step) % turn.every == 0)


def phases_of(parts: Parts, seed: int, device: torch.device) -> tuple[Phase, ...]:
    """The phases that a recipe asks for, in their order."""
    representation = Representation.of(parts)
    turn = Turn(representation, (MODEL,), OPTIMIZER, parts.schedule, parts.recipe.train.clip)
    alone = Phase("representation", (turn,))
    player = parts.second_player
    if player is None:
        return (alone,)
    opposed = _adversarial(parts, player, representation, Jury(player, seed, uses_bf16(parts.recipe, device)))
    return (alone, opposed) if opposed.from_step else (opposed,)


def _adversarial(parts: Parts, player: SecondPlayer, representation: Representation, jury: Jury) -> Phase:
    """Discriminators first, then the model, against what they have become; both hear one pass of the model."""
    keys, names = player.keys, tuple(player.modules)
    discriminators = Turn(
        DiscriminatorObjective(jury),
        names,
        SECOND_OPTIMIZER,
        lambda step: player.schedule(step - keys.from_step),
        keys.clip,
        every=keys.discriminator_every,
        told_as=DISCRIMINATORS,
    )
    generator = Turn(
        GeneratorObjective(representation, jury),
        (MODEL,),
        OPTIMIZER,
        parts.schedule,
        parts.recipe.train.clip,
        lends=names,
    )
    return Phase("adversarial", (discriminators, generator), keys.from_step, keys.freeze)


@contextmanager
def lent(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Within, the gradient goes through these modules and does not reach their weights."""
    held = list(modules)
    for module in held:
        module.requires_grad_(requires_grad=False)
    yield
    for module in held:
        module.requires_grad_(requires_grad=True)


def phase_at(phases: Sequence[Phase], step: int) -> Phase:
    """The phase that a step belongs to: the last that has begun.

    >>> phase_at([Phase("first", ()), Phase("second", (), from_step=3)], 2).name
    'first'
    """
    return [phase for phase in phases if phase.from_step <= step][-1]
