"""What a model costs as a multiple of another one: counted, or timed side by side."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median, quantiles

import torch
from attrs import evolve, frozen

from flowvae.building.parts import Parts
from flowvae.catalogue import Catalogue
from flowvae.folder.probe_records import Probed
from flowvae.probe.limits import limited
from flowvae.probe.probe import probe
from flowvae.probe.steps import freeze, lent_for, sounds_for
from flowvae.probe.width_search import Cost
from flowvae.recipe import Recipe
from flowvae.training.phases import Phase, phases_of

ROUNDS = 9
"""Of steps that are timed alternately, after one that is not: the median of nine lies within some percent where a machine
is shared."""

CostOf = Callable[[Recipe], Cost]


@frozen
class Workshop:
    """Where models are built: with what is installed, by one of so many that share the memory."""

    catalogue: Catalogue
    share: int = 1

    def probed(self, recipe: Recipe) -> Probed:
        """What the model is, within the limits of building."""
        with limited(recipe, self.share):
            return probe(recipe, self.catalogue)


def counted(baseline: Recipe, shop: Workshop, count: Callable[[Probed], float]) -> CostOf:
    """What the probe counts, as a multiple of the baseline's."""
    whole = count(shop.probed(baseline))
    return lambda recipe: Cost.exact(count(shop.probed(recipe)) / whole)


def timed(baseline: Recipe, shop: Workshop) -> CostOf:
    """Processor time of steps, of both in turn, so that what disturbs one disturbs the other; the median of the ratios."""
    ours = TimedSteps(baseline)

    def cost_of(recipe: Recipe) -> Cost:
        shop.probed(
            recipe
        )  # what is refused is refused before it is timed, which may take longer than building may
        theirs = TimedSteps(recipe)
        rounds = [theirs.seconds() / ours.seconds() for _ in range(ROUNDS + 1)][1:]
        lower, _, upper = quantiles(rounds, n=4)
        return Cost(median(rounds), lower, upper)

    return cost_of


WAYS: Mapping[str, Callable[[Recipe, Workshop], CostOf]] = {
    "parameters": partial(counted, count=lambda probed: probed.parameters),
    "multiply_adds": partial(counted, count=lambda probed: probed.macs_per_second),
    "seconds": timed,
}


class TimedSteps:
    """Steps of a training on noise, forwards and back, without the optimizer: a step of each phase by its share of all."""

    def __init__(self, recipe: Recipe) -> None:
        self._parts = Parts(evolve(recipe, train=evolve(recipe.train, precision="fp32")), 0)
        self._parts.build_all()
        phases = phases_of(self._parts, 0, torch.device("cpu"))
        ends = [*(phase.from_step for phase in phases[1:]), recipe.train.steps]
        self._shares = [
            (phase, (end - phase.from_step) / recipe.train.steps)
            for phase, end in zip(phases, ends, strict=True)
        ]

    def seconds(self) -> float:
        """Processor time of a step, over all phases by how long they are."""
        return sum(share * self._step(phase) for phase, share in self._shares)

    def _step(self, phase: Phase) -> float:
        parts = self._parts
        freeze(parts, phase.frozen)
        batch = sounds_for(phase, parts, parts.recipe.train.batch_size)
        total, before = 0.0, time.process_time()
        if phase.reconstructs:
            _ = batch.reconstruction
        total += time.process_time() - before
        for turn in phase.turns:
            before = time.process_time()
            with lent_for(turn, parts):
                turn.objective(batch)["loss"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            total += (time.process_time() - before) / turn.every
        parts.stft.forget()
        parts.model.zero_grad(set_to_none=True)
        freeze(parts, ())
        return total
