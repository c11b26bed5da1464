"""Has every arm built once, in a process of its own, and keeps what was found: the folder's arms."""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn

from attrs import evolve, frozen

from flowvae.ablation.kept_files import KeptFiles
from flowvae.ablation.plan import free_folder
from flowvae.catalogue.plugin import OWN
from flowvae.data.sounds import Sounds
from flowvae.errors import DataError, Fault, FlowvaeError, PluginError, RecipeError, RunFolderError, shown
from flowvae.folder.files import write_bytes
from flowvae.folder.matched import Matched
from flowvae.folder.probe_records import Arms, Probed, ProbedArm
from flowvae.folder.starts import begun, last_checkpoint
from flowvae.processes.launcher import Called
from flowvae.processes.program import program
from flowvae.recipe import AblationPlan, Recipe
from flowvae.recipe.content import content_digest
from flowvae.recipe.identity import counting_leaves, identity
from flowvae.recipe.placing import placed
from flowvae.recipe.requirements import owners
from flowvae.recipe.writing import write_recipe
from flowvae.text import printable, toml_like

Call = Callable[[tuple[str, ...]], Called]
"""Runs a program of ours to its end."""


STEPS = "train.steps"


@frozen
class Prober:
    """Builds the arms of a plan for a folder; arms that it knows are not built again."""

    plan: AblationPlan
    folder: Path
    say: Callable[[str], None]
    call: Call

    def probe(
        self, sounds: Mapping[str, Sounds], devices: Sequence[str], matches: Mapping[str, Matched]
    ) -> dict[str, Probed]:
        """What every arm is, after a look at whether the devices are there; keeps what it was matched by."""
        before = Arms.read_if_there(self.folder)
        known = dict(before.arms) if before else {}
        arms = dict(known)
        # What many arms point to is read once.
        digest, last = cache(content_digest), cache(last_checkpoint)
        first = self.plan.seeds[0]  # what the other seeds begin with is of the same make
        recipes = {arm.name: begun(arm.recipe, first, last) for arm in self.plan.arms}
        for arm in self.plan.arms:
            entry = _entry(recipes[arm.name], sounds[arm.name].clips.fingerprint, digest)
            if arm.name in known:
                self._refuse_other(arm.name, known[arm.name], entry)
                entry = evolve(entry, probed=known[arm.name].probed)
            arms[arm.name] = evolve(entry, matched=matches.get(arm.name))
        write_recipes(recipes, self.folder, self.folder / "arms")
        if any(entry.probed is None for entry in arms.values()):
            self.say("building every arm once")
        elif not devices:
            return _probed(arms)
        Arms(arms).write(self.folder)
        self._build(before, devices)
        return _probed(Arms.read(self.folder).arms)

    def _build(self, before: Arms | None, devices: Sequence[str]) -> None:
        done = self.call(program("flowvae.probe", str(self.folder), *devices))
        if done.exit_status:
            if before:
                before.write(self.folder)
            else:
                (self.folder / Arms.file).unlink()
            hand_on(self.plan, done)
        if any(arm.probed is None for arm in Arms.read(self.folder).arms.values()):
            strangers = sorted({o for arm in self.plan.arms for o in owners(arm.recipe)} - {OWN})
            raise PluginError(
                "the process that builds the arms ended without a word: a component has ended it",
                do="; ".join(f"flowvae check-plugin {name}" for name in strangers),
            )

    def _refuse_other(self, name: str, old: ProbedArm, new: ProbedArm) -> None:
        """An arm stays what it was: arms and seeds may be added, nothing else may change."""
        if old.identity == new.identity:
            return
        if old.fingerprint != new.fingerprint:
            raise DataError("the sounds have changed since this ablation began", do="choose another --out")
        paths = sorted(old.leaves.keys() | new.leaves.keys())
        pairs = [(path, old.leaves.get(path), new.leaves.get(path)) for path in paths]
        changed = [f"{path}: {toml_like(a)} -> {toml_like(b)}" for path, a, b in pairs if a != b]
        what = "; ".join(changed[:5]) or "the source or version of a component has changed"
        free = shown(free_folder(self.folder))
        do = f"--out {free}, which is free; or remove the folder"
        if [path for path in paths if old.leaves.get(path) != new.leaves.get(path)] == [STEPS]:
            what += "; a schedule and the phases lie over all steps, so other steps are another training"
            from_ = f"{shown(self.folder)}/runs/{name}/seed-{{seed}}"
            do = f"--out {free}; --set 'start={{ from = \"{from_}\" }}' begins it with the weights that are here"
        raise RunFolderError(f"{shown(self.folder)} belongs to another recipe ({name}: {what})", do=do)


def write_recipes(recipes: Mapping[str, Recipe], folder: Path, into: Path) -> None:
    """Complete recipes by the names of their arms; the files that they point to are kept in the ablation's folder."""
    into.mkdir(exist_ok=True)
    files = KeptFiles(folder)
    for name, recipe in recipes.items():
        files.keep(recipe)
        write_bytes(into / f"{name}.toml", write_recipe(recipe, files.paths_from(into)).encode())


def hand_on(plan: AblationPlan, done: Called) -> NoReturn:
    """Raises what a process of ours has found wrong: RecipeError with the places in the recipe, else its own words."""
    with contextlib.suppress(ValueError):
        said = json.loads(done.output)
        recipe = next(arm.recipe for arm in plan.arms if arm.name == said["arm"])
        faults = [
            placed(Fault(what, None, path, component, accepted), recipe)
            for path, what, component, accepted in said["faults"]
        ]
        raise RecipeError(faults, recipe=recipe.name)
    raise ProbeError(done.exit_status, done.errors)


class ProbeError(FlowvaeError):
    """A process has said what is wrong already; this hands its words and its exit status on."""

    def __init__(self, exit_status: int, words: str) -> None:
        super().__init__(words.strip() or "an arm could not be built")
        self.exit_status = exit_status  # type: ignore[misc]  # of this failure, not of the class
        self.words = words

    def lines(self) -> list[str]:
        """The process's own words."""
        return [printable(line) for line in self.words.rstrip().splitlines()] or super().lines()


def _probed(arms: Mapping[str, ProbedArm]) -> dict[str, Probed]:
    return {name: arm.probed for name, arm in arms.items() if arm.probed}


def _entry(recipe: Recipe, fingerprint: str, digest: Callable[[Path], str]) -> ProbedArm:
    # As JSON gives the leaves back, so that old and new compare.
    leaves = json.loads(json.dumps(counting_leaves(recipe, digest), default=list))
    return ProbedArm(
        identity=identity(recipe, 0, fingerprint, digest),
        fingerprint=fingerprint,
        leaves=leaves,
        plugins=tuple(owners(recipe)),
    )
