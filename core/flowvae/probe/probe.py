"""Builds every arm once before anything is trained: costs, receptive field, and whether the parts keep their contracts.

`python -m flowvae.probe.probe FOLDER DEVICE...` reads FOLDER/arms/*.toml and writes FOLDER/arms.json, and what each
word for a device means here to FOLDER/devices.json. A process of its own, so that the driver of an ablation never
needs torch.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from flowvae.building.builder import Builder
from flowvae.building.device import pick_device, visible_names
from flowvae.building.model import SoundVAE
from flowvae.building.shared_stft import SharedStft
from flowvae.catalogue import Catalogue
from flowvae.errors import FlowvaeError, PluginError, RecipeError
from flowvae.evaluation.evidence import build_measures
from flowvae.folder.files import write_json
from flowvae.probe.coverage import coverage
from flowvae.probe.failure_trace import Trace, advice, traced
from flowvae.probe.limits import check_training_memory, free_memory, limited, training_memory
from flowvae.recipe import Part, Recipe, read_recipe, resolve


def main(folder: Path, devices: list[str]) -> int:
    """Probes the machine for devices, and the arms that the folder names."""
    torch.set_num_threads(1)
    wanted = json.loads((folder / "arms.json").read_text(encoding="utf-8"))
    try:
        places = {device: pick_device(device) for device in devices}
        for name, arm in wanted.items():
            if "parameters" not in arm:
                catalogue = Catalogue.installed(arm["plugins"])
                recipe = resolve(read_recipe(str(folder / "arms" / f"{name}.toml")), catalogue)
                with limited(recipe):
                    arm.update(probe(recipe, catalogue))
    except RecipeError as error:
        # The driver knows where the user wrote each value.
        print(json.dumps({"arm": name, "faults": [[f.path, f.what, f.component] for f in error.faults]}))
        return error.exit_status
    except FlowvaeError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return error.exit_status
    found = {name: {"kind": place.type, "names": visible_names(place)} for name, place in places.items()}
    write_json(folder / "devices.json", found)
    write_json(folder / "arms.json", wanted)
    return 0


def probe(recipe: Recipe, catalogue: Catalogue) -> dict[str, Any]:
    """Costs of a model, and where each component went in it; PluginError where a part breaks its contract."""
    build, section = Builder(0), recipe.model
    model = SoundVAE(section, build)
    parameters = sum(p.numel() for p in model.parameters())
    check_training_memory(recipe, parameters, free_memory())
    audio = torch.randn(2, section.channels, section.n_samples) * 0.1
    audio.requires_grad_()
    with (
        traced(build, recipe) as trace,
        FlopCounterMode(display=False) as counter,
        _kept_for_backward() as kept,
    ):
        posterior = model.encode(audio)
        _expect(recipe, section.posterior, posterior.mode, (2, section.latent_dim), trace)
        estimate = model.decode(posterior.mode)
        _expect(recipe, section.decoder, estimate, (2, section.channels, section.n_samples), trace)
    _build_the_rest(recipe, build, model)
    seconds = 2 * section.n_samples / section.sample_rate
    reach = torch.autograd.grad(posterior.mode[0].square().sum(), audio)[0][0]
    return {
        "parameters": parameters,
        "memory": training_memory(recipe, parameters, sum(kept.values()) / 2),
        "macs_per_second": counter.get_total_flops() / 2 / seconds,
        "receptive_field": int(reach.abs().sum(0).count_nonzero()),
        "coverage": coverage(model, build, catalogue),
    }


@contextmanager
def _kept_for_backward() -> Iterator[dict[int, int]]:
    """Collects the bytes of what autograd keeps of two sounds, each piece of memory once."""
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.shape[:1] == (2,):  # not the weights, which it keeps too, once for all sounds
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield sizes


def _build_the_rest(recipe: Recipe, build: Builder, model: SoundVAE) -> None:
    """What a run will need beside its model: a value that is refused is refused before the first run."""
    pick_device(recipe.execution.device)
    rate, samples = recipe.model.sample_rate, recipe.model.n_samples
    for i, part in enumerate(recipe.losses):
        build.build(part, f"losses.{i}", sample_rate=rate, stft=SharedStft())
    for i, part in enumerate(recipe.augmentations):
        build.build(part, f"augmentations.{i}", sample_rate=rate, n_samples=samples)
    build_measures(recipe.evaluation, build, rate, model.periods)
    build.build(recipe.regularizer, "regularizer", n_steps=recipe.train.steps)
    build.build(recipe.train.schedule, "train.schedule", n_steps=recipe.train.steps)
    build.build(recipe.train.optimizer, "train.optimizer", parameters=list(model.named_parameters()))


def _expect(recipe: Recipe, part: Part, tensor: Tensor, shape: tuple[int, ...], trace: Trace) -> None:
    if tuple(tensor.shape) != shape:
        what = f"{part.component} returned {list(tensor.shape)}, expected {list(shape)}"
        raise PluginError(what, do=advice(recipe))
    if not bool(torch.isfinite(tensor).all()):
        first = trace.first_without_numbers or part
        what = f"{first.component} returned values that are not finite, before any training"
        raise PluginError(what, do=advice(recipe))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
