"""The sounds of an ablation: read once, found again ever after."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from attrs import frozen

from flowvae.building.builder import Builder
from flowvae.data.clips import Clips, verified_clips
from flowvae.data.prepare import prepare_clips
from flowvae.data.verdict import refuse_unmeasurable
from flowvae.errors import DISK_IS_FULL, DataError, MachineError, RecipeError, shown
from flowvae.folder.clip_records import PreparedClips
from flowvae.folder.files import read_regular
from flowvae.processes.signs import sign
from flowvae.recipe import Arm, Recipe
from flowvae.recipe.part import leaves
from flowvae.recipe.placing import placed

MOST_READINGS = 3
"""Of sounds that change meanwhile: a copy that is not finished will be by then, or somebody writes there all the time."""


@frozen(eq=False)
class Sounds:
    """The prepared clips of an arm and the folder that holds them."""

    folder: Path
    clips: Clips

    @cached_property
    def n_held_out(self) -> int:
        """How many are kept for validation."""
        return len(self.clips.rows(held_out=True))

    @property
    def skipped(self) -> int:
        """How many sounds could not be used."""
        return len(read_regular(self.folder / "skipped.jsonl").splitlines())

    @property
    def noted(self) -> int:
        """How many were used although something about them was unusual."""
        return sum(1 for clip in self.clips.info if clip.note)


def prepare_sounds(recipe: Recipe, folder: Path, say: Callable[[str], None]) -> Sounds:
    """The clips of a recipe; DataError where there are none to train on, or too few to measure."""
    sounds = _prepared(recipe, folder, say)
    refuse_unmeasurable(recipe, sounds.n_held_out)
    return sounds


def prepare_all(arms: Sequence[Arm], folder: Path, say: Callable[[str], None]) -> dict[str, Sounds]:
    """The clips of every arm, by its name; arms that are to hear the same share theirs, and nothing is read twice."""
    known: dict[str, Sounds] = {}
    for arm in arms:
        asked = what_is_heard(arm.recipe)
        if asked not in known:
            known[asked] = _prepared(arm.recipe, folder, say)
        refuse_unmeasurable(arm.recipe, known[asked].n_held_out)
    return {arm.name: known[what_is_heard(arm.recipe)] for arm in arms}


def what_is_heard(recipe: Recipe) -> str:
    """All of a recipe that its clips are made of: recipes that say the same hear the same."""
    components = [part.component.qualified for part in recipe.data.parts()]
    return repr([given_to_sources(recipe), components, *leaves(recipe.data)])


def given_to_sources(recipe: Recipe) -> dict[str, int]:
    """What a data set is built with beside its own keys."""
    model = recipe.model
    return {"sample_rate": model.sample_rate, "channels": model.channels, "n_samples": model.n_samples}


def source_of(recipe: Recipe) -> Any:
    """The data set of a recipe; RecipeError with the place where it refuses a value."""
    try:
        return Builder(None).build(recipe.data, "data", **given_to_sources(recipe))
    except RecipeError as error:
        raise RecipeError([placed(fault, recipe) for fault in error.faults], recipe=recipe.name) from error


def _prepared(recipe: Recipe, folder: Path, say: Callable[[str], None]) -> Sounds:
    sign("the reading of the sounds")
    source = source_of(recipe)
    try:
        for _ in range(MOST_READINGS):
            found = _read_once(source, recipe, folder, say)
            if found:
                return found
            say("the sounds changed while they were read: once more")
    except OSError as error:
        if error.errno in DISK_IS_FULL:
            where = shown(Path(os.fsdecode(error.filename))) if error.filename else shown(folder)
            raise MachineError(
                f"the sounds could not be written: {error.strerror}",
                where=where,
                do="make room, or choose another --out",
            ) from error
        raise DataError(
            f"the sounds cannot be read: {error}", do="check what [data] says, or --data"
        ) from error
    raise DataError(
        "the sounds change while they are read", do="wait until nothing writes to their folder any more"
    )


def _read_once(source: Any, recipe: Recipe, folder: Path, say: Callable[[str], None]) -> Sounds | None:
    """The clips, read or found; None, with nothing left behind, where the sounds were others in the end."""
    before = source.fingerprint()
    # Arms share clips where the sounds and all that shapes a clip agree.
    key = json.dumps([before, given_to_sources(recipe), dict(recipe.data.extras)], sort_keys=True)
    mine = folder / hashlib.sha256(key.encode()).hexdigest()[:12]
    if (mine / PreparedClips.file).exists():
        return Sounds(mine, verified_clips(mine))
    say(f"reading sounds: {recipe.data.said()}")
    sounds = Sounds(mine, prepare_clips(source, recipe.data, recipe.model, mine, say))
    if sounds.clips.fingerprint != before:
        shutil.rmtree(mine)
        return None
    _announce(sounds, say)
    return sounds


def _announce(sounds: Sounds, say: Callable[[str], None]) -> None:
    held = sounds.n_held_out
    count = len(sounds.clips.info)
    where = f" (reasons in {shown(sounds.folder / 'skipped.jsonl')})" if sounds.skipped else ""
    say(
        f"{count} sounds: {count - held} to train on, {held} held out; "
        f"{sounds.noted} used with a note, {sounds.skipped} skipped{where}"
    )
    for line in sounds.clips.told:
        say(f"  {line}")
