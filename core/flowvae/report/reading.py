"""A folder of runs as the report sees it: the plan, and one run for every planned arm and seed, whatever became of it."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from attrs import field, frozen

from flowvae.errors import CheckpointError
from flowvae.folder.journal import CURVE, VALIDATION, Row, read_journal
from flowvae.folder.latents import Latents
from flowvae.folder.plan_records import Plan, PlannedArm, PlannedMetric
from flowvae.folder.probe_records import Arms, ProbedArm
from flowvae.folder.record import Record
from flowvae.folder.run_records import (
    MeasuredFigure,
    MeasuredReferences,
    Result,
    Started,
    State,
    StatusRecord,
)

R = TypeVar("R", bound=Record)


@frozen
class Run:
    """One arm with one seed."""

    arm: str
    seed: int
    folder: Path
    status: StatusRecord
    result: Result | None = None
    rows: tuple[Row, ...] = field(default=(), repr=False)
    started: Started | None = None
    """What it began with, where that was another run's weights."""
    latents: Latents | None = field(default=None, repr=False)
    """Its codes of the held-out sounds, in the order of the result; nothing of a run that left none."""

    @property
    def state(self) -> State:
        """Where it stands; done means that the figures are there, whatever the status says."""
        return "failed" if self.status.state == "done" and self.result is None else self.status.state

    @property
    def reason(self) -> str:
        """Why it is not done."""
        if self.state == "failed" and self.status.state == "done":
            return "it says that it is done, but left no result that can be read"
        return self.status.reason

    def value(self, metric: str) -> float | None:
        """The figure of one metric, None where the run has no finite one."""
        figure = self.result.metrics.get(metric) if self.result else None
        return figure.value if figure else None

    def per_sound(self, metric: str) -> tuple[float | None, ...]:
        """The figures of one metric for each held-out sound; none where the metric has one for all."""
        figure = self.result.metrics.get(metric) if self.result else None
        return (figure.per_sound or ()) if figure else ()

    def measured(self, phase: str) -> frozenset[str]:
        """The keys that have a number in one phase."""
        rows = (row.figures for row in self.rows if row.phase == phase)
        return frozenset(key for figures in rows for key, value in figures.items() if value is not None)

    def curve(self, phase: str, key: str) -> tuple[tuple[float, float], ...]:
        """The (step, value) points of one key in one phase."""
        return tuple(
            (float(row.step), value)
            for row in self.rows
            if row.phase == phase and (value := row.figures.get(key)) is not None
        )


@frozen
class Folder:
    """All that was found, and what was missing or damaged."""

    plan: Plan
    runs: tuple[Run, ...]
    problems: tuple[str, ...]
    arms: Mapping[str, ProbedArm] = field(factory=dict, repr=False)
    """What each arm is, by name; nothing of those that the folder does not tell of."""
    references: Mapping[str, Mapping[str, MeasuredFigure]] = field(factory=dict, repr=False)
    """What was measured and never trained: the figures by name and metric."""
    place: Path = field(default=Path(), repr=False)
    """Where it lies."""

    def of(self, arm: str) -> tuple[Run, ...]:
        """The runs of one arm, in the order of the seeds."""
        return self._by_arm.get(arm, ())

    def metric(self, name: str) -> PlannedMetric:
        """A metric of the plan, or one that only the results know."""
        known = {metric.name: metric for metric in self.plan.metrics}
        return known.get(name) or PlannedMetric(name, "none", "", "quality")

    def over_steps(self, metric: str) -> tuple[str, str]:
        """The phase and key under which a metric has its curve: the one with more points, where all runs have it."""
        key = f"metric/{metric}"
        return (CURVE if key in self._with_points else VALIDATION), key

    @cached_property
    def _with_points(self) -> frozenset[str]:
        """The keys of which every run with figures of all sounds has points of a curve too."""
        keys = [(run.measured(VALIDATION), run.measured(CURVE)) for run in self.runs]
        of_all = frozenset[str]().union(*(full for full, _ in keys))
        return of_all - frozenset[str]().union(*(full - points for full, points in keys))

    @cached_property
    def metrics(self) -> tuple[PlannedMetric, ...]:
        """The planned metrics, then those that only the results know."""
        names = [metric.name for metric in self.plan.metrics]
        names += [name for run in self.runs for name in (run.result.metrics if run.result else ())]
        return tuple(self.metric(name) for name in dict.fromkeys(names))

    @cached_property
    def _by_arm(self) -> Mapping[str, tuple[Run, ...]]:
        """A page asks for the runs of each arm a dozen times and more: to look through all of them grew with the square."""
        found: dict[str, list[Run]] = {}
        for run in self.runs:
            found.setdefault(run.arm, []).append(run)
        return {arm: tuple(runs) for arm, runs in found.items()}


