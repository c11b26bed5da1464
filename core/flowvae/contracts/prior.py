from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from flowvae.contracts.latent import LatentDistribution


@runtime_checkable
class BuiltPrior(Protocol):
    """Called without arguments, it gives a distribution with batch shape () and event shape (latent_dim,).

    A class whose distribution has no density says `has_density: bool = False`; one that is made of posteriors, and has a
    density where they have one, `needs_density: bool = True`.
    """

    def __call__(self) -> LatentDistribution: ...


@runtime_checkable
class Prior(Protocol):
    """What is known of the latent vector before any sound was heard (an nn.Module, in fp32).

    `encode` maps sounds (b, channels, n_samples) to their posterior, as the model does. It belongs to the model and is no
    part of the prior: it is called, and neither registered nor kept in a state.
    """

    def __call__(
        self,
        latent_dim: int,
        encode: Callable[[Tensor], LatentDistribution],
        channels: int,
        n_samples: int,
    ) -> BuiltPrior: ...
