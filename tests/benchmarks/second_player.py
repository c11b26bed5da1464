"""What a step of two players costs beside one of the model alone: `python tests/benchmarks/second_player.py`.

The arms of ablation_discriminators take their steps in turn, in one process with one thread and the memory settings of a
run, so whatever else the machine does meets all of them. What counts is the ratio of a step of both players to one of the
model alone; the goal is 2.5 at most.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 60
WARM_UP = 5
SOUNDS = 'data={ use = "synthetic_percussion", n_sounds = 48 }'


def main() -> None:
    """Prints a row for each arm."""
    import torch

    from flowvae.building.construct import construct
    from flowvae.catalogue import Catalogue
    from flowvae.data.prepare import prepare_clips
    from flowvae.recipe import plan_ablation, read_recipe
    from flowvae.training.training import Training

    torch.set_num_threads(1)
    source = read_recipe("ablation_discriminators", (SOUNDS, "adversarial.from_step=0"))
    plan = plan_ablation(source, Catalogue.installed(only=()))
    model, data = plan.recipe.model, plan.recipe.data
    given = {"sample_rate": model.sample_rate, "channels": model.channels, "n_samples": model.n_samples}
    with tempfile.TemporaryDirectory() as folder:
        clips = prepare_clips(construct(data, "data", given, data.values), data, model, Path(folder))
        arms = {arm.name: Training.of(arm.recipe, 0, clips, torch.device("cpu")) for arm in plan.arms}
        seconds: dict[str, list[float]] = {name: [] for name in arms}
        for step in range(ROUNDS):
            for name, training in arms.items():
                started = time.perf_counter()
                training.step(step)
                seconds[name].append(time.perf_counter() - started)
    baseline = seconds[plan.arms[0].name]
    print(
        "| arm | ms a step | beside the model alone | weights of the discriminators |\n| --- | --- | --- | --- |"
    )
    for name, times in seconds.items():
        ratios = [mine / theirs for mine, theirs in zip(times, baseline, strict=True)][WARM_UP:]
        player = arms[name].parts.second_player
        weights = f"{player.n_weights:,}" if player else ""
        median = 1000 * statistics.median(times[WARM_UP:])
        print(f"| {name} | {median:.1f} | {statistics.median(ratios):.2f} | {weights} |")


if __name__ == "__main__":
    from flowvae.building.allocator import ALLOCATOR

    if all(os.environ.get(name) == value for name, value in ALLOCATOR.items()):
        main()
    else:  # the allocator reads its settings once, when a process begins
        environment = {**os.environ, **ALLOCATOR, "OMP_NUM_THREADS": "1"}
        sys.exit(subprocess.run([sys.executable, __file__], env=environment, check=False).returncode)
