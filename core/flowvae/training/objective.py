"""What a player minimises: the figures of a batch, the first of which is the loss."""

from collections.abc import Callable, Mapping

from attrs import frozen
from torch import Tensor, nn

from flowvae.building.model import SoundVAE
from flowvae.building.parts import Parts
from flowvae.building.shared_stft import SharedStft
from flowvae.contracts import BuiltRegularizer

Objective = Callable[[Tensor, int], dict[str, Tensor]]
"""From a batch (b, c, t) and the step to figures by name; `loss` is what is minimised."""


@frozen(eq=False)
class Representation:
    """Reconstruct what was heard from a posterior that stays near the prior.

    Formula: loss = beta(step) * nats + sum over the losses of weight * loss(target, estimate)
    """

    model: SoundVAE
    losses: Mapping[str, nn.Module]
    weights: Mapping[str, float]
    regularizer: BuiltRegularizer
    stft: SharedStft

    @classmethod
    def of(cls, parts: Parts) -> "Representation":
        """As the recipe weighs it."""
        weights = {name: part.extras["weight"] for name, part in parts.recipe.losses.items()}
        return cls(parts.model, parts.losses, weights, parts.regularizer, parts.stft)

    def __call__(self, target: Tensor, step: int) -> dict[str, Tensor]:
        """The figures of one batch."""
        out = self.model(target)
        apart = {name: loss(target, out.estimate) for name, loss in self.losses.items()}
        nats = self.regularizer(out.posterior, self.model.prior(), out.latent, out.log_prob)
        total = nats * self.regularizer.beta(step)
        for name, loss in apart.items():
            total = total + self.weights[name] * loss
        self.stft.forget()
        return {"loss": total, "kl": nats, **{f"loss/{name}": loss for name, loss in apart.items()}}
