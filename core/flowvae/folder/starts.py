"""The finished run that another one begins with: where its weights lie, for each seed."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from attrs import evolve

from flowvae.errors import CheckpointError, Fault, Place, RecipeError, shown
from flowvae.folder.checkpoint import MANIFEST, read_verified
from flowvae.folder.plan_records import Plan
from flowvae.folder.run_records import Order, OtherRun
from flowvae.folder.status import read_status
from flowvae.recipe import AblationPlan, Recipe

SEED = "{seed}"
"""In `start.from`: the seed of the run that begins."""


def last_checkpoint(folder: Path) -> Path:
    """The last checkpoint of a finished run, which is verified; or the folder itself, where it is one. CheckpointError."""
    if (folder / MANIFEST).is_file():
        return folder  # a checkpoint itself, as the folder of an ablation keeps it
    if not (folder / Order.file).is_file():
        runs = [shown(found.parent) for found in sorted(folder.glob(f"runs/*/*/{Order.file}"))]
        what = f"{shown(folder)} is no run" if folder.exists() else f"there is no folder {shown(folder)}"
        do = ", ".join(runs[:3]) or "the folder of a run, such as runs/NAME/runs/ARM/seed-{seed}"
        raise CheckpointError(what, do=do)
    status = read_status(folder)
    if status.state != "done":
        what = f"the run in {shown(folder)} is not finished: {status.state} at step {status.step}"
        raise CheckpointError(what, do="the folder of a finished run; the command that began it continues it")
    newest = sorted((folder / "checkpoints").glob("step-*"))[-1:]
    if not newest:
        raise CheckpointError(f"{shown(folder)} has no checkpoint", do="a run that still has its weights")
    try:
        read_verified(newest[0])
    except CheckpointError as error:
        raise CheckpointError(f"{shown(newest[0])}: {error.what}", do="train that run again") from error
    return newest[0]


def begun(recipe: Recipe, seed: int, last: Callable[[Path], Path] = last_checkpoint) -> Recipe:
    """The recipe of one seed, whose `start.from` is the checkpoint to begin with; RecipeError where there is none.

    `last` finds it in a folder, as `last_checkpoint` does; it may remember what it has verified for another arm.
    """
    if recipe.start is None:
        return recipe
    folder = Path(str(recipe.start.from_).replace(SEED, str(seed)))
    try:
        return evolve(recipe, start=evolve(recipe.start, from_=last(folder)))
    except CheckpointError as error:
        origin = recipe.origins["start.from"]
        fault = Fault(error.what, Place(origin), "start.from", accepted=error.do)
        raise RecipeError([fault], recipe=recipe.name) from error


def other_run(recipe: Recipe) -> OtherRun | None:
    """The run of the checkpoint that the recipe of one seed begins with; nothing where it lies in no run."""
    if recipe.start is None:
        return None
    checkpoint = recipe.start.from_.absolute()
    with suppress(CheckpointError, ValueError, IndexError):
        step = int(checkpoint.name.removeprefix("step-"))
        order = Order.read(checkpoint.parents[1])
        plan = Plan.read_if_there(checkpoint.parents[4])  # FOLDER/runs/ARM/seed-SEED/checkpoints/step-STEP
        return OtherRun(plan.name if plan else "", order.arm, order.seed, step)
    return None


def check_starts(plan: AblationPlan) -> None:
    """RecipeError with every run that is missing."""
    faults: dict[str, Fault] = {}
    last = cache(last_checkpoint)
    for arm in plan.arms:
        for seed in plan.seeds:
            try:
                begun(arm.recipe, seed, last)
            except RecipeError as error:
                faults |= {fault.what: fault for fault in error.faults}
    if faults:
        raise RecipeError(list(faults.values()), recipe=plan.recipe.name)
