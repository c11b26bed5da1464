from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@runtime_checkable
class LatentDistribution(Protocol):
    """A distribution over latent vectors, in the vocabulary of torch.distributions.

    A torch Distribution with event shape (latent_dim,) that can also draw and weigh in one go. Where
    `torch.distributions.kl_divergence` knows a closed form for a posterior and a prior, it is used; elsewhere
    the KL is estimated at the sample that is decoded. Random numbers come from torch's generator, which the
    engine sets from the stream of the step.

    Where there is no density, as on a sphere or at a point, both ways to ask for it give NaN of the right shape: loud for
    whoever uses it. The posterior or the prior says so in a constant of its class, `has_density = False`, and a recipe
    in which something needs that density is refused before anything runs.
    """

    @property
    def mode(self) -> Tensor:
        """The vector that is decoded when nothing may be random, (b, latent_dim)."""

    def rsample_and_log_prob(self) -> tuple[Tensor, Tensor]:
        """A sample with gradient (b, latent_dim) and the logarithm of its density (b,)."""

    def sample(self, sample_shape: torch.Size) -> Tensor: ...
    def log_prob(self, value: Tensor) -> Tensor: ...
