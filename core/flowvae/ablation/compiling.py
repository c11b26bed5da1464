"""Whether the networks of an ablation are compiled: decided once for all of its runs. Needs no torch."""

import importlib.util
import os
import shutil
import statistics
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from flowvae.ablation.devices import CPU, Placement
from flowvae.ablation.runs import Run, n_threads
from flowvae.errors import MachineError
from flowvae.folder.probe_records import Probed
from flowvae.folder.run_records import Order
from flowvae.folder.status import read_status
from flowvae.recipe import Recipe

MULTIPLY_ADDS_A_SECOND = 25e9
"""What a core does of a step, measured over whole steps; each is two operations."""
THERE_AND_BACK = 3
"""The way back takes twice as long as the way there."""
HOST_S = 0.02
"""What asking a GPU for a step takes at least, however fast it computes."""
GAIN = 1.15
"""How much faster a compiled step is, at least: 1.15 was measured of percussion, up to 1.45 of larger models."""
FIRST_STEP_S = 180.0
"""What the compiler takes of the first step of a large model on one core that is shared with other runs."""


def seconds_of_run(recipe: Recipe, macs_per_second: float, threads: int, kind: str) -> float:
    """What the steps of a run take about, where nothing is compiled; `macs_per_second` are those of the way there."""
    if kind != CPU.kind:
        return recipe.train.steps * HOST_S
    sounds = recipe.train.batch_size * recipe.model.n_samples / recipe.model.sample_rate
    step = THERE_AND_BACK * macs_per_second * sounds / (MULTIPLY_ADDS_A_SECOND * threads)
    return recipe.train.steps * step


def pays(seconds: float) -> bool:
    """Whether a run of so many seconds is long enough for the compiler to win back what it takes.

    >>> pays(200.0), pays(2000.0)
    (False, True)
    """
    return seconds * (1 - 1 / GAIN) > FIRST_STEP_S


def lacking(kind: str) -> str:
    """What torch's compiler needs on a device and this machine has not; nothing where it has all."""
    if kind not in {CPU.kind, "cuda"}:
        return f"a device that torch compiles for (not {kind})"
    variable, names = ("CXX", ["g++", "clang++"]) if kind == CPU.kind else ("CC", ["gcc", "clang", "cc"])
    given = os.environ.get(variable)
    missing = [] if any(map(shutil.which, [given] if given else names)) else [f"a compiler ({names[0]})"]
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        missing.append("the headers of Python (python3-dev)")
    if kind == "cuda" and importlib.util.find_spec("triton") is None:
        missing.append("triton")
    return ", ".join(missing)


def compiled(
    runs: Sequence[Run],
    waiting: Sequence[Run],
    probed: Mapping[str, Probed],
    placements: Mapping[str, Placement],
    say: Callable[[str], None],
) -> dict[str, bool]:
    """For each waiting run whether it is compiled; MachineError where the recipe wants it and it cannot be.

    "auto" means for all runs of a folder what it meant for those that have begun.
    """
    found: dict[str, bool] = {}
    for run in waiting:
        asked, kind = run.arm.recipe.execution.compile, placements[run.name].kind
        if asked == "always" and (missing := lacking(kind)):
            raise MachineError(
                f"execution.compile is always, and this machine lacks {missing}",
                do='install it, or --set execution.compile="auto"',
            )
        found[run.name] = asked == "always"
    auto = [run for run in waiting if run.arm.recipe.execution.compile == "auto"]
    if auto:
        begun = next(filter(None, map(_begun, runs)), None)
        decided = begun.compiled if begun else _pays(auto, probed, placements, alone=len(runs) == 1)
        found |= {run.name: decided for run in auto}
    if any(found.values()):
        say("encoder and decoder are compiled: the first step of a run takes a minute or two")
    return found


def _pays(
    runs: Iterable[Run], probed: Mapping[str, Probed], placements: Mapping[str, Placement], *, alone: bool
) -> bool:
    """All or none: by what the runs take in the mean."""
    runs = list(runs)
    if any(lacking(placements[run.name].kind) for run in runs):
        return False
    seconds = [
        seconds_of_run(
            run.recipe,
            probed[run.arm.name].macs_per_second,
            n_threads(run.recipe, run.folder, alone=alone),
            placements[run.name].kind,
        )
        for run in runs
    ]
    return pays(statistics.mean(seconds))


def _begun(run: Run) -> Order | None:
    """What a run that has begun under "auto" was asked to do."""
    if run.arm.recipe.execution.compile != "auto" or read_status(run.folder).state == "waiting":
        return None
    return Order.read_if_there(run.folder)
