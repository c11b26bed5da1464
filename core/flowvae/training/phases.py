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
from flowvae.building.prior_fit import HERE as FIT
from flowvae.building.prior_fit import PriorFit
from flowvae.building.second_player import HERE, SecondPlayer
from flowvae.training.adversary import DiscriminatorObjective, GeneratorObjective, Jury
from flowvae.training.objective import Objective, Representation
from flowvae.training.prior_likelihood import PriorLikelihood

MODEL, OPTIMIZER = "model", "optimizer"
"""The names of the first player's module and optimizer, in the state of a run."""
SECOND_OPTIMIZER = f"{HERE}.optimizer"
"""The name of the second player's."""
PRIOR_OPTIMIZER = f"{FIT}.optimizer"
"""The name of what fits the prior after the fact."""
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
    table: str = "train"
    """The table of the recipe that says its optimizer and its clip."""


@frozen(eq=False)
class Phase:
    """A stretch of a training."""

    name: str
    turns: tuple[Turn, ...]
    from_step: int = 0
    frozen: tuple[str, ...] = ()
    """Names of modules (`model.encoder`) that are neither stepped nor averaged, to the bit."""
    reconstructs: bool = True
    """Whether the model takes every batch there and back."""

    def turns_at(self, step: int) -> tuple[Turn, ...]:
        """Who moves at a step, in this order."""
        return tuple(turn for turn in self.turns if (step - self.from_step) % turn.every == 0)


def phases_of(parts: Parts, seed: int, device: torch.device) -> tuple[Phase, ...]:
    """The phases that a recipe asks for, in their order."""
    representation = Representation.of(parts)
    turn = Turn(representation, (MODEL,), OPTIMIZER, parts.schedule, parts.recipe.train.clip)
    alone = Phase("representation", (turn,))
    phases, player = [alone], parts.second_player
    if player is not None:
        jury = Jury(player, seed, uses_bf16(parts.recipe, device))
        phases.append(_adversarial(parts, player, representation, jury))
    if parts.prior_fit is not None:
        phases.append(_prior_fit(parts, parts.prior_fit))
    # What begins at once leaves nothing to the phase before it.
    starts = [*(phase.from_step for phase in phases[1:]), None]
    return tuple(phase for phase, end in zip(phases, starts, strict=True) if end != 0)


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
        table=HERE,
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


def _prior_fit(parts: Parts, fit: PriorFit) -> Phase:
    """The prior alone: all else of the model is frozen."""
    weighty = [name for name, child in parts.model.named_children() if any(True for _ in child.parameters())]
    rest = tuple(f"{MODEL}.{name}" for name in weighty if name != "prior")
    first = fit.section.from_step
    turn = Turn(
        PriorLikelihood(parts.average.eval(), parts.model),
        (MODEL,),
        PRIOR_OPTIMIZER,
        lambda step: fit.schedule(step - first),
        fit.section.clip,
        table=FIT,
    )
    return Phase(FIT, (turn,), first, rest, reconstructs=False)


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
