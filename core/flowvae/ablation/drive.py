"""Drives a recipe from the command to the report. Needs no torch: whatever does runs in a process of its own."""

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import define, evolve

from flowvae.ablation.compiling import compiled
from flowvae.ablation.devices import Placement, names, place, wanted
from flowvae.ablation.endings import announce_taken_up, raise_failures, say_warnings, settle
from flowvae.ablation.kept_files import KeptFiles
from flowvae.ablation.looks import look, seeds_to_come
from flowvae.ablation.matching import matched_plan
from flowvae.ablation.one_factor import second_factors
from flowvae.ablation.plan import refuse_another, write_plan
from flowvae.ablation.probing import Prober
from flowvae.ablation.progress import Progress
from flowvae.ablation.references import measure_references
from flowvae.ablation.runs import Run, all_runs, folders_of, job_of, n_finished, prepare_run
from flowvae.ablation.standing import Watched
from flowvae.ablation.warming import launched
from flowvae.building.construct import construct
from flowvae.building.installation import require_torch
from flowvae.catalogue import Catalogue
from flowvae.data.sounds import prepare_all
from flowvae.errors import (
    Fault,
    MachineError,
    Place,
    RecipeError,
    UsageError,
    shown,
)
from flowvae.folder.files import made_anew, refuse_links
from flowvae.folder.lock import locked
from flowvae.folder.matched import Matched
from flowvae.folder.probe_records import Coverage, Probed
from flowvae.folder.stacks import interrupted_when_stalled
from flowvae.folder.starts import check_starts
from flowvae.probe.limits import free_memory
from flowvae.processes.launcher import Launcher
from flowvae.recipe import AblationPlan, Arm, plan_ablation, read_recipe
from flowvae.recipe.node import Source
from flowvae.recipe.part import leaves
from flowvae.recipe.reasons import reason_for, said_of
from flowvae.recipe.requirements import missing_requirement
from flowvae.report.write import write_report


