"""Drives a recipe from the command to the report. Needs no torch: whatever does runs in a process of its own."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, frozen

from flowvae.ablation.difference import effective_difference, undeclared
from flowvae.ablation.environment import describe_environment
from flowvae.ablation.progress import Progress
from flowvae.catalogue import Catalogue
from flowvae.construct import construct
from flowvae.contracts import Job
from flowvae.errors import AblationError, DataError, FlowvaeError, MachineError, RunFolderError, shown
from flowvae.recipe import AblationPlan, Arm, plan_ablation, read_recipe
from flowvae.recipe.identity import counting_leaves, identity
from flowvae.recipe.resolved import Recipe
from flowvae.recipe.writing import write_recipe
from flowvae.report.write import write_report
from flowvae.run.clips import Clips, load_clips, prepare_clips
from flowvae.run.files import write_bytes, write_json
from flowvae.run.journal import read_status
from flowvae.run.lock import locked

ALLOCATOR = {
    # glibc gives blocks above 32 MiB back at once and pays for each of their pages again: up to half of a step.
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}


@frozen(eq=False)
class Run:
    """One arm with one seed, in a folder of its own."""

    arm: Arm
    seed: int
    folder: Path
    identity: str
    data: Path

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.arm.name} seed {self.seed}"

    def done(self) -> bool:
        """Whether its result is there."""
        return read_status(self.folder).get("state") == "done" and (self.folder / "result.json").exists()


def run_recipe(name: str, settings: tuple[str, ...], out: Path | None, say: Callable[[str], None]) -> Path:
    """Checks, plans, runs and reports; called again, it continues. Returns the report's path."""
    catalogue = Catalogue.installed()
    plan = plan_ablation(read_recipe(name, settings), catalogue)
    folder = out or Path("runs") / plan.recipe.name
    _make_folder(folder)
    with locked(folder):
        return _Drive(plan, catalogue, folder, say).run()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise MachineError(f"{shown(folder)} cannot be written to: {error.strerror}", do="choose another --out") from error


