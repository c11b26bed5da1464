from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NoReturn, Protocol, cast, runtime_checkable

from attrs import frozen

if TYPE_CHECKING:
    from torch import Tensor


class NotGathered:
    """Stands where no metric of an evaluation said that it reads the field."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"there is no {name}: this field of the evidence was not gathered; name it in the metric's `reads`"
        )


_NOTHING = cast("Tensor", NotGathered())


@frozen(eq=False)
class Evidence:
    """All that an evaluation of held-out sounds produced, on one device and without gradient.

    The first five and the classes are always there; each of the others only where a metric names it in its `reads`.
    """

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
    latents: Tensor = _NOTHING
    """One sample of each posterior, (n, latent_dim)."""
    prior_latents: Tensor = _NOTHING
    """As many samples of the prior, (n, latent_dim)."""
    kl_by_dimension: Tensor = _NOTHING
    """The divergence dimension by dimension in nats, (n, latent_dim); NaN unless posterior and prior are normal
    distributions of independent dimensions."""
    round_trips: Tensor = _NOTHING
    """The modes of the posteriors after one time and after three times decode and encode, (2, n, latent_dim)."""
    silence: Tensor = _NOTHING
    """What the model makes of a silent clip, (1, c, t)."""
    trained: Tensor = _NOTHING
    """Sounds that the model was trained on: n of them, or all where there are fewer, (k, c, t)."""


@runtime_checkable
class BuiltMetric(Protocol):
    """A figure of an evaluation: (n,) where every sound has its own, () where the set has one.

    `direction` says which end is good ("none" where neither is), `unit` what it counts. Both are constants of the
    class, readable without running it. So is `reads`, the names of the fields of the evidence that the figure depends
    on, all of them and no other. A class may also say its `family` (spectral, waveform, onset, artefact, latent,
    distribution): the panel of the report that shows it; and `least_sounds` or `least_generated`, where it needs more
    than one held-out sound or sound of the prior: a recipe that has fewer is refused before anything runs; or its
    `limits`, (least, most), where figures beyond are told as the limit, None on a side that has none: where more than
    5 % of the figures lie on one, the metric decides nothing.
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
