"""What the model minimises: the figures of a batch, of which `loss` counts."""

from collections.abc import Callable, Mapping
from functools import cached_property

from attrs import define, frozen
from torch import Tensor, nn

from flowvae.building.model import Reconstruction, SoundVAE
from flowvae.building.parts import Parts
from flowvae.contracts import BuiltRegularizer
from flowvae.recipe.density import DIVERGENCE
from flowvae.streams import turn_to


@define(eq=False, slots=False)
class Pass:
    """One batch through the model, once for all who take a turn at it."""

    model: SoundVAE
    target: Tensor
    """(b, c, n_samples)."""
    step: int

    @cached_property
    def reconstruction(self) -> Reconstruction:
        """What came of the batch, with the graph that led to it."""
        out: Reconstruction = self.model(self.target)
        return out


Objective = Callable[[Pass], dict[str, Tensor]]
"""From a batch to figures by name; `loss` is what is minimised."""


@frozen(eq=False)
class Representation:
    """Reconstruct what was heard from a posterior that stays near the prior.

    Formula: loss = beta(step) * nats + sum over the losses of weight * loss(target, estimate)
    """

    model: SoundVAE
    losses: Mapping[str, nn.Module]
    weights: Mapping[str, float]
    regularizer: BuiltRegularizer

    @classmethod
    def of(cls, parts: Parts) -> "Representation":
        """As the recipe weighs it."""
        weights = {f"loss/{name}": part.extras["weight"] for name, part in parts.recipe.losses.items()}
        return cls(parts.model, parts.losses, weights, parts.regularizer)

    def __call__(self, batch: Pass) -> dict[str, Tensor]:
        """The figures of one batch."""
        apart = self.distances(batch.target, batch.reconstruction.estimate)
        nats = self.nats(batch.reconstruction)
        total = nats * self.regularizer.beta(batch.step)
        for name, loss in apart.items():
            total = total + self.weights[name] * loss
        return {"loss": total, **self.told(nats), **apart}

    def distances(self, target: Tensor, estimate: Tensor) -> dict[str, Tensor]:
        """Every loss under its name among the figures, unweighted."""
        return {f"loss/{name}": loss(target, estimate) for name, loss in self.losses.items()}

    def told(self, price: Tensor) -> dict[str, Tensor]:
        """The price of the posterior under the name that its regularizer gives it."""
        name = getattr(self.regularizer, "figure", DIVERGENCE)
        return {name: price} if name else {}

    def nats(self, out: Reconstruction) -> Tensor:
        """What the posterior costs, in nats where its regularizer does not say otherwise."""
        turn_to("regularizer")
        nats: Tensor = self.regularizer(out.posterior, self.model.prior(), out.latent, out.log_prob)
        return nats
