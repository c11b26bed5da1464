"""What the runs of each arm began with, where that was the weights of other runs."""

from collections.abc import Sequence

from attrs import frozen

from flowvae.folder.run_records import Started
from flowvae.report.answers import Finding
from flowvae.report.number_format import whole
from flowvae.report.reading import Folder, Run

AT_A_GLANCE = 6  # so many names of weights are read; more are folded
ANEW = "all weights begin anew"


@frozen
class Names:
    """What became of some weights, and their names."""

    what: str
    names: tuple[str, ...]

    @property
    def is_long(self) -> bool:
        """Whether the page folds them."""
        return len(self.names) > AT_A_GLANCE


@frozen
class Beginning:
    """What the runs of an arm began with: in a sentence, and the names behind it."""

    arm: str
    said: str
    lists: tuple[Names, ...] = ()


def beginnings(folder: Folder) -> list[Beginning]:
    """For each arm; nothing where no run began with another's weights, and nothing of arms that have not begun."""
    if not any(run.started for run in folder.runs):
        return []
    found = []
    for arm in folder.plan.arms:
        groups = _alike(folder.of(arm.name))
        for runs, started in groups:
            lists = (
                Names("taken", started.taken),
                Names("begun anew", started.new),
                Names("left there", started.left),
            )
            said = ", ".join(
                f"{whole(len(part.names)) if part.names else 'none'} {part.what}" for part in lists
            )
            of = f"weights of {_sources(runs)}" if _sources(runs) else "weights of another run"
            own = f"seeds {', '.join(str(run.seed) for run in runs)}: " if len(groups) > 1 else ""
            shown = tuple(part for part in lists if part.names)
            found.append(Beginning(arm.name, f"{own}{of}: {said}", shown))
        if not groups and "start.from" not in _leaves(folder, arm.name):
            found.append(Beginning(arm.name, ANEW))
    return found


def differing_beginnings(folder: Folder) -> list[Finding]:
    """A sentence where arms of one seed did not begin with the same weights."""
    began = {arm.name: _began(folder, arm.name) for arm in folder.plan.arms}
    shared = set.intersection(*(set(seeds) for seeds in began.values())) if began else set()
    if not any(len({began[arm][seed] for arm in began}) > 1 for seed in shared):
        return []
    said = "; ".join(f"{beginning.arm}, {beginning.said}" for beginning in beginnings(folder))
    if any(axis.split(".")[0] == "start" for axis in folder.plan.axes):
        return [Finding("fact", f"The arms begin differently, as the plan asks: {said}.")]
    return [
        Finding("caution", f"The arms begin differently, which is a second difference between them: {said}.")
    ]


def _began(folder: Folder, arm: str) -> dict[int, object]:
    """What each run of an arm began with, by its seed; nothing of runs that have not begun."""
    source = _leaves(folder, arm).get("start.from")
    return {
        run.seed: (run.started, str(source) if run.started and run.started.run is None else "")
        for run in folder.of(arm)
        if run.started or (source is None and run.rows)
    }


def _leaves(folder: Folder, arm: str) -> dict[str, object]:
    return dict(folder.arms[arm].leaves) if arm in folder.arms else {}


def _alike(runs: Sequence[Run]) -> list[tuple[list[Run], Started]]:
    """The runs that took, began and left the same weights, whatever run these came from."""
    groups: dict[tuple[tuple[str, ...], ...], list[Run]] = {}
    for run in runs:
        if run.started:
            groups.setdefault((run.started.taken, run.started.new, run.started.left), []).append(run)
    return [(group, group[0].started) for group in groups.values() if group[0].started]


def _sources(runs: Sequence[Run]) -> str:
    """The runs that they came from, by recipe and arm, with their seeds."""
    found: dict[str, dict[int, None]] = {}
    for run in runs:
        other = run.started.run if run.started else None
        if other is not None:
            arm = f", {other.arm}" if other.recipe and other.arm != other.recipe else ""
            name = f"{other.recipe or other.arm}{arm} at step {whole(other.step)}"
            found.setdefault(name, {})[other.seed] = None
    return "; ".join(
        f"{name} ({'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))})"
        for name, seeds in found.items()
    )
