"""An ablation of arms with and without a second player, made by the engine in this process: three others would load torch."""

import os
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import TINY
from flowvae import worker
from flowvae.ablation import drive
from flowvae.catalogue import Catalogue
from flowvae.probe.__main__ import main as probe
from flowvae.processes.launcher import Called
from flowvae.recipe import read_recipe
from flowvae.report import write
from flowvae.training import loop

DISCRIMINATORS = (
    "{ multi_period = { width = 2, periods = [2] }, "
    "multi_resolution = { width = 2, n_ffts = [256], band_edges = [0.0, 1.0] } }"
)


def adversary(use, from_step, weight, lr):
    """A table of the second player, on one line."""
    return (
        f'{{ use = "{use}", from_step = {from_step}, weight = {weight}, hears_samples = 1024, '
        f'freeze = ["model.encoder", "model.posterior"], discriminators = {DISCRIMINATORS}, '
        f'feature_matching = {{ use = "relative_l1", weight = {weight} }}, '
        f'optimizer = {{ use = "adamw", lr = {lr} }}, schedule = "constant" }}'
    )


# The second adversary neither learns nor pulls.
ABLATION = f"""
extends = "percussion_small"
[start]
from = "plain/runs/plain/seed-0"
[ablation]
metric = "spectral_distance"
seeds = 1
[ablation.vary]
adversarial = [
    false,
    {adversary("hinge", 2, 1.0, "3e-4")},
    {adversary("least_squares", 6, 1e-9, "1e-12")},
]
"start.take" = [["model"], ["model.decoder"]]
"""
SMALL = (
    *TINY,
    "evaluation.prior_samples=1",
    "evaluation.audio_examples=1",
    "train.checkpoint_every=100",
    "evaluation.every=100",
)


def make_opposed(place, draw_nothing):
    """Runs it below a folder; gives the ablation's own, and what its terminal heard."""
    (place / "plain.toml").write_text('extends = "percussion_small"\n')
    (place / "opposed.toml").write_text(ABLATION)
    heard = []
    with pytest.MonkeyPatch.context() as here:
        in_this_process(here)
        here.setattr(write, "_draw", draw_nothing)
        catalogue = Catalogue.installed()
        for name, steps, say in (("plain", 2, lambda _: None), ("opposed", 14, heard.append)):
            source = read_recipe(str(place / f"{name}.toml"), (*SMALL, f"train.steps={steps}"))
            drive.run_recipe(source, place / name, say, catalogue)
    return place / "opposed", heard


def in_this_process(here):
    """Has the driver probe and run here, and the loop tell of every step: as many rows as a longer training has."""
    here.setattr(loop, "REPORT_EVERY", 1)
    launcher = SimpleNamespace(call=_probe, start=None)
    here.setattr(drive, "launched", lambda *_: nullcontext(launcher))
    here.setattr(drive, "construct", lambda *_: _execute)
    here.setattr(worker.StopSignals, "installed", classmethod(lambda cls: cls(parent=os.getppid())))


def _probe(command):
    return Called(probe(Path(command[4]), command[5:]), "", "")


def _execute(jobs, _poll):
    return {job.name: worker.main(Path(job.command[-1])) for job in jobs}
