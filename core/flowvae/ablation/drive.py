"""Drives a recipe from the command to the report. Needs no torch: whatever does runs in a process of its own."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, evolve

from flowvae.ablation.plan import write_plan
from flowvae.ablation.progress import Progress
from flowvae.ablation.runs import Run, all_runs, job_of, prepare_run
from flowvae.building.construct import construct
from flowvae.catalogue import Catalogue
from flowvae.data.sounds import Sounds, prepare_sounds
from flowvae.errors import (
    AblationError,
    DataError,
    Fault,
    FlowvaeError,
    MachineError,
    Place,
    RecipeError,
    RunFolderError,
    UsageError,
    shown,
)
from flowvae.folder.files import read_record, trusting, write_bytes, write_json
from flowvae.folder.lock import locked
from flowvae.recipe import AblationPlan, Arm, plan_ablation, read_recipe
from flowvae.recipe.identity import counting_leaves, identity
from flowvae.recipe.requirements import missing_requirement, owners
from flowvae.recipe.resolved import Recipe
from flowvae.recipe.writing import write_recipe
from flowvae.report.write import write_report


def run_recipe(
    name: str, settings: tuple[str, ...], out: Path | None, say: Callable[[str], None], catalogue: Catalogue
) -> Path:
    """Checks, plans, runs and reports; called again, it continues. Returns the report's path."""
    source = read_recipe(name, settings)
    folder = out or Path("runs") / source.name
    try:
        plan = plan_ablation(source, catalogue)
    except RecipeError as error:
        raise RecipeError([*error.faults, *_no_longer_installed(folder)], recipe=error.recipe) from error
    _refuse_mixing(plan, folder)
    _make_folder(folder)
    with locked(folder):
        return _Drive(plan, catalogue, folder, say).run()


def _no_longer_installed(folder: Path) -> list[Fault]:
    """Plugins that a folder was begun with: their components are unknown names once they are gone."""
    faults: dict[str, Fault] = {}
    for arm in sorted((folder / "arms").glob("*.toml")):
        with contextlib.suppress(RecipeError):  # the recipe's own faults are enough
            for wanted in read_recipe(str(arm)).root.plain().get("requires", ()):
                if problem := missing_requirement(wanted):
                    what = f"{shown(folder)} was made with {wanted}: {problem}"
                    do = f"pip install '{wanted}'"
                    faults.setdefault(wanted, Fault(what, Place(shown(arm)), "requires", accepted=do))
    return list(faults.values())


def _refuse_mixing(plan: AblationPlan, folder: Path) -> None:
    """Sounds that a run writes must never become sounds that it reads."""
    here = folder.resolve()
    for arm in plan.arms:
        for value in arm.recipe.data.values.values():
            # Not Path.resolve: of a link to itself it makes an error that says nothing of sounds.
            if isinstance(value, Path) and here.is_relative_to(os.path.realpath(value.expanduser())):
                raise UsageError(
                    f"{shown(folder)} lies inside the sounds ({value})", do="choose another --out"
                )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        what = f"{shown(folder)} cannot be written to: {error.strerror}"
        raise MachineError(what, do="choose another --out") from error


