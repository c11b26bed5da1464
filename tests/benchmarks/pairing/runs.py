"""The runs of the study: one component swapped, each seed once a scheme of drawing random numbers.

Under `streams` the engine draws as it does. Under `one generator` torch is seeded once and everything draws from its own
generator in the order in which it comes: the usual practice. What is measured is measured with the same noise in both.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from attrs import Factory, define
from torch import Tensor

from flowvae.data.batches import Batches
from flowvae.data.clips import Clips
from flowvae.evaluation.evidence import Figures, HeldOut, gather_evidence, measure, what_is_read
from flowvae.evaluation.validation import Validation
from flowvae.folder.journal import Journal
from flowvae.folder.status import Status
from flowvae.recipe import Recipe
from flowvae.streams import SeededStream
from flowvae.training.loop import Checkpoints, train
from flowvae.training.training import Training

SCHEMES = ("streams", "one generator")
DONE = "measured.json"
"""Written last: a run without it is begun anew."""
CPU = torch.device("cpu")


def place_of(out: Path, scheme: str, arm: str, seed: int) -> Path:
    """The folder of a run."""
    return out / scheme.replace(" ", "_") / arm / f"seed-{seed}"


def take(recipe: Recipe, seed: int, clips: Clips, scheme: str, folder: Path) -> None:
    """A run to its end; its journal, and what its weights give in other ways of averaging, lie in the folder."""
    if (folder / DONE).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as here:
        if scheme != "streams":
            here.enter_context(_one_generator(seed))
        training = Training.of(recipe, seed, clips, CPU)
        # Without streams the copy for the averaged weights drew weights of its own.
        training.average.load_state_dict(training.model.state_dict())
        held_out = HeldOut.of(clips, recipe.model.n_samples, recipe.evaluation.sounds, CPU)
        snapshots = Snapshots(training)
        (folder / "metrics.jsonl").unlink(missing_ok=True)
        with Journal(folder, 0) as journal:
            validation = Validation(training.parts, held_out, journal, folder)
            train(
                training,
                Checkpoints(folder / "checkpoints", "pairing"),
                journal,
                Status(folder, recipe.train.steps),
                observers=[validation, snapshots],
                stop_signal=lambda: 0,
            )
        found = {
            "averaged weights": _told(validation.final()),
            "last weights": _measured(training, held_out, training.model.state_dict()),
            "mean of two snapshots": _measured(training, held_out, snapshots.mean(2)),
            "mean of three snapshots": _measured(training, held_out, snapshots.mean(3)),
        }
    (folder / DONE).write_text(json.dumps(found), encoding="utf-8")


@define(eq=False)
class Snapshots:
    """The averaged weights as they were at each validation."""

    training: Training
    taken: list[dict[str, Tensor]] = Factory(list)

    def __call__(self, step: int) -> None:
        """Copies them."""
        self.taken.append({name: t.clone() for name, t in self.training.average.state_dict().items()})

    def mean(self, count: int) -> dict[str, Tensor]:
        """The mean of the last ones: an average over that part of the run."""
        last = self.taken[-count:]
        return {
            name: torch.stack([one[name] for one in last]).mean(0) if tensor.is_floating_point() else tensor
            for name, tensor in last[-1].items()
        }


def _measured(training: Training, held_out: HeldOut, state: dict[str, Tensor]) -> dict[str, Any]:
    """What the metrics of the recipe say with these weights."""
    training.average.load_state_dict(state)
    recipe, metrics = training.recipe, training.parts.metrics
    evidence = gather_evidence(
        training.average,
        held_out,
        recipe.evaluation.prior_samples,
        recipe.train.batch_size,
        reads=what_is_read(metrics),
    )
    return _told(measure(metrics, evidence))


def _told(figures: Mapping[str, Figures]) -> dict[str, Any]:
    """Every metric: its figure, and that of each sound."""
    return {name: {"value": found.value, "per_sound": found.per_sound} for name, found in figures.items()}


@contextmanager
def _one_generator(seed: int) -> Iterator[None]:
    """Within, nothing has a stream of its own. The order of an epoch is drawn when its first batch asks for it."""
    orders: dict[int, Tensor] = {}

    def order(_: Batches, epoch: int, count: int) -> Tensor:
        if epoch not in orders:
            orders[epoch] = torch.randperm(count)
        return orders[epoch]

    with ExitStack() as patched:
        for where in ("training.training.seed_torch", "training.objective.turn_to", "building.model.turn_to"):
            patched.enter_context(patch(f"flowvae.{where}", lambda _: None))
        patched.enter_context(patch("flowvae.building.parts.initialisation", lambda _: None))
        patched.enter_context(patch.object(Batches, "_order", order))
        of = classmethod(lambda cls, *_: cls(torch.default_generator))
        patched.enter_context(patch.object(SeededStream, "of", of))
        torch.manual_seed(seed)
        yield
