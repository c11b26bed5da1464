"""Puts folders of one ablation, run on several machines, into one: whole or not at all, and nothing of theirs is touched."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, frozen

from flowvae.ablation.merged_plan import Source, merged
from flowvae.ablation.standing import Standing, standing, watched_runs
from flowvae.errors import AblationError, MachineError, RunFolderError, UsageError, shown
from flowvae.folder.clip_records import PreparedClips
from flowvae.folder.files import read_record
from flowvae.folder.lock import locked
from flowvae.folder.run_records import MeasuredReferences, Order, Result
from flowvae.report.write import write_report

ENDED = frozenset({"done", "failed"})
"""What comes along: nothing will be written to it any more, and a page counts both."""
VERSIONS = ("torch", "torchaudio")
"""What the figures of a pair are computed with."""
LEFT = shutil.ignore_patterns("lock", ".*", "__pycache__")
"""What of a run's folder stays where it is: locks, and what an interrupted write has left."""


@frozen
class Taken:
    """The runs of one folder that come along."""

    source: Source
    runs: tuple[Standing, ...]
    left: tuple[Standing, ...]


def merge(target: Path, folders: Sequence[Path], say: Callable[[str], None]) -> Path:
    """Copies the runs that have ended into a new folder, with one plan, one ledger and one page; gives the page's path.

    UsageError where these are no folders of ablations; RunFolderError where the target is taken; AblationError where they are
    not one ablation, or have one run in two forms; MachineError where the disk is full.
    """
    _refuse_places(target, folders)
    chosen = _without_repeats([_look(folder) for folder in folders], say)
    _refuse_mixed_pairs(chosen)
    names = {one.source.folder: [run.run.name for run in one.runs] for one in chosen}
    ended = {name for runs in names.values() for name in runs}
    plan, arms = merged([one.source for one in chosen], names)
    with _draft(target) as draft:
        for one in chosen:
            _copy_shared(one.source.folder, draft)
            for run in one.runs:
                place = draft / "runs" / run.run.arm / run.run.folder.name
                shutil.copytree(run.run.folder, place, ignore=LEFT)
                say(f"  {run.run.name} ({run.state}) of {shown(one.source.folder)}")
            for run in (run for run in one.left if run.run.name not in ended):
                say(f"  {run.run.name} of {shown(one.source.folder)} is left there: {run.state}, no end yet")
        arms.write(draft)
        plan.write(draft)
        write_report(draft, say)
    return target / "report.html"


def _refuse_places(target: Path, folders: Sequence[Path]) -> None:
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise UsageError("a folder is named twice", do="name each folder once")
    for folder in folders:
        if not (folder / "plan.json").is_file():
            raise UsageError(f"{folder} holds no plan.json", do="folders of ablations, as in runs/NAME")
        if target.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{target} lies inside {folder}", do="name another TARGET")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RunFolderError(
            f"{shown(target)} is there already", do="name a TARGET that is free, or remove it"
        )


def _look(folder: Path) -> Taken:
    runs, steps = watched_runs(folder)
    stand = [standing(run, steps) for run in runs]
    ended = tuple(one for one in stand if one.state in ENDED)
    took = (_result(one).costs.get("train_seconds") for one in ended if one.state == "done")
    source = Source.read(folder, tuple(seconds or 0.0 for seconds in took))
    return Taken(source, ended, tuple(one for one in stand if one not in ended and one.status.step))


def _result(one: Standing) -> Result:
    return Result.read(one.run.folder)


def _without_repeats(found: Sequence[Taken], say: Callable[[str], None]) -> list[Taken]:
    """Each run once: what is done comes before what has failed, and two that are done have to be the same."""
    kept: dict[tuple[str, int], Standing] = {}
    problems = []
    for one in (run for taken in found for run in taken.runs):
        key = one.run.arm, one.run.seed
        before = kept.get(key)
        if before is None or (before.state, one.state) == ("failed", "done"):
            kept[key] = one
        elif (before.state, one.state) == ("done", "done"):
            if problem := _differ(before, one):
                problems.append(problem)
            else:
                say(f"  {one.run.name} is the same in {shown(before.run.folder)} and {shown(one.run.folder)}")
    if problems:
        raise AblationError("; ".join(problems), do="leave one of the folders out, or remove one of the runs")
    chosen = list(kept.values())
    return [evolve(taken, runs=tuple(one for one in taken.runs if one in chosen)) for taken in found]


def _differ(one: Standing, other: Standing) -> str:
    """What tells two runs of one arm and seed apart; what they cost is the machine's and may differ."""
    a, b = (evolve(_result(run), costs={}, threads=0) for run in (one, other))
    ours, theirs = (Order.read(run.run.folder).identity for run in (one, other))
    if a == b and ours == theirs:
        return ""
    where = f"{one.run.name} is there twice, in {shown(one.run.folder)} and {shown(other.run.folder)}"
    moved = [name for name in a.metrics if a.metrics[name] != b.metrics.get(name)]
    what = f"with other figures ({', '.join(moved[:3])})" if moved else "and not the same"
    return f"{where}, {what}"


def _refuse_mixed_pairs(found: Sequence[Taken]) -> None:
    """Runs of one seed are compared with each other: they have to be computed with the same versions."""
    by_seed: dict[int, dict[str, str]] = {}
    for one in (run for taken in found for run in taken.runs if run.state == "done"):
        said = read_record(one.run.folder / "environment.json").get("distributions", {})
        versions = ", ".join(f"{name} {said.get(name, '?')}" for name in VERSIONS)
        by_seed.setdefault(one.run.seed, {}).setdefault(versions, one.run.name)
    mixed = [
        " and ".join(f"{name} was computed with {versions}" for versions, name in found.items())
        for found in by_seed.values()
        if len(found) > 1
    ]
    if mixed:
        raise AblationError(
            f"runs of one seed would be no pair: {'; '.join(mixed[:3])}",
            do="run all arms of a seed with the same versions",
        )


def _copy_shared(folder: Path, draft: Path) -> None:
    """Prepared sounds, kept files and recipes of arms, which lie under the hash of what they are or the name of their arm."""
    for name in ("data", "files", "arms"):
        for entry in sorted((folder / name).glob("[!.]*")):
            copy = draft / name / entry.name
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, copy)
            elif name == "data":
                _refuse_other_split(entry, copy)
    if not (draft / MeasuredReferences.file).exists() and (folder / MeasuredReferences.file).is_file():
        shutil.copy2(folder / MeasuredReferences.file, draft)


def _refuse_other_split(one: Path, other: Path) -> None:
    a, b = PreparedClips.read(one), PreparedClips.read(other)
    if a.clips != b.clips:
        count = sum(x != y for x, y in zip(a.clips, b.clips, strict=False)) or abs(
            len(a.clips) - len(b.clips)
        )
        raise AblationError(
            f"the split of the sounds in {shown(one)} is another one: {count} sounds differ",
            do="merge folders whose sounds were split alike",
        )


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A folder beside the target that becomes it in one step; where something goes wrong, it goes."""
    draft = target.with_name(f".{target.name}.merging")
    try:
        draft.mkdir(parents=True, exist_ok=True)
        with locked(draft), _gone_unless_whole(draft):
            _empty(draft)  # of what a merge that was killed has left
            yield draft
            os.sync()
            draft.rename(target)
    except OSError as error:
        what = f"{shown(target)} could not be written: {error.strerror or error}"
        raise MachineError(what, do="make room on the disk, or name another TARGET") from error


@contextmanager
def _gone_unless_whole(draft: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _empty(draft: Path) -> None:
    for path in draft.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()