@define
class _Drive:
    plan: AblationPlan
    catalogue: Catalogue
    folder: Path
    say: Callable[[str], None]

    def run(self) -> Path:
        for dropped in self.plan.recipe.dropped:
            self.say(f"note: {dropped}")
        data = self.folder / "data"
        sounds = {arm.name: prepare_sounds(arm.recipe, data, self.say) for arm in self.plan.arms}
        arms = self._probe(sounds)
        write_plan(self.folder / "plan.json", self.plan, arms, sounds[self.plan.arms[0].name])
        runs = all_runs(self.plan, sounds, self.folder / "runs")
        waiting = [run for run in runs if not run.done()]
        with trusting(self.folder / "arms.json"):
            self._announce(runs, waiting, arms)
        for run in waiting:
            prepare_run(run, self.catalogue, alone=len(runs) == 1)
        statuses = self._execute(waiting)
        report = write_report(self.folder, self.say)
        _raise_failures(runs, statuses, report)
        return report

    def _probe(self, sounds: dict[str, Sounds]) -> dict[str, Any]:
        """Builds every arm once, in a process of its own; arms that are known are not built again."""
        path = self.folder / "arms.json"
        known = read_record(path) if path.exists() else {}
        arms = dict(known)
        (self.folder / "arms").mkdir(exist_ok=True)
        for arm in self.plan.arms:
            entry = _entry(arm, sounds[arm.name].clips.fingerprint)
            with trusting(path):
                if arm.name in known:
                    self._refuse_other(arm.name, known[arm.name], entry)
                arms[arm.name] = {**known.get(arm.name, {}), **entry}
            text = write_recipe(arm.recipe, paths=False)
            write_bytes(self.folder / "arms" / f"{arm.name}.toml", text.encode())
        if all("parameters" in entry for entry in arms.values()):
            return arms
        self.say("building every arm once")
        write_json(path, arms)
        command = [sys.executable, "-m", "flowvae.probe.probe", str(self.folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own module
        if done.returncode:
            write_json(path, known) if known else path.unlink()
            self._raise_faults(done.stdout)
            raise ProbeError(done.returncode, done.stderr)
        return read_record(path)

    def _raise_faults(self, output: str) -> None:
        """What a component said of its values, with the places where the recipe has them."""
        try:
            said = json.loads(output)
        except ValueError:
            return
        recipe = next(arm.recipe for arm in self.plan.arms if arm.name == said["arm"])
        faults = [
            _placed(Fault(what, None, path, component), recipe) for path, what, component in said["faults"]
        ]
        raise RecipeError(faults, recipe=recipe.name)

    def _refuse_other(self, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        """A folder belongs to one ablation: arms and seeds may be added, nothing else may change."""
        if old["identity"] == new["identity"]:
            return
        if old["fingerprint"] != new["fingerprint"]:
            raise DataError("the sounds have changed since this ablation began", do="choose another --out")
        paths = sorted(old["leaves"].keys() | new["leaves"].keys())
        pairs = [(path, old["leaves"].get(path), new["leaves"].get(path)) for path in paths]
        changed = [f"{path}: {before} -> {after}" for path, before, after in pairs if before != after]
        what = "; ".join(changed[:5]) or "the source or version of a component has changed"
        raise RunFolderError(
            f"{shown(self.folder)} belongs to another recipe ({name}: {what})",
            do="choose another --out, or remove the folder",
        )

    def _announce(self, runs: list[Run], waiting: list[Run], arms: dict[str, Any]) -> None:
        baseline = arms[self.plan.arms[0].name]
        for arm in self.plan.arms:
            probed = arms[arm.name]
            changes = ", ".join(f"{path} = {value}" for path, value in arm.changes.items())
            more = probed["parameters"] - baseline["parameters"]
            weights = f"{probed['parameters']:,} weights" + (f" ({more:+,})" if more else "")
            macs = f"{probed['macs_per_second'] / 1e9:.2f} G multiply-adds a second of audio"
            self.say(f"  {arm.name}: {changes or 'the baseline'}; {weights}, {macs}")
            for line in _reach(arm, probed["coverage"]):
                self.say(f"    {line}")
        before = f", {len(runs) - len(waiting)} done before" if len(waiting) < len(runs) else ""
        self.say(
            f"arms: {len(self.plan.arms)}, seeds: {len(self.plan.seeds)}; runs to do: {len(waiting)}{before}"
        )

    def _execute(self, runs: list[Run]) -> dict[str, int]:
        if not runs:
            return {}
        part = self.plan.recipe.execution.executor
        execute = construct(part, "execution.executor", {}, part.values)
        with Progress({run.name: run.folder for run in runs}, self.say) as progress:
            statuses: dict[str, int] = execute([job_of(run) for run in runs], progress.poll)
        return statuses


def _placed(fault: Fault, recipe: Recipe) -> Fault:
    """A component's message begins with the key that it refuses."""
    if fault.path in recipe.origins:
        return evolve(fault, place=Place(recipe.origins[fault.path]))
    slot = re.sub(r"\[\d+\]", "", fault.path)
    path = f"{slot}.{fault.what.partition(' ')[0]}"
    origin = recipe.origins.get(path) or recipe.origins.get(f"{slot}.use")
    return evolve(
        fault, path=path if path in recipe.origins else slot, place=Place(origin) if origin else None
    )


def _reach(arm: Arm, coverage: dict[str, Any]) -> list[str]:
    """For a default that the ablation varies: how many places it fills, and what it does not reach."""
    lines = []
    kinds = [p.removeprefix("defaults.") for p in (arm.recipe.ablation.vary if arm.recipe.ablation else ())]
    for kind in kinds:
        if kind in coverage:
            filled, left = coverage[kind]["filled"], coverage[kind]["left_over"]
            places = ", ".join(
                f"{name} fills {count} of {sum(filled.values())}" for name, count in filled.items()
            )
            rest = ", ".join(f"{count} x {what}" for what, count in left.items())
            lines.append(f"{kind}: {places} places" + (f"; not reached: {rest}" if rest else ""))
    return lines


def _entry(arm: Arm, fingerprint: str) -> dict[str, Any]:
    return {
        "identity": identity(arm.recipe, 0, fingerprint),
        "fingerprint": fingerprint,
        "leaves": _plain_leaves(arm.recipe),
        "plugins": owners(arm.recipe),
    }


def _plain_leaves(recipe: Recipe) -> dict[str, Any]:
    """As JSON gives them back, so that old and new compare."""
    leaves: dict[str, Any] = json.loads(json.dumps(counting_leaves(recipe), default=list))
    return leaves


def _raise_failures(runs: list[Run], statuses: dict[str, int], report: Path) -> None:
    failed = [run for run in runs if not run.done()]
    if not failed:
        return
    lines = [f"{run.name}: {run.why_not(statuses.get(run.name, 1))}" for run in failed]
    if len(runs) == 1:
        raise RunError(lines[0], abs(statuses.get(failed[0].name, 1)) or 1, failed[0].folder)
    raise AblationError(
        f"{len(failed)} of {len(runs)} runs failed: " + "; ".join(lines[:5]),
        where=shown(report),
        do="see log.txt in the run's folder; the same command tries again",
    )


class RunError(FlowvaeError):
    """A single run that failed: its exit status is handed on."""

    code = "RUN"

    def __init__(self, what: str, exit_status: int, folder: Path) -> None:
        super().__init__(what, where=shown(folder / "log.txt"), do="the same command continues")
        self.exit_status = exit_status  # type: ignore[misc]  # of this failure, not of the class


class ProbeError(FlowvaeError):
    """The probe has said what is wrong already; this hands its words and its exit status on."""

    def __init__(self, exit_status: int, words: str) -> None:
        super().__init__("an arm could not be built")
        self.exit_status = exit_status  # type: ignore[misc]  # of this failure, not of the class
        self.words = words

    def lines(self) -> list[str]:
        """The probe's own words."""
        return self.words.rstrip().splitlines() or super().lines()
