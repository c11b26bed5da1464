"""What share of a run goes into measuring and writing: `python tests/benchmarks/validation_share.py > tests/benchmarks/validation_share.md`.

In one process with one thread and the memory settings of a run, steps of each phase, full validations with their audio, points
of curves and checkpoints take turns. What a whole run spends follows from how often its recipe asks for each. The goal is
15 % at most. Seconds are of the processor: what the disk makes a checkpoint wait is not among them.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

RECIPES = (
    "percussion_small",
    "percussion_small_adversarial",
    "soundstream_small",
    "rave_v2_small",
    "dac_small",
)
BEFORE = ("evaluation.every=625", "evaluation.curve_points=1")
"""percussion_small until curves had points between its validations."""
ROUNDS = 5
STEPS = 4
"""Of each phase in a round."""
HEADER = ("recipe", "seconds a step", "full validation", "point", "checkpoint", "of each", "share of a run")


def main() -> None:
    """Prints a row for each recipe."""
    from flowvae.building.processor import processor

    print(
        f"# Measuring and writing beside training\n\n{os.cpu_count()} virtual cores, {processor()}; one thread, ",
        end="",
    )
    print("processor seconds. `python tests/benchmarks/validation_share.py`\n")
    print(f"| {' | '.join(HEADER)} |\n|{' --- |' * len(HEADER)}")
    for name in RECIPES:
        recipe = resolved(name)
        cost = costs_of(recipe)
        if name == RECIPES[0]:
            print(row(f"{name}, before", resolved(name, *BEFORE), cost))
        print(row(name, recipe, cost), flush=True)


def resolved(name: str, *settings: str) -> Any:
    """The recipe, begun with no other run."""
    from flowvae.catalogue import Catalogue
    from flowvae.recipe import read_recipe, resolve

    return resolve(read_recipe(name, settings), Catalogue.installed(only=()))


def costs_of(recipe: Any) -> dict[str, float]:
    """The median seconds of a step of each phase, by the step that it begins with, and of all that is no training."""
    import torch

    from flowvae.data.prepare import prepare_clips
    from flowvae.data.sounds import source_of
    from flowvae.evaluation.evidence import HeldOut
    from flowvae.evaluation.validation import Validation
    from flowvae.folder.journal import Journal
    from flowvae.folder.status import Status
    from flowvae.training.loop import Checkpoints
    from flowvae.training.training import Training

    torch.set_num_threads(1)
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        clips = prepare_clips(source_of(recipe), recipe.data, recipe.model, folder)
        training = Training.of(recipe, 0, clips, torch.device("cpu"))
        held_out = HeldOut.of(clips, recipe.model.n_samples, recipe.evaluation.sounds, torch.device("cpu"))
        with Journal(folder, 0) as journal:
            validation = Validation(training.parts, held_out, journal, folder)
            checkpoints = Checkpoints(folder / "checkpoints", "share")
            status = Status(folder, recipe.train.steps)
            for turn in range(ROUNDS + 1):
                for phase in training.phases:
                    for step in range(phase.from_step, phase.from_step + STEPS):
                        timed(seconds[str(phase.from_step)], lambda: training.step(step))  # noqa: B023 - called at once
                timed(seconds["full"], lambda: validation(turn * recipe.evaluation.every))  # noqa: B023 - as above
                timed(seconds["point"], lambda: validation(1))
                timed(seconds["checkpoint"], lambda: checkpoints.save(training, status))
    # The first round warms up.
    return {what: statistics.median(found[len(found) // (ROUNDS + 1) :]) for what, found in seconds.items()}


def row(name: str, recipe: Any, cost: dict[str, float]) -> str:
    """How often a run does each, and what that makes together."""
    from flowvae.recipe.measured_steps import for_curves, in_full

    steps = recipe.train.steps
    done = range(1, steps + 1)
    counts = {
        "full": 1 + sum(in_full(recipe, step) for step in done),
        "point": sum(for_curves(recipe, step) and not in_full(recipe, step) for step in done),
        "checkpoint": 1 + -(-steps // recipe.train.checkpoint_every),
    }
    begins = [*sorted(int(what) for what in cost if what.isdigit()), steps]
    training = sum(cost[str(begin)] * (end - begin) for begin, end in pairwise(begins))
    rest = sum(cost[what] * count for what, count in counts.items())
    per_step = " / ".join(f"{cost[str(begin)]:.3f}" for begin in begins[:-1])
    apart = " | ".join(f"{cost[what]:.2f}" for what in counts)
    each = " + ".join(map(str, counts.values()))
    return (
        f"| {name} | {per_step} | {apart} | {each} | {100 * rest / (training + rest):.1f} % ({rest:.1f} s) |"
    )


def timed(found: list[float], call: Callable[[], object]) -> None:
    """Adds the processor seconds of a call."""
    started = time.process_time()
    call()
    found.append(time.process_time() - started)


if __name__ == "__main__":
    from flowvae.building.allocator import ALLOCATOR

    if all(os.environ.get(name) == value for name, value in ALLOCATOR.items()):
        main()
    else:  # the allocator reads its settings once, when a process begins
        environment = {**os.environ, **ALLOCATOR, "OMP_NUM_THREADS": "1"}
        sys.exit(subprocess.run([sys.executable, __file__], env=environment, check=False).returncode)
