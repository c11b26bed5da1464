"""How often a reconstruction is nearest to its own original: `python tests/benchmarks/own_original.py RUN [RUN ...]`.

For every held-out kick there is a snare, a hat and a tom beside it; each of the four reconstructions is compared with
the four originals by the spectral distance. RUN is a folder such as runs/ablation_snake/runs/snake/seed-0, of a run on
sounds whose names begin with what they are (the synthetic ones do).
"""

import json
import sys
from pathlib import Path

import torch
from attrs import evolve

from flowvae.catalogue import Catalogue
from flowvae.contracts import Evidence
from flowvae.data.clips import load_clips
from flowvae.evaluation.evidence import HeldOut, gather_evidence
from flowvae.folder import checkpoint
from flowvae.recipe import read_recipe, resolve
from flowvae.training.training import Training

CLASSES = ("kick", "snare", "closed_hat", "tom")


def own_original(folder: Path) -> tuple[int, int, bool]:
    """How many of how many reconstructions are nearest to their own original, and whether the first four all are."""
    order = json.loads((folder / "run.json").read_text())
    recipe = resolve(read_recipe(str(folder / "recipe.toml")), Catalogue.installed(order["plugins"]))
    recipe = evolve(recipe, evaluation=evolve(recipe.evaluation, sounds=100_000))
    clips, device = load_clips(folder / order["data"]), torch.device("cpu")
    training = Training.of(recipe, order["seed"], clips, device)
    found = checkpoint.find_newest(folder / "checkpoints")
    assert found is not None
    training.state.restore(found.files)
    held_out = HeldOut.of(clips, recipe.model.n_samples, recipe.evaluation.sounds, device)
    evidence = gather_evidence(training.average, held_out, 1, recipe.train.batch_size)
    distance = next(iter(training.parts.metrics.values()))
    rows = {name: [i for i, n in enumerate(held_out.names) if n.startswith(name)] for name in CLASSES}
    verdicts = []
    for four in zip(*rows.values(), strict=False):
        for mine in four:
            distances = {other: float(distance(_pair(evidence, other, mine)).mean()) for other in four}
            verdicts.append(min(distances, key=lambda other: distances[other]) == mine)
    return sum(verdicts), len(verdicts), all(verdicts[:4])


def _pair(evidence: Evidence, real: int, estimate: int) -> Evidence:
    return evolve(
        evidence, real=evidence.real[real : real + 1], estimate=evidence.estimate[estimate : estimate + 1]
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:]:
        right, of, first = own_original(Path(name))
        print(
            f"{name}: {right} of {of}; the first kick, snare, hat and tom: {'all four' if first else 'not all'}"
        )