def run_recipe(source: Source, out: Path | None, say: Callable[[str], None], catalogue: Catalogue) -> Path:
    """Checks, plans, runs and reports; called again, it continues. Returns the report's path."""
    folder = out or Path("runs") / source.name
    try:
        plan = plan_ablation(source, catalogue)
    except RecipeError as error:
        raise RecipeError([*error.faults, *_no_longer_installed(folder)], recipe=error.recipe) from error
    check_starts(plan)
    _refuse_mixing(plan, folder)
    require_torch("a run")
    _make_folder(folder)
    refuse_links(folders_of(folder))
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
        for _, value in leaves(arm.recipe.data):
            # Not Path.resolve: of a link to itself it makes an error that says nothing of sounds.
            if isinstance(value, Path) and here.is_relative_to(os.path.realpath(value.expanduser())):
                raise UsageError(
                    f"{shown(folder)} lies inside the sounds ({value})", do="choose another --out"
                )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        made_anew(probe).close()
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
        refuse_another(self.folder, self.plan)
        with launched(self.plan, self.folder) as launcher:
            return self._run(launcher)

    def _run(self, launcher: Launcher) -> Path:
        data = self.folder / "data"
        with interrupted_when_stalled(self.plan.recipe.execution.stall_timeout, self.folder):
            sounds = prepare_all(self.plan.arms, data, self.say)
        prober = Prober(self.plan, self.folder, self.say, launcher.call)
        self.plan, matches = matched_plan(prober, self.catalogue)
        seeds = seeds_to_come(self.plan, self.folder)
        runs = [run for run in all_runs(self.plan, sounds, self.folder / "runs") if run.seed in seeds]
        waiting = [run for run in runs if not run.done()]
        probed = evolve(prober, plan=self.plan).probe(sounds, wanted(waiting), matches)
        measure_references(self.plan, self.folder, sounds[self.plan.arms[0].name], self.say, launcher.call)
        placements = place(runs, waiting, self.folder, self.say)
        fast = compiled(runs, waiting, probed, placements, self.say)
        seen = n_finished(self.folder / "runs")
        plan = write_plan(
            self.folder, self.plan, probed, sounds[self.plan.arms[0].name], seen, matches=matches
        )
        due, to_do = [run for run in runs if run.seed in plan.seeds], {run.name for run in waiting}
        self._announce(probed, due, to_do, matches)
        announce_taken_up(waiting, self.say)
        files, statuses = KeptFiles(self.folder), dict[str, int]()
        while True:
            # What failed at a look is left to the next command: the look was taken without it.
            ready = [run for run in due if run.name in to_do - statuses.keys()]
            for run in ready:
                alone, fast_run = len(runs) == 1, fast[run.name]
                prepare_run(
                    run, self.catalogue, files, placements[run.name].kind, alone=alone, compiled=fast_run
                )
            statuses |= self._execute(due, ready, placements, probed, launcher)
            if (after := look(self.folder, self.say)) is None:
                break
            due = [run for run in runs if run.seed in after.seeds]
        report = write_report(self.folder, self.say)
        raise_failures(due, statuses, report)
        return report

    def _announce(
        self, arms: Mapping[str, Probed], due: list[Run], to_do: set[str], matches: Mapping[str, Matched]
    ) -> None:
        baseline = arms[self.plan.arms[0].name]
        for arm in self.plan.arms:
            probed = arms[arm.name]
            changes = ", ".join(f"{path} = {value}" for path, value in arm.changes.items())
            more = probed.parameters - baseline.parameters
            weights = f"{probed.parameters:,} weights" + (f" ({more:+,})" if more else "")
            macs = f"{probed.macs_per_second / 1e9:.2f} G multiply-adds a second of audio"
            if arm is self.plan.baseline_of(arm):
                changes = f"the baseline at {changes}" if changes else "the baseline"
            self.say(f"  {arm.name}: {changes}; {weights}, {macs}")
            self._announce_flags(arm, probed, arms[self.plan.before(arm).name], matches.get(arm.name))
            matched = [matches[arm.name].said] if arm.name in matches else []
            for line in [*matched, *_reach(arm, probed.coverage)]:
                self.say(f"    {line}")
        seeds, looks = len({run.seed for run in due}), self.plan.looks
        until = f", at most {len(looks[-1])} in {len(looks)} looks" if len(looks) > 1 else ""
        left = sum(run.name in to_do for run in due)
        before = f", {len(due) - left} done before" if len(due) > left else ""
        self.say(f"arms: {len(self.plan.arms)}, seeds: {seeds}{until}; runs to do: {left}{before}")

    def _announce_flags(self, arm: Arm, probed: Probed, before: Probed, matched: Matched | None) -> None:
        reason = reason_for(self.plan.recipe, arm.name)
        flags = second_factors(self.plan, arm, before, probed, matched)
        for flag in flags:
            self.say(f"    flagged: it {flag}")
        if flags:
            self.say(f"    {said_of(arm.name, reason)}")
        elif reason:
            self.say(f"    a reason is given and nothing is flagged: {reason}")

    def _execute(
        self,
        planned: list[Run],
        runs: list[Run],
        placements: Mapping[str, Placement],
        probed: Mapping[str, Probed],
        launcher: Launcher,
    ) -> dict[str, int]:
        if not runs:
            return {}
        part = self.plan.recipe.execution.executor
        given = {"devices": names(placements), "memory": free_memory(), "start": launcher.start}
        execute = construct(part, "execution.executor", given, part.values)
        jobs = [job_of(run, placements[run.name].names, probed[run.arm.name].memory) for run in runs]
        watched = [Watched(run.arm.name, run.seed, run.folder, run.arm.recipe.train.steps) for run in planned]
        done_before = {run.name for run in planned} - {run.name for run in runs}
        with Progress(watched, self.say, done_before) as progress:
            statuses = dict[str, int]()
            try:
                statuses |= execute(jobs, progress.poll)
            finally:
                settle(runs, statuses)
        say_warnings(runs, self.say)
        return statuses


def _reach(arm: Arm, coverage: Mapping[str, Coverage]) -> list[str]:
    """For a default that the ablation varies: how many places it fills, and what it does not reach."""
    lines = []
    varied = arm.recipe.ablation.vary if arm.recipe.ablation else ()
    for path in varied:
        table, _, kind = path.partition(".")
        if table == "defaults" and kind in coverage:
            filled, left = coverage[kind].filled, coverage[kind].left_over
            places = ", ".join(
                f"{name} fills {count} of {sum(filled.values())}" for name, count in filled.items()
            )
            rest = ", ".join(f"{count} x {what}" for what, count in left.items())
            lines.append(f"{kind}: {places} places" + (f"; not reached: {rest}" if rest else ""))
    return lines