@define
class _Drive:
    plan: AblationPlan
    catalogue: Catalogue
    folder: Path
    say: Callable[[str], None]

    def run(self) -> Path:
        for dropped in self.plan.recipe.dropped:
            self.say(f"note: {dropped}")
        data = {arm.name: self._prepare(arm.recipe) for arm in self.plan.arms}
        self._refuse_other_plan({name: clips.fingerprint for name, (_, clips) in data.items()})
        arms = self._probe(data)
        self._write_plan(arms, data)
        runs = self._runs(data)
        waiting = [run for run in runs if not run.done()]
        self._announce(runs, waiting, arms)
        for run in waiting:
            self._prepare_run(run)
        statuses = self._execute(waiting)
        report = write_report(self.folder)
        self._conclude(runs, statuses, report)
        return report

    def _prepare(self, recipe: Recipe) -> tuple[Path, Clips]:
        """The clips of an arm: read from the sounds once, found again ever after."""
        model = recipe.model
        given = {"sample_rate": model.sample_rate, "channels": model.channels, "n_samples": model.n_samples}
        source = construct(recipe.data, "data", given, recipe.data.values)
        try:
            fingerprint = source.fingerprint()
            key = json.dumps([fingerprint, given, dict(recipe.data.extras)], sort_keys=True)
            folder = self.folder / "data" / hashlib.sha256(key.encode()).hexdigest()[:12]
            if not (folder / "clips.json").exists():
                self.say(f"reading sounds: {recipe.data.said()}")
                clips = prepare_clips(source, recipe.data, model, folder)
                self._announce_sounds(folder, clips)
        except OSError as error:
            raise DataError(f"the sounds cannot be read: {error}", do="check data.path") from error
        return folder, load_clips(folder)

    def _announce_sounds(self, folder: Path, clips: Clips) -> None:
        held = len(clips.rows(held_out=True))
        skipped = (folder / "skipped.jsonl").read_text(encoding="utf-8").splitlines()
        noted = sum(1 for clip in clips.info if clip.note)
        self.say(f"{len(clips.info)} sounds: {len(clips.info) - held} to train on, {held} held out; "
                 f"{noted} used with a note, {len(skipped)} skipped" + (f" (reasons in {shown(folder / 'skipped.jsonl')})" if skipped else ""))

    def _refuse_other_plan(self, fingerprints: dict[str, str]) -> None:
        """A folder belongs to one ablation: arms and seeds may be added, nothing else may change."""
        path = self.folder / "arms.json"
        if not path.exists():
            return
        known = json.loads(path.read_text(encoding="utf-8"))
        for arm in self.plan.arms:
            old = known.get(arm.name)
            if old is None or old["identity"] == self._identity(arm, fingerprints[arm.name], 0):
                continue
            if old["fingerprint"] != fingerprints[arm.name]:
                raise DataError("the sounds have changed since this ablation began", do="choose another --out")
            changed = _changed(old["leaves"], _leaves(arm.recipe)) or ["the source or version of a component"]
            raise RunFolderError(
                f"{shown(self.folder)} belongs to another recipe: {'; '.join(changed[:5])}",
                do="choose another --out, or remove the folder",
            )

    def _identity(self, arm: Arm, fingerprint: str, seed: int) -> str:
        return identity(arm.recipe, seed, fingerprint)

    def _probe(self, data: dict[str, tuple[Path, Clips]]) -> dict[str, Any]:
        """Builds every arm once, in a process of its own; known arms are not built again."""
        path = self.folder / "arms.json"
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        arms = {}
        (self.folder / "arms").mkdir(exist_ok=True)
        for arm in self.plan.arms:
            fingerprint = data[arm.name][1].fingerprint
            entry = {"identity": self._identity(arm, fingerprint, 0), "fingerprint": fingerprint, "leaves": _leaves(arm.recipe)}
            arms[arm.name] = {**known.get(arm.name, {}), **entry}
            write_bytes(self.folder / "arms" / f"{arm.name}.toml", write_recipe(arm.recipe, paths=False).encode())
        if any("parameters" not in entry for entry in arms.values()):
            self.say("building every arm once")
            command = [sys.executable, "-m", "flowvae.ablation.probe", str(self.folder)]
            write_json(path, arms)
            done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own module
            if done.returncode:
                path.unlink()
                raise ProbeFailed(done.returncode, done.stderr)
        return {**known, **json.loads(path.read_text(encoding="utf-8"))}

    def _write_plan(self, arms: dict[str, Any], data: dict[str, tuple[Path, Clips]]) -> None:
        """plan.json, written before the first step; a later change is entered in its ledger."""
        path = self.folder / "plan.json"
        content = self._plan_content(arms, data)
        if path.exists():
            old = json.loads(path.read_text(encoding="utf-8"))
            content["ledger"] = [*old["ledger"], *_amendments(old, content)]
        write_json(path, content)

    def _plan_content(self, arms: dict[str, Any], data: dict[str, tuple[Path, Clips]]) -> dict[str, Any]:
        recipe, ablation = self.plan.recipe, self.plan.recipe.ablation
        folder, clips = data[self.plan.arms[0].name]
        metrics = {
            part.name: {k: part.component.signature.constants.get(k, "") for k in ("direction", "unit")}
            for part in recipe.evaluation.metrics
        }
        return {
            "format": 1,
            "name": recipe.name,
            "description": recipe.description,
            "question": ablation.question if ablation else "",
            "metric": ablation.metric if ablation else recipe.evaluation.metrics[0].name,
            "metrics": metrics,
            "seeds": list(self.plan.seeds),
            "arms": [self._arm_content(arm, arms[arm.name]) for arm in self.plan.arms],
            "ledger": [],
            "data": {
                "description": recipe.data.said() if not any(isinstance(v, Path) for v in recipe.data.values.values()) else recipe.data.name,
                "used": len(clips.info),
                "noted": sum(1 for clip in clips.info if clip.note),
                "skipped": len((folder / "skipped.jsonl").read_text(encoding="utf-8").splitlines()),
                "held_out": len(clips.rows(held_out=True)),
                "held_out_groups": sorted({clip.group for clip in clips.info if clip.held_out}),
                "fingerprint": clips.fingerprint,
                "sample_rate": recipe.model.sample_rate,
                "seconds": recipe.model.n_samples / recipe.model.sample_rate,
            },
            "train": {"steps": recipe.train.steps, "batch": recipe.train.batch},
        }

    def _arm_content(self, arm: Arm, probed: dict[str, Any]) -> dict[str, Any]:
        ablation = self.plan.recipe.ablation
        difference = effective_difference(self.plan.recipe, arm.recipe)
        flags = undeclared(difference, ablation.vary if ablation else ())
        owners = sorted({part.component.plugin.owner for part in arm.recipe.parts()})
        keys = ("identity", "parameters", "macs_per_second", "receptive_field", "coverage")
        return {
            "name": arm.name,
            "baseline": arm is self.plan.arms[0],
            "changes": arm.changes,
            "difference": difference,
            "flags": flags,
            "owner": owners,
            **{key: probed[key] for key in keys},
        }

    def _runs(self, data: dict[str, tuple[Path, Clips]]) -> list[Run]:
        """Seed by seed, so that the first finished runs are pairs."""
        return [
            Run(
                arm,
                seed,
                self.folder / "runs" / arm.name / f"seed-{seed}",
                self._identity(arm, data[arm.name][1].fingerprint, seed),
                data[arm.name][0],
            )
            for seed in self.plan.seeds
            for arm in self.plan.arms
        ]

    def _prepare_run(self, run: Run) -> None:
        run.folder.mkdir(parents=True, exist_ok=True)
        execution = run.arm.recipe.execution
        count = len(self.plan.arms) * len(self.plan.seeds)
        threads = execution.threads or (1 if count > 1 else os.cpu_count() or 1)
        path = run.folder / "run.json"
        if path.exists():  # a run keeps its number of threads: another one would change the last bits
            old = json.loads(path.read_text(encoding="utf-8"))
            threads = execution.threads or old["threads"]
        order = {
            "identity": run.identity,
            "arm": run.arm.name,
            "seed": run.seed,
            "threads": threads,
            "device": execution.device,
            "data": os.path.relpath(run.data, run.folder),
        }
        write_bytes(run.folder / "recipe.toml", write_recipe(run.arm.recipe, paths=False).encode())
        write_json(run.folder / "environment.json", describe_environment(run.arm.recipe, self.catalogue))
        write_json(path, order)

    def _announce(self, runs: list[Run], waiting: list[Run], arms: dict[str, Any]) -> None:
        baseline = arms[self.plan.arms[0].name]
        for arm in self.plan.arms:
            probed = arms[arm.name]
            changes = ", ".join(f"{path} = {value}" for path, value in arm.changes.items()) or "the baseline"
            more = probed["parameters"] - baseline["parameters"]
            self.say(
                f"  {arm.name}: {changes}; {probed['parameters']:,} weights"
                + (f" ({more:+,})" if more else "")
                + f", {probed['macs_per_second'] / 1e9:.2f} G multiply-adds a second of audio"
            )
        done = len(runs) - len(waiting)
        self.say(f"{len(self.plan.arms)} arms x {len(self.plan.seeds)} seeds: {len(waiting)} runs to do" + (f", {done} done before" if done else ""))

    def _execute(self, runs: list[Run]) -> dict[str, int]:
        if not runs:
            return {}
        jobs = [self._job(run) for run in runs]
        part = self.plan.recipe.execution.executor
        execute = construct(part, "execution.executor", {}, part.values)
        with Progress({run.name: run.folder for run in runs}, self.say) as progress:
            statuses: dict[str, int] = execute(jobs, progress.poll)
        return statuses

    def _job(self, run: Run) -> Job:
        threads = str(json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["threads"])
        command = (sys.executable, "-m", "flowvae.run.worker", str(run.folder.absolute()))
        environment = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, **ALLOCATOR}
        return Job(run.name, command, environment, run.folder / "log.txt")

    def _conclude(self, runs: list[Run], statuses: dict[str, int], report: Path) -> None:
        """An exit status of 0 is not enough: a run is done when its result is there."""
        failed = [run for run in runs if not run.done()]
        if not failed:
            return
        lines = [f"{run.name}: {self._why(run, statuses.get(run.name, 1))}" for run in failed]
        single = len(runs) == 1
        what = lines[0] if single else f"{len(failed)} of {len(runs)} runs failed: " + "; ".join(lines[:5])
        error = AblationError(what, where=shown(report), do="read log.txt in the run's folder; the same command tries again")
        if single:
            error.exit_status = abs(statuses.get(failed[0].name, 1)) or 1  # type: ignore[misc]
        raise error

    @staticmethod
    def _why(run: Run, exit_status: int) -> str:
        status = read_status(run.folder)
        if exit_status < 0:
            return f"ended by signal {-exit_status} at step {status.get('step', 0)}"
        if status.get("state") in {"failed", "stopped"}:
            return str(status.get("reason", "failed"))
        return f"ended with exit status {exit_status} and without a result at step {status.get('step', 0)}"


