"""What pairing by random streams is worth: `python tests/benchmarks/pairing --out FOLDER > tests/benchmarks/pairing.md`.

The two arms of ablation_upsampler are trained with each seed, once with a stream for each purpose and once with one seeded
generator for all. Runs that are in FOLDER are not taken again, so the command goes on where it was stopped.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # what is run as a folder finds its own modules alone

import torch

from benchmarks.pairing.runs import SCHEMES, place_of, take
from benchmarks.pairing.table import HAIR, Study, by_itself, correlations, remedies, spreads
from flowvae.building.allocator import ALLOCATOR
from flowvae.building.processor import processor
from flowvae.catalogue import Catalogue
from flowvae.data.prepare import prepare_clips
from flowvae.data.sounds import source_of
from flowvae.recipe import plan_ablation, read_recipe

METRICS = ("tonal_artefact", "spectral_distance", "si_sdr", "kl_nats", "active_units")
"""The primary one first."""
N_VALIDATIONS = 6
REDRAWN = ("augmentations.dequantize=false", 'augmentations.noise={ use = "dequantize" }')
"""The name of a part is the key of its stream: the same noise, drawn anew."""


def main() -> None:
    """Takes the runs that are missing, then prints the tables."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path, required=True)
    asked.add_argument("--seeds", type=int, default=12)
    asked.add_argument("--steps", type=int, default=960, help="a multiple of 6; the recipe has 960")
    asked.add_argument(
        "--streams-alone", action="store_true", help="neither one generator nor the baseline beside itself"
    )
    asked.add_argument("--set", action="append", default=[], help="laid over the recipe: KEY=VALUE")
    options = asked.parse_args()
    torch.set_num_threads(1)
    settings = (
        f"train.steps={options.steps}",
        f"evaluation.every={options.steps // N_VALIDATIONS}",
        "train.checkpoint_every=1000000",
        "evaluation.sounds=80",
        "evaluation.audio_examples=0",
        "evaluation.final_audio=0",
        f"evaluation.metrics={[*METRICS]}".replace("'", '"'),
        *options.set,
    )
    study = finished(options.out, settings, options.seeds, streams_alone=options.streams_alone)
    print("\n".join(page(study, " ".join(sys.argv[1:]).replace(str(options.out), "FOLDER"))))


def finished(out: Path, settings: tuple[str, ...], n_seeds: int, *, streams_alone: bool) -> Study:
    """All runs, taken where they are not there yet; seed by seed, so that what is there can be compared."""
    plan, noisy = (
        plan_ablation(read_recipe("ablation_upsampler", (*settings, *more)), Catalogue.installed(only=()))
        for more in ((), REDRAWN)
    )
    out.mkdir(parents=True, exist_ok=True)
    clips = prepare_clips(source_of(plan.recipe), plan.recipe.data, plan.recipe.model, out)
    schemes = SCHEMES[:1] if streams_alone else SCHEMES
    runs = [(scheme, arm.name, arm.recipe) for scheme in schemes for arm in plan.arms]
    runs += [] if streams_alone else [(SCHEMES[0], HAIR, noisy.arms[0].recipe)]
    for seed in range(n_seeds):
        for scheme, name, recipe in runs:
            folder = place_of(out, scheme, name, seed)
            take(recipe, seed, clips, scheme, folder)
            print(f"{folder} is there", file=sys.stderr, flush=True)
    one, other = (arm.name for arm in plan.arms)
    return Study.of(out, (one, other), schemes, n_seeds)


def page(study: Study, arguments: str) -> Iterator[str]:
    """Every table under its title."""
    one, other = study.arms
    yield "# What pairing by streams is worth\n"
    yield f"{other} beside {one}, percussion_small with its own drums, {len(study.seeds)} seeds, 80 held-out sounds. "
    yield f"{os.cpu_count()} virtual cores, {processor()}, one thread. `python tests/benchmarks/pairing {arguments}`"
    for title, rows in (
        ("The spread of the difference at the end", spreads(study, METRICS[:4])),
        ("The correlation of the arms over the seeds", correlations(study, METRICS[:4])),
        (
            "The baseline beside itself, with other rounding noise: the correlation",
            by_itself(study, METRICS[:4]),
        ),
        ("What may make the paired difference steadier", remedies(study, METRICS[:3])),
    ):
        if table := [*rows]:
            yield from (f"\n## {title}\n", *table)


if __name__ == "__main__":
    if all(os.environ.get(name) == value for name, value in ALLOCATOR.items()):
        main()
    else:  # the allocator reads its settings once, when a process begins
        environment = {**os.environ, **ALLOCATOR, "OMP_NUM_THREADS": "1"}
        sys.exit(subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode)
