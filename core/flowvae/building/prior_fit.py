"""What fits the prior of a model that no longer moves."""

from collections.abc import Callable
from typing import Any

from attrs import frozen
from torch import optim

from flowvae.building.builder import Builder
from flowvae.errors import Fault, RecipeError
from flowvae.recipe import Recipe
from flowvae.recipe.tables import PriorFitSection

HERE = "prior_fit"
"""The table, and with it the beginning of the key path of each of its parts."""


@frozen(eq=False)
class PriorFit:
    """The optimizer of the prior's weights alone, and its schedule over the phase."""

    section: PriorFitSection
    optimizer: optim.Optimizer
    schedule: Callable[[int], float]

    @classmethod
    def of(cls, section: PriorFitSection, recipe: Recipe, builder: Builder, prior: Any) -> "PriorFit":
        """RecipeError where the prior has nothing to fit."""
        weights = [(f"prior.{name}", weight) for name, weight in prior.named_parameters()]
        if not weights:
            what = f"{recipe.model.prior.name} has no weights, so there is nothing to fit"
            accepted = "a prior with weights; or no [prior_fit]"
            raise RecipeError([Fault(what, path="model.prior", accepted=accepted)])
        return cls(
            section,
            builder.build(section.optimizer, f"{HERE}.optimizer", parameters=weights),
            builder.build(
                section.schedule, f"{HERE}.schedule", n_steps=recipe.train.steps - section.from_step
            ),
        )
