"""Trainings in the test's own process, as the process of a run builds and takes them."""

import signal
import tempfile
from pathlib import Path

import torch

from flowvae import worker
from flowvae.ablation.kept_files import KeptFiles
from flowvae.ablation.runs import all_runs, prepare_run
from flowvae.data.prepare import prepare_clips
from flowvae.data.sounds import prepare_sounds, source_of
from flowvae.folder.journal import Journal
from flowvae.folder.status import Status
from flowvae.recipe import plan_ablation, read_recipe, resolve
from flowvae.recipe.part import leaves
from flowvae.training.loop import Checkpoints, train
from flowvae.training.training import Training


def training_of(settings, catalogue, seed=0, recipe="percussion_small"):
    return begin(resolve(read_recipe(recipe, settings), catalogue), seed)


def begin(recipe, seed=0):
    return Training.of(recipe, seed, clips_of(recipe), torch.device("cpu"))


_CLIPS = {}
"""The sounds of the recipes of a session, by what they come of. Nothing writes to them."""


def clips_of(recipe):
    """What the recipe's data set gives, prepared once for all tests that ask for the same."""
    model, data = recipe.model, recipe.data
    given = {"sample_rate": model.sample_rate, "channels": model.channels, "n_samples": model.n_samples}
    key = repr((sorted(given.items()), sorted(leaves(data))))
    if key not in _CLIPS:
        with tempfile.TemporaryDirectory() as folder:
            _CLIPS[key] = prepare_clips(source_of(recipe), data, model, Path(folder))
    return _CLIPS[key]


def go(training, folder, stop=lambda: 0, identity="identity", machine=None, check=None):
    """Takes a run to its end, as its process does."""
    folder.mkdir(exist_ok=True)
    status = Status(folder, training.recipe.train.steps)
    checkpoints = Checkpoints(folder / "checkpoints", identity, machine=machine or {})
    checkpoints.resume(training, status)
    with Journal(folder, training.state.step) as journal:
        train(training, checkpoints, journal, status, observers=[], stop_signal=stop, check=check)
    return status


def weights(training):
    return {
        **training.model.state_dict(),
        **{f"average.{n}": t for n, t in training.average.state_dict().items()},
    }


def planned_runs(settings, catalogue, folder, recipe="percussion_small"):
    """The runs of a recipe, prepared for their processes as the driver does."""
    plan = plan_ablation(read_recipe(recipe, (*settings, "execution.threads=1")), catalogue)
    sounds = {arm.name: prepare_sounds(arm.recipe, folder / "data", lambda _: None) for arm in plan.arms}
    runs = all_runs(plan, sounds, folder / "runs")
    for run in runs:
        prepare_run(run, catalogue, KeptFiles(folder), "cpu", alone=True)
    return runs


def take(run):
    """A run to its end by the code of its process; its exit status."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.getsignal(number) for number in numbers]
    try:
        return worker.main(run.folder)
    finally:
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
