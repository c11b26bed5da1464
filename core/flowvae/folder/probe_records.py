"""arms.json of an ablation's folder: every arm that it has seen, and what building it once has found."""

from collections.abc import Mapping
from typing import ClassVar

from attrs import field, frozen

from flowvae.folder.matched import Matched
from flowvae.folder.record import Plain, Record


@frozen
class Coverage:
    """Where a kind's components went in a model, and what a swap would not reach."""

    filled: Mapping[str, int]
    left_over: Mapping[str, int]


@frozen
class PhaseCosts:
    """What a step of a phase takes, for each sound of its batch."""

    macs: float
    """Multiply-adds, there and back, of whoever moves; who moves at every n-th step counts for a part of it."""
    kept: int
    """Bytes that are kept for the way back."""


@frozen
class Probed:
    """What a model is before it trains."""

    parameters: int
    memory: int
    """Bytes that training it takes, about."""
    macs_per_second: float
    receptive_field: int
    coverage: Mapping[str, Coverage]
    phases: Mapping[str, PhaseCosts] = field(factory=dict)
    """By the name of the phase, where there is more than the plain training."""


@frozen
class ProbedArm:
    """An arm that was asked for, and what its probe found once it was through."""

    identity: str
    fingerprint: str
    leaves: Mapping[str, Plain]
    """The values that can change a result, by key path."""
    plugins: tuple[str, ...]
    probed: Probed | None = None
    matched: Matched | None = None
    """Where the ablation matches what its arms cost; the baseline stays what it is."""


@frozen
class Arms(Record):
    """Every arm that a folder has seen."""

    file: ClassVar[str] = "arms.json"

    arms: Mapping[str, ProbedArm]
