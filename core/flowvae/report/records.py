"""What a folder of runs holds, as frozen data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from attrs import field, frozen

from flowvae.statistics.paired import Direction

State = Literal["done", "failed", "stopped", "running", "waiting"]


@frozen
class MetricInfo:
    """A metric as the plan declares it; `family` is the panel that shows it."""

    name: str
    direction: Direction
    unit: str
    family: str


@frozen
class Change:
    """One leaf of the recipe in which an arm differs from the baseline."""

    path: str
    baseline: str
    arm: str


@frozen
class Used:
    """A component that an arm is made of, and whose it is."""

    component: str
    """Its kind, and its name with the distribution that offers it."""
    owner: str
    source: str
    """The hash of its source."""


@frozen
class Arm:
    """One variant as it was planned."""

    name: str
    is_baseline: bool
    changes: tuple[Change, ...] = ()
    flags: tuple[str, ...] = ()
    identity: str = ""
    components: tuple[Used, ...] = ()
    parameters: float | None = None
    macs_per_second: float | None = None
    receptive_field: float | None = None

    @property
    def owners(self) -> tuple[str, ...]:
        """The distributions behind its components."""
        return tuple(sorted({used.owner for used in self.components}))


@frozen
class Data:
    """The sounds that all arms were given."""

    used: float | None = None
    skipped: float | None = None
    noted: float | None = None
    held_out: float | None = None
    held_out_groups: tuple[str, ...] = ()
    fingerprint: str = ""
    description: str = ""


@frozen
class Plan:
    """What was decided before the first step."""

    name: str
    question: str
    metric: MetricInfo | None
    metrics: tuple[MetricInfo, ...]
    seeds: tuple[int, ...]
    arms: tuple[Arm, ...]
    ledger: tuple[tuple[str, str], ...]
    data: Data
    steps: float | None
    batch: float | None
    worthwhile_difference: float | None

    @property
    def baseline(self) -> Arm | None:
        """The arm that the others are compared with."""
        return next((arm for arm in self.arms if arm.is_baseline), None)

    @property
    def alternatives(self) -> tuple[Arm, ...]:
        """All arms but the baseline."""
        return tuple(arm for arm in self.arms if not arm.is_baseline)


@frozen
class Result:
    """What a finished run measured; None stands for a figure that was not finite."""

    metrics: Mapping[str, float | None]
    per_sound: Mapping[str, tuple[float | None, ...]]
    untrained: Mapping[str, float | None]
    costs: Mapping[str, float]
    sounds: tuple[str, ...]
    groups: tuple[str, ...]
    context: Mapping[str, str]


@frozen
class Run:
    """One arm with one seed, whatever became of it."""

    arm: str
    seed: int
    folder: Path
    state: State
    step: float | None = None
    steps: float | None = None
    reason: str = ""
    exact: bool = True
    warnings: tuple[str, ...] = ()
    result: Result | None = None
    rows: tuple[Mapping[str, float | str], ...] = field(default=(), repr=False)

    def value(self, metric: str) -> float | None:
        """The figure of one metric, None where the run has no finite one."""
        return self.result.metrics.get(metric) if self.result else None

    def curve(self, phase: str, key: str) -> tuple[tuple[float, float], ...]:
        """The (step, value) points of one key in one phase."""
        return tuple(
            (float(row["step"]), float(row[key]))
            for row in self.rows
            if row.get("phase") == phase and "step" in row and isinstance(row.get(key), float)
        )


@frozen
class Folder:
    """All that was found: the plan, one run for every planned arm and seed, and what was missing or damaged."""

    plan: Plan
    runs: tuple[Run, ...]
    problems: tuple[str, ...]

    def of(self, arm: str) -> tuple[Run, ...]:
        """The runs of one arm, in the order of the seeds."""
        return tuple(run for run in self.runs if run.arm == arm)
