"""plan.json of an ablation's folder: what is compared, decided before the first step, and every change after it."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from attrs import field, frozen

from flowvae.folder.matched import Matched
from flowvae.folder.record import Record

Direction = Literal["lower", "higher", "none"]


@frozen
class Change:
    """One leaf of the recipe in which an arm differs from the baseline, as text."""

    path: str
    baseline: str
    arm: str
    is_matched: bool = False
    """Whether it is the width at which the arm costs what the baseline does."""


@frozen
class Provenance:
    """Whose component it is, and the hash of its source."""

    distribution: str
    version: str
    source: str


@frozen
class PlannedArm:
    """One variant as it was planned."""

    name: str
    is_baseline: bool
    changes: Mapping[str, str]
    """Key path to the alternative as the recipe writes it."""
    difference: tuple[Change, ...]
    flags: tuple[str, ...]
    components: Mapping[str, Provenance]
    """By kind and qualified name."""
    parameters: float
    macs_per_second: float
    receptive_field: float
    price: str = "kl"
    """What the price of a posterior is called in the journal; nothing where there is none."""
    reason: str = ""
    """Why it changes more than what is varied, as the recipe says."""
    steps: int = 0
    """All that a run of it takes; 0 in plans that do not say it."""
    variant: str = ""
    """Of an ablation that is run across some values, its name without the value."""
    at: str = ""
    """That value, as the recipe writes it; each has a baseline of its own."""
    matched: Matched | None = None
    """Where the ablation matches what its arms cost: the width, and how near it comes."""

    @property
    def owners(self) -> tuple[str, ...]:
        """The distributions behind its components."""
        return tuple(sorted({f"{c.distribution} {c.version}" for c in self.components.values()}))


@frozen
class PlannedMetric:
    """A metric as its component declares it; `family` is the panel that shows it."""

    name: str
    direction: Direction
    unit: str
    family: str
    least: float | None = None
    """What every figure below is told as; None where there is no such limit."""
    most: float | None = None
    """What every figure above is told as."""
    summary: str = ""
    """The first sentence of its documentation."""


@frozen
class LedgerEntry:
    """What was decided, or changed, and after how many finished runs."""

    when: str
    """In UTC, to the second."""
    finished: int
    what: str
    """planned, metric, direction, question, seeds, worthwhile_difference, arm added, arm left out, look."""
    before: str
    after: str
    seeds: tuple[int, ...] = ()
    """Of a look, those that were looked at; of a change of the seeds, those that were run, or to be run, before it."""
    level: float | None = None
    """Of either, the false claims that the plan allowed until then, where it said so."""
    ended: bool = False
    """Of a look, whether the runs ended with it."""


@frozen
class LookAhead:
    """A look that is planned."""

    seeds: tuple[int, ...]
    """All that it looks at, those of the look before it included."""
    level: float | None
    """The false claims that are allowed until then; None where it was planned after a look: half of what is left."""


@frozen
class PlannedData:
    """The sounds that all arms are given."""

    description: str
    used: int
    noted: int
    skipped: int
    held_out: int
    held_out_groups: tuple[str, ...]
    split: tuple[str, ...]
    """What there was to say of the split."""
    fingerprint: str
    sample_rate: int
    seconds: float


@frozen
class Plan(Record):
    """What was decided before the first step, and every change after it."""

    file: ClassVar[str] = "plan.json"

    name: str
    description: str
    question: str
    metric: str
    """The primary one."""
    worthwhile_difference: float | None
    metrics: tuple[PlannedMetric, ...]
    axes: tuple[str, ...]
    """The key paths that are varied."""
    seeds: tuple[int, ...]
    """Those of the look that is due, or that the runs ended with; all, where no looks are planned."""
    arms: tuple[PlannedArm, ...]
    data: PlannedData
    steps: int
    batch_size: int
    ledger: tuple[LedgerEntry, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    """Arms that are compared with each other, besides each with the baseline."""
    factors: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """Of a crossed ablation, what is varied by key path, each as the recipe writes it; the first is the baseline's."""
    across: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """Of an ablation that is run across some values, these by their key path, as the recipe writes them."""
    looks: tuple[LookAhead, ...] = ()
    """Where seeds are added until every comparison is decided, each look until the last one that there may be."""

    @property
    def across_path(self) -> str:
        """The key path that it is run across; nothing where there is none."""
        return next(iter(self.across), "")

    @property
    def values(self) -> tuple[str, ...]:
        """What it is run across, the first value first."""
        return self.across.get(self.across_path, ())

    @property
    def looks_taken(self) -> tuple[LedgerEntry, ...]:
        """The looks that were taken, in their order."""
        return tuple(entry for entry in self.ledger if entry.what == "look")

    @property
    def n_looks(self) -> int:
        """How many looks there may be."""
        return max(1, len(self.looks))

    @property
    def has_ended(self) -> bool:
        """Whether the runs have ended at a look; seeds that are planned anew go on from there."""
        last = next((entry for entry in reversed(self.ledger) if entry.what in {"look", "seeds"}), None)
        return last is not None and last.ended

    @property
    def primary(self) -> PlannedMetric | None:
        """The metric that decides."""
        return next((m for m in self.metrics if m.name == self.metric), None)

    @property
    def baseline(self) -> PlannedArm | None:
        """The arm that the others are compared with; where there is one at each value, the first."""
        return next((arm for arm in self.arms if arm.is_baseline), None)

    def baseline_of(self, arm: PlannedArm) -> PlannedArm | None:
        """The arm that one is compared with: the baseline at its own value."""
        return next((one for one in self.arms if one.is_baseline and one.at == arm.at), None)

    @property
    def alternatives(self) -> tuple[PlannedArm, ...]:
        """All arms but the baselines."""
        return tuple(arm for arm in self.arms if not arm.is_baseline)

    @property
    def asked_pairs(self) -> tuple[tuple[PlannedArm, PlannedArm], ...]:
        """The pairs as arms: what is compared, and with what."""
        by_name = {arm.name: arm for arm in self.arms}
        return tuple((by_name[arm], by_name[other]) for other, arm in self.pairs)

    @property
    def n_tested(self) -> int:
        """How many differences are tested together: all comparisons, and what becomes of each at the other values."""
        n_values = max(1, len(self.values))
        n = len(self.alternatives) + len(self.pairs)
        return n + n // n_values * (n_values - 1)