def read_folder(folder: Path) -> Folder:
    """Everything that a folder of runs says, finished or not; what is wrong with one run is told and stops nothing.

    Errors: CheckpointError where the plan cannot be read.
    """
    plan = Plan.read(folder)
    problems: list[str] = []
    there = {arm: _folders(path) for arm, path in _folders(folder / "runs").items()}
    runs = tuple(
        _run(arm, seed, there.get(arm.name, {}).get(f"seed-{seed}"), problems)
        for arm in plan.arms
        for seed in plan.seeds
    )
    arms = _read(Arms, folder, Arms.file, problems)
    measured = _read(MeasuredReferences, folder, MeasuredReferences.file, problems)
    figures = measured.figures if measured else {}
    return Folder(plan, runs, tuple(problems), arms.arms if arms else {}, figures, folder)


def _run(arm: PlannedArm, seed: int, folder: Path | None, problems: list[str]) -> Run:
    name = f"runs/{arm.name}/seed-{seed}"
    if folder is None:
        return Run(arm.name, seed, Path(name), StatusRecord(reason="not started: there is no folder for it"))
    return read_run(arm.name, seed, folder, name, problems)


def read_run(arm: str, seed: int, folder: Path, name: str, problems: list[str]) -> Run:
    """One run from its folder; what is wrong with it is added to the problems, under a name."""
    status, result = StatusRecord(), None
    try:
        status = StatusRecord.read_if_there(folder) or status
    except CheckpointError as error:
        problems.append(f"{name}: {error.what}")
        status = StatusRecord(state="stopped", reason="its status cannot be read")
    if status.state == "done":
        try:
            result = Result.read(folder)
        except CheckpointError as error:
            problems.append(f"{name}: {error.what}")
    rows, damaged = read_journal(folder)
    if damaged:
        lines_are = "line, which is" if damaged == 1 else "lines, which are"
        problems.append(f"{name}/metrics.jsonl has {damaged} damaged {lines_are} left out")
    started = _read(Started, folder, f"{name}/{Started.file}", problems)
    latents = _latents(folder, result, name, problems) if result else None
    return Run(arm, seed, folder, status, result, rows, started, latents)


def _latents(folder: Path, result: Result, name: str, problems: list[str]) -> Latents | None:
    try:
        latents = Latents.read_if_there(folder)
    except CheckpointError as error:
        problems.append(f"{name}: {error.what}")
        return None
    if latents is not None and len(latents.codes) != len(result.sounds):
        problems.append(
            f"{name}/{Latents.file} has {len(latents.codes)} codes for {len(result.sounds)} sounds"
        )
        return None
    if latents is not None and not latents.is_finite:
        problems.append(f"{name}/{Latents.file} holds vectors that are not finite: the run is not on the map")
        return None
    return latents


def _read(record: type[R], folder: Path, name: str, problems: list[str]) -> R | None:
    """A file that a page does without where it is missing or damaged."""
    try:
        return record.read_if_there(folder)
    except CheckpointError as error:
        problems.append(f"{name}: {error.what}")
        return None


def _folders(path: Path) -> Mapping[str, Path]:
    """The folders inside a folder by name: looking a name up here can never lead out of it."""
    try:
        return {child.name: child for child in sorted(path.iterdir()) if child.is_dir()}
    except OSError:
        return {}
