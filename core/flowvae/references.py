"""`python -m flowvae.references FOLDER ARM DATA IDENTITY` measures what the arm's recipe names beside the arms.

A process of its own, before the first step: the driver needs no torch. It writes FOLDER/references.json and the sounds.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from flowvae.building.construct import at_work
from flowvae.building.parts import Parts
from flowvae.catalogue import Catalogue
from flowvae.contracts import BuiltMetric, BuiltReference, Evidence
from flowvae.data.clips import load_clips
from flowvae.errors import PluginError
from flowvae.evaluation.evidence import Figures, HeldOut, measure
from flowvae.folder.audio import write_wav
from flowvae.folder.probe_records import Arms
from flowvae.folder.run_records import MeasuredFigure, MeasuredReferences
from flowvae.folder.sound_names import slug
from flowvae.folder.stacks import ended_when_stalled
from flowvae.processes.outcome import outcome_of
from flowvae.processes.signs import sign
from flowvae.recipe import read_recipe, resolve

RECONSTRUCTIONS = frozenset({"real", "estimate", "classes"})
"""What a reference has of an evaluation: it makes no codes and no new sounds."""


def main(folder: Path, arm: str, data: Path, identity: str) -> int:
    """Measures the references of an arm's recipe, on the sounds that every run is judged by."""
    torch.set_num_threads(1)
    outcome = outcome_of(arm, lambda: _measured(folder, arm, data))
    if outcome.found is not None:
        MeasuredReferences(identity, outcome.found).write(folder)
    return outcome.tell()


def _measured(folder: Path, arm: str, data: Path) -> dict[str, dict[str, MeasuredFigure]]:
    recipe = resolve(
        read_recipe(str(folder / "arms" / f"{arm}.toml")),
        Catalogue.installed(Arms.read(folder).arms[arm].plugins),
    )
    parts = Parts(recipe, 0)
    held_out = HeldOut.of(load_clips(data), recipe.model.n_samples, recipe.evaluation.sounds, parts.device)
    measures = dict(_of_reconstructions(parts.metrics))
    figures = {}
    for name, reference in parts.references.items():
        where, part = f"evaluation.references.{name}", recipe.evaluation.references[name]
        with at_work(part, where), ended_when_stalled(recipe.execution.stall_timeout, folder):
            sign(where)
            estimate = _checked(name, reference, held_out.audio, recipe.train.batch_size)
        figures[name] = _recorded(measure(measures, _evidence(held_out, estimate)))
        count = max(recipe.evaluation.audio_examples, recipe.evaluation.final_audio)
        for i, row in enumerate(held_out.audio_examples(count)):
            file = f"{i:02d}-{slug(held_out.names[row])}.wav"
            write_wav(folder / "references" / name / file, estimate[row], recipe.model.sample_rate)
    return figures


def _of_reconstructions(metrics: Mapping[str, BuiltMetric]) -> Iterator[tuple[str, BuiltMetric]]:
    """The metrics that read nothing but sounds and their reconstructions."""
    for name, metric in metrics.items():
        reads = getattr(metric, "reads", None)
        if reads is not None and RECONSTRUCTIONS.issuperset(reads):
            yield name, metric


def _checked(name: str, reference: BuiltReference, audio: Tensor, batch: int) -> Tensor:
    where = f"evaluation.references.{name}"
    with torch.no_grad():
        estimate = torch.cat([reference(part) for part in torch.split(audio, batch)])
    if estimate.shape != audio.shape:
        raise PluginError(
            f"a reference returned {list(estimate.shape)}, expected {list(audio.shape)}", where=where
        )
    if not bool(torch.isfinite(estimate).all()):
        raise PluginError("a reference returned values that are not finite", where=where)
    return estimate


def _evidence(held_out: HeldOut, estimate: Tensor) -> Evidence:
    nothing = estimate.new_zeros(0)
    return Evidence(held_out.audio, estimate, nothing, nothing, nothing, held_out.classes)


def _recorded(figures: Mapping[str, Figures]) -> dict[str, MeasuredFigure]:
    return {name: MeasuredFigure(figure.value, figure.per_sound) for name, figure in figures.items()}


if __name__ == "__main__":
    place, of_arm, sounds, key = sys.argv[1:]
    sys.exit(main(Path(place), of_arm, Path(sounds), key))
