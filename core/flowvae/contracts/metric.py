from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from attrs import frozen

if TYPE_CHECKING:
    from torch import Tensor


@frozen(eq=False)
class Evidence:
    """All that an evaluation of held-out sounds produced, on one device and without gradient."""

    real: Tensor
    """The sounds, (n, c, t)."""
    estimate: Tensor
    """Their reconstructions, (n, c, t)."""
    generated: Tensor
    """Samples from the prior, decoded, (m, c, t)."""
    codes: Tensor
    """The modes of the posteriors, (n, latent_dim)."""
    kl: Tensor
    """The divergence of each posterior from the prior in nats, (n,)."""
    classes: tuple[str, ...] = ()
    """The class of each sound, such as kick; "" where nothing says it, and nothing at all where nobody asked."""


@runtime_checkable
class BuiltMetric(Protocol):
    """A figure of an evaluation: (n,) where every sound has its own, () where the set has one.

    `direction` says which end is good ("none" where neither is), `unit` what it counts. Both are constants of the
    class, readable without running it. A class may also say its `family` (spectral, waveform, onset, artefact, latent,
    distribution): the panel of the report that shows it; and `least_sounds`, where it needs more than one held-out
    sound: a recipe whose split leaves fewer is refused before anything runs.
    """

    direction: Literal["lower", "higher", "none"]
    unit: str

    def __call__(self, evidence: Evidence) -> Tensor: ...


@runtime_checkable
class Metric(Protocol):
    """A figure by which runs are compared.

    `periods` are the distances in samples at which the model's layers repeat their pattern.
    """

    def __call__(self, sample_rate: int, periods: tuple[int, ...]) -> BuiltMetric: ...