class ProbeFailed(FlowvaeError):
    """The probe has said what is wrong already; this hands its words and its exit status on."""

    def __init__(self, exit_status: int, words: str) -> None:
        super().__init__("an arm could not be built")
        self.exit_status = exit_status  # type: ignore[misc]
        self.words = words

    def lines(self) -> list[str]:
        """The probe's own words."""
        return self.words.rstrip().splitlines() or super().lines()


def _leaves(recipe: Recipe) -> dict[str, Any]:
    return json.loads(json.dumps(counting_leaves(recipe), default=list))  # type: ignore[no-any-return]


def _changed(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [f"{p}: {old.get(p)} -> {new.get(p)}" for p in sorted(old.keys() | new.keys()) if old.get(p) != new.get(p)]


def _amendments(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    """What was changed after the plan was made; the report shows it."""
    entries = []
    for key in ("question", "metric", "seeds"):
        if old[key] != new[key]:
            entries.append({"what": f"{key}: {old[key]} -> {new[key]}"})
    before, after = {a["name"] for a in old["arms"]}, {a["name"] for a in new["arms"]}
    entries += [{"what": f"arm added: {name}"} for name in sorted(after - before)]
    entries += [{"what": f"arm left out: {name}"} for name in sorted(before - after)]
    return entries
