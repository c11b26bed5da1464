from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from flowvae.contracts.latent import LatentDistribution


@runtime_checkable
class BuiltPrior(Protocol):
    """Called without arguments, it gives a distribution with batch shape () and event shape (latent_dim,)."""

    def __call__(self) -> LatentDistribution: ...


@runtime_checkable
class Prior(Protocol):
    """What is known of the latent vector before any sound was heard (an nn.Module, in fp32)."""

    def __call__(self, latent_dim: int) -> BuiltPrior: ...
