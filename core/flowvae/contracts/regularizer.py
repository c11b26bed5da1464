from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from flowvae.contracts.latent import LatentDistribution


@runtime_checkable
class BuiltRegularizer(Protocol):
    """The price of a posterior, and the weight of that price at a step.

    The price is in nats a sound, and told as `kl` in the journal. A class whose price is something else says what it is
    called in a constant, as in `figure: str = "mmd"`; with "" it costs nothing, and nothing is told. One that looks
    at latent vectors alone says `needs_density: bool = False`: then posterior and prior may be without densities, and
    `log_prob` NaN.
    """

    def __call__(
        self, posterior: LatentDistribution, prior: LatentDistribution, latent: Tensor, log_prob: Tensor
    ) -> Tensor:
        """A scalar: the mean over the batch. `log_prob` is the posterior's density at `latent`."""

    def beta(self, step: int) -> float:
        """The weight of that scalar in the loss."""


@runtime_checkable
class Regularizer(Protocol):
    """What keeps the posterior near the prior. The parent gives the length of the training in steps."""

    def __call__(self, n_steps: int) -> BuiltRegularizer: ...
