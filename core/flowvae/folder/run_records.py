"""What the files of a run's folder hold: one definition of each, by which it is written and read.

A run's folder holds run.json, status.json, result.json, and start.json where it began with another run's weights. A new file
is a new record here.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from attrs import field, frozen

from flowvae.folder.record import Record

State = Literal["waiting", "running", "done", "failed", "stopped"]


@frozen
class OtherRun:
    """A finished run whose weights another one begins with."""

    recipe: str
    """Nothing where its folder no longer says."""
    arm: str
    seed: int
    step: int


@frozen
class Order(Record):
    """What the process of a run is asked to do."""

    file: ClassVar[str] = "run.json"

    identity: str
    arm: str
    seed: int
    threads: int
    device: str
    plugins: tuple[str, ...]
    data: str
    """The folder with the clips, from the run's own."""
    begins_with: OtherRun | None = None
    """Nothing where it begins with no other run, or with a checkpoint that lies in none."""
    compiled: bool = False
    """Whether encoder and decoder go through torch's compiler."""


@frozen
class StatusRecord(Record):
    """Where a run stands."""

    file: ClassVar[str] = "status.json"

    state: State = "waiting"
    step: int = 0
    steps: int = 0
    exact: bool = True
    """Whether the run is, to the bit, the one that was never interrupted."""
    warnings: tuple[str, ...] = ()
    reason: str = ""
    do: str = ""
    """What helps, where it is known; nothing where the same command continues."""
    phase: str = ""
    loss: float | None = None
    discriminator_loss: float | None = None
    right: float | None = None
    """The share of the discriminators' right answers, 0.5 where they guess."""
    steps_per_second: float | None = None


@frozen
class History(Record):
    """What a run has been through, over all its starts."""

    file: ClassVar[str] = "history.json"

    seconds: Mapping[str, float] = field(factory=dict)
    """What its way to each of the last checkpoints took, by the step; of what was lost in between nothing counts."""
    exact: bool = True
    """Whether it is, to the bit, the one that was never interrupted."""
    forgotten: tuple[str, ...] | None = None
    """What a checkpoint of it does not hold, as the self-check found; None where there was none yet."""
    first_weights: str = ""
    """A hash of the model's weights before the first step."""
    told: tuple[str, ...] = ()
    """What its starts had to say."""


@frozen
class Started(Record):
    """What a run began with, by the names of the weights: taken from another run, begun anew, left there."""

    file: ClassVar[str] = "start.json"

    taken: tuple[str, ...]
    new: tuple[str, ...]
    left: tuple[str, ...]
    run: OtherRun | None = None
    """Nothing where they came from a checkpoint that lies in no run."""


@frozen
class MeasuredFigure:
    """What a metric said at the end; nothing where it was no number."""

    value: float | None
    per_sound: tuple[float | None, ...] | None


@frozen
class MeasuredReferences(Record):
    """What was measured of the references of an ablation, which nobody trained."""

    file: ClassVar[str] = "references.json"

    identity: str
    figures: Mapping[str, Mapping[str, MeasuredFigure]]
    """By the reference and the metric, for the metrics of reconstructions."""


@frozen
class Result(Record):
    """What a finished run measured."""

    file: ClassVar[str] = "result.json"

    metrics: Mapping[str, MeasuredFigure]
    untrained: Mapping[str, float | None]
    costs: Mapping[str, float | None]
    sounds: tuple[str, ...]
    groups: tuple[str, ...]
    threads: int
    device: str
    device_number: str | None
    precision: str
    data_fingerprint: str
    seed: int
    exact: bool
    plugins: tuple[str, ...]
    """The proof that no plugin but those named had a hand in it."""
    classes: tuple[str, ...] = ()
    """Of each sound; "" where nothing says it."""
    compiled: bool = False
    """Whether encoder and decoder went through torch's compiler."""
    targets: Mapping[str, float | None] = field(factory=dict)
    """The figures of the held-out sounds themselves, of metrics that read a reconstruction alone."""

    @property
    def is_measured(self) -> bool:
        """Whether it says anything: a file that somebody emptied is no result."""
        return any(figure.value is not None for figure in self.metrics.values())
