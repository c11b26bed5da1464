"""The phases of an arm's training, and its second player, from what the engine wrote of the arm."""

from collections.abc import Mapping

from attrs import frozen

from flowvae.folder.plan_records import PlannedArm
from flowvae.folder.record import Plain
from flowvae.report.comparison import mean_cost
from flowvae.report.number_format import large, percent, plain, whole
from flowvae.report.reading import Folder

HERE = "adversarial"
"""The table of the second player in a recipe."""


@frozen
class SecondPlayer:
    """The discriminators of an arm, and the phase in which they play."""

    leaves: Mapping[str, Plain]
    """The arm's values by key path."""
    phases: tuple[str, ...]
    """Of the arm, in their order."""

    @property
    def phase(self) -> str:
        """The one in which they play."""
        return HERE

    @property
    def before(self) -> str:
        """The phase before theirs; nothing where theirs is the first."""
        index = self.phases.index(HERE)
        return self.phases[index - 1] if index else ""

    @property
    def from_step(self) -> int:
        """Steps before their phase: the journal's rows up to this step are of the phase before."""
        step = self.leaves.get(f"{HERE}.from_step")
        return step if isinstance(step, int) else 0

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        steps = self.leaves.get("train.steps")
        return steps if isinstance(steps, int) else 0

    @property
    def discriminators(self) -> tuple[str, ...]:
        """Their names."""
        return self._names("discriminators")

    @property
    def is_balanced(self) -> bool:
        """Whether a component weighs the pulls at the reconstruction, whatever their strengths are."""
        return f"{HERE}.balance.use" in self.leaves

    @property
    def said(self) -> str:
        """The phases in a sentence."""
        parts = [_in_words(self.phases, self.leaves)]
        if frozen_parts := self._names("freeze"):
            parts.append(f"frozen: {', '.join(frozen_parts)}")
        parts.append(f"discriminators: {', '.join(self.discriminators)}")
        heard = _number(self.leaves.get(f"{HERE}.hears_samples"))
        if heard is not None:
            of = whole(_number(self.leaves.get("model.n_samples")))
            parts.append(f"discriminators hear {whole(heard)} of {of} samples")
        every = _number(self.leaves.get(f"{HERE}.discriminator_every")) or 1
        if every > 1:
            parts.append(f"they move at one step of {whole(every)}")
        return "; ".join(parts)

    def _names(self, key: str) -> tuple[str, ...]:
        found = self.leaves.get(f"{HERE}.{key}")
        return tuple(map(str, found)) if isinstance(found, list) else ()


def second_player(folder: Folder, arm: str) -> SecondPlayer | None:
    """The second player of an arm; nothing where it has none, or where the folder does not say."""
    entry = folder.arms.get(arm)
    if entry is None or entry.probed is None or HERE not in entry.probed.phases:
        return None
    return SecondPlayer(entry.leaves, tuple(entry.probed.phases))


def second_players(folder: Folder) -> dict[str, SecondPlayer]:
    """The second player of each arm that has one, by the arm."""
    found = {arm.name: second_player(folder, arm.name) for arm in folder.plan.arms}
    return {name: player for name, player in found.items() if player is not None}


def phases_said(folder: Folder) -> list[tuple[str, str]]:
    """For each arm its phases in a sentence; nothing where every arm has one."""
    players = second_players(folder)
    said = []
    for arm in folder.plan.arms:
        phases = _phases(folder, arm)
        if arm.name in players:
            said.append((arm.name, players[arm.name].said))
        elif phases:
            said.append((arm.name, _in_words(phases, folder.arms[arm.name].leaves)))
        else:
            said.append((arm.name, "one phase, without a second player"))
    return said if any(_phases(folder, arm) for arm in folder.plan.arms) else []


def _in_words(phases: tuple[str, ...], leaves: Mapping[str, Plain]) -> str:
    """Every phase, and the step at which the next one begins, or the training ends."""
    ends = [leaves.get(f"{phase}.from_step", 0) for phase in phases[1:]]
    steps = [whole(_number(end)) for end in (*ends, leaves.get("train.steps"))]
    return ", then ".join(f"{phase} to step {end}" for phase, end in zip(phases, steps, strict=True))


@frozen
class PhaseCost:
    """What one phase of one arm costs, as the page shows it: the arm, the phase, and a cell for each cost."""

    arm: str
    phase: str
    cells: tuple[tuple[str, str], ...]
    """Each with how it compares to the same phase of the baseline."""


PHASE_COSTS = ("multiply-adds of a step for each sound", "seconds a step", "peak memory until its end, MB")


def phase_costs(folder: Folder) -> list[PhaseCost]:
    """A row for each phase of each arm that has several."""
    rows = []
    for arm in folder.plan.arms:
        baseline = folder.plan.baseline_of(arm)
        for phase in _phases(folder, arm):
            base = _values(folder, baseline, phase) if baseline and not arm.is_baseline else (None,) * 3
            cells = [
                (write(value), percent(value, theirs) if theirs and value is not None else "")
                for value, theirs, write in zip(
                    _values(folder, arm, phase), base, (large, plain, plain), strict=True
                )
            ]
            rows.append(PhaseCost(arm.name, phase, tuple(cells)))
    return rows


def phase_values(folder: Folder, arm: PlannedArm) -> dict[str, dict[str, float | None]]:
    """The same costs of one arm in full, by phase."""
    keys = ("macs", "seconds_per_step", "peak_memory_mb")
    return {
        phase: dict(zip(keys, _values(folder, arm, phase), strict=True)) for phase in _phases(folder, arm)
    }


def _phases(folder: Folder, arm: PlannedArm) -> tuple[str, ...]:
    entry = folder.arms.get(arm.name)
    return tuple(entry.probed.phases) if entry and entry.probed else ()


def _values(folder: Folder, arm: PlannedArm, phase: str) -> tuple[float | None, float | None, float | None]:
    entry = folder.arms.get(arm.name)
    known = entry.probed.phases.get(phase) if entry and entry.probed else None
    seconds, memory = (
        mean_cost(folder, arm, f"{cost}/{phase}") for cost in ("seconds_per_step", "peak_memory_mb")
    )
    return known.macs if known else None, seconds, memory


def _number(value: Plain) -> float | None:
    return float(value) if isinstance(value, int | float) else None
