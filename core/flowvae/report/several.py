"""Several folders beside each other: figures of all, and differences only where runs are pairs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from flowvae.errors import CheckpointError, UsageError, shown
from flowvae.folder.plan_records import Plan, PlannedMetric
from flowvae.folder.run_records import Order
from flowvae.report.pairing import BUDGET, Kept, no_pair
from flowvae.report.reading import Run, read_folder, read_run
from flowvae.statistics.paired import Paired, pair, standard_deviation
from flowvae.text import toml_like


@frozen
class Group:
    """One arm of one folder, or one run that was named by itself."""

    name: str
    place: str
    """The folder, as short as it can be said."""
    runs: tuple[Kept, ...]

    @property
    def done(self) -> tuple[Kept, ...]:
        """Those with figures."""
        return tuple(kept for kept in self.runs if kept.run.result)

    @property
    def states(self) -> str:
        """How its runs stand."""
        counts = Counter(kept.run.state for kept in self.runs)
        return ", ".join(f"{count} {state}" for state, count in counts.items())

    @property
    def seeds(self) -> str:
        """Those of its finished runs."""
        return ", ".join(str(kept.run.seed) for kept in self.done) or "none"

    def figures(self, metric: str) -> dict[int, float]:
        """The finite figures of a metric, by seed."""
        found = ((kept.run.seed, kept.run.value(metric)) for kept in self.done)
        return {seed: value for seed, value in found if value is not None}

    def mean(self, metric: str) -> float | None:
        """Over the seeds that have a figure."""
        values = self.figures(metric).values()
        return sum(values) / len(values) if values else None

    def spread(self, metric: str) -> float | None:
        """The standard deviation over the seeds; None below two."""
        return standard_deviation(list(self.figures(metric).values()))

    def cost(self, name: str) -> float | None:
        """The mean of one cost over the finished runs."""
        found = [
            value for kept in self.done if kept.run.result and (value := kept.run.result.costs.get(name))
        ]
        return sum(found) / len(found) if found else None

    @property
    def budget(self) -> list[str]:
        """What each run was given, as its recipe says."""
        first = next(iter(self.runs), None)
        found = [first.value(path) if first else None for path in BUDGET]
        return [toml_like(value) if value is not None else "not known" for value in found]

    @property
    def sounds(self) -> str:
        """The fingerprint of its sounds, shortened."""
        clips = next((kept.clips for kept in self.runs if kept.clips), None)
        return clips.fingerprint[:12] if clips else "not known"


@frozen
class Beside:
    """A group beside the first one: the paired difference, or why none is taken."""

    group: Group
    paired: Paired | None
    reasons: tuple[str, ...]
    lost: tuple[int, ...] = ()
    """Seeds that both were to have, and that have no figure on one side: those may be the ones that would have decided."""


@frozen
class Several:
    """What the page of several folders shows."""

    groups: tuple[Group, ...]
    metrics: tuple[PlannedMetric, ...]
    """The first is what the differences are taken on."""
    problems: tuple[str, ...]

    @property
    def first(self) -> Group:
        """What all others stand beside."""
        return self.groups[0]

    @property
    def beside(self) -> tuple[Beside, ...]:
        """Every other group, in the order of the folders."""
        return tuple(_beside(self.first, group, self.metrics[0].name) for group in self.groups[1:])


def _beside(first: Group, group: Group, metric: str) -> Beside:
    ours, theirs = ({k.run.seed: k for k in one.done} for one in (group, first))
    shared = sorted(group.figures(metric).keys() & first.figures(metric).keys())
    if not shared:
        words = f"no seed has a figure of {metric} in both: {first.seeds}; and {group.seeds}"
        return Beside(group, None, (words,))
    # Seeds that are no pair are no pair for a reason that the others have as well: one difference of some of them, the
    # rest left out in silence, would be a choice.
    reasons = dict.fromkeys(why for seed in shared for why in no_pair(theirs[seed], ours[seed], metric))
    if reasons:
        return Beside(group, None, tuple(reasons))
    before, after = ({seed: one.figures(metric)[seed] for seed in shared} for one in (first, group))
    planned = {kept.run.seed for kept in first.runs} & {kept.run.seed for kept in group.runs}
    return Beside(group, pair(before, after), (), tuple(sorted(planned - {*shared})))


def read_several(folders: Sequence[Path]) -> Several:
    """Ablations and single runs; UsageError where one is neither, or where nothing has a figure to show."""
    problems: list[str] = []
    labels = _labels(folders)
    groups: list[Group] = []
    metrics: dict[str, PlannedMetric] = {}
    for folder in folders:
        found, known = _groups(folder, labels[folder], problems)
        groups += found
        metrics = {**metrics, **{m.name: m for m in known if m.name not in metrics}}
    if not metrics:
        raise UsageError(
            "none of these runs has a figure yet", do="flowvae status FOLDER says how they stand"
        )
    return Several(tuple(groups), tuple(metrics.values()), tuple(problems))


def _groups(folder: Path, label: str, problems: list[str]) -> tuple[list[Group], Iterator[PlannedMetric]]:
    """The groups of a folder, the baseline's first, and its metrics, the primary one first."""
    if (folder / Plan.file).is_file():
        content = read_folder(folder)
        problems += [f"{label}: {problem}" for problem in content.problems]
        arms = sorted(content.plan.arms, key=lambda arm: not arm.is_baseline)
        groups = [
            Group(f"{label}: {arm.name}", shown(folder), tuple(map(Kept, content.of(arm.name))))
            for arm in arms
        ]
        return groups, _primary_first(content.metrics, content.plan.metric)
    if (folder / Order.file).is_file():
        order, plan = Order.read(folder), _plan_around(folder)
        run: Run = read_run(order.arm, order.seed, folder, label, problems)
        names = run.result.metrics if run.result else ()
        known: Mapping[str, PlannedMetric] = {m.name: m for m in plan.metrics} if plan else {}
        metrics = [known.get(name) or PlannedMetric(name, "none", "", "quality") for name in names]
        group = Group(f"{label}: {order.arm} seed {order.seed}", shown(folder), (Kept(run),))
        return [group], _primary_first(metrics, plan.metric if plan else "")
    what = (
        f"{folder} holds no plan.json and no run.json" if folder.is_dir() else f"there is no folder {folder}"
    )
    raise UsageError(
        what, do="folders of ablations, as in runs/NAME, or of runs, as in runs/NAME/runs/ARM/seed-0"
    )


def _primary_first(metrics: Sequence[PlannedMetric], primary: str) -> Iterator[PlannedMetric]:
    return iter(sorted(metrics, key=lambda metric: metric.name != primary))


def _plan_around(run: Path) -> Plan | None:
    """The plan of the ablation that a run lies in, FOLDER/runs/ARM/seed-SEED; None where it lies elsewhere."""
    try:
        return Plan.read_if_there(run.absolute().parents[2])
    except (CheckpointError, IndexError):
        return None


def _labels(folders: Sequence[Path]) -> dict[Path, str]:
    """Each folder by its last name; by as many as it takes to tell them apart."""
    whole = [folder.absolute().parts for folder in folders]
    for count in range(1, max(map(len, whole)) + 1):
        names = ["/".join(parts[-count:]) for parts in whole]
        if len(set(names)) == len(names):
            return dict(zip(folders, names, strict=True))
    raise UsageError("a folder is named twice", do="name each folder once")
