"""Builds an arm once before anything is trained: costs, receptive field, and whether the parts keep their contracts."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from attrs import evolve
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from flowvae.building.construct import at_work
from flowvae.building.parts import Parts
from flowvae.catalogue import Catalogue
from flowvae.errors import PluginError
from flowvae.folder.records import Probed
from flowvae.probe.coverage import coverage
from flowvae.probe.failure_trace import Trace, advice, traced
from flowvae.probe.limits import check_training_memory, free_memory, training_memory
from flowvae.recipe import Part, Recipe
from flowvae.streams import SeededStream


def probe(recipe: Recipe, catalogue: Catalogue) -> Probed:
    """Costs of a model, and where each component went in it; PluginError where a part breaks its contract."""
    # In full precision: half of it would change what is reached, not what is there.
    parts = Parts(evolve(recipe, train=evolve(recipe.train, precision="fp32")), 0)
    model, section = parts.model, recipe.model
    parameters = sum(p.numel() for p in model.parameters())
    check_training_memory(recipe, parameters, free_memory())
    audio = torch.randn(2, section.channels, section.n_samples) * 0.1
    audio.requires_grad_()
    with (
        traced(parts.builder, recipe) as trace,
        FlopCounterMode(display=False) as counter,
        _kept_for_backward() as kept,
    ):
        posterior = model.encode(audio)
        _expect(recipe, section.posterior, posterior.mode, (2, section.latent_dim), trace)
        estimate = model.decode(posterior.mode)
        _expect(recipe, section.decoder, estimate, (2, section.channels, section.n_samples), trace)
    parts.build_all()  # what is refused is refused before the first run
    _try_a_batch(parts, estimate.detach())
    seconds = 2 * section.n_samples / section.sample_rate
    reach = torch.autograd.grad(posterior.mode[0].square().sum(), audio)[0][0]
    return Probed(
        parameters=parameters,
        memory=training_memory(recipe, parameters, sum(kept.values()) / 2),
        macs_per_second=counter.get_total_flops() / 2 / seconds,
        receptive_field=int(reach.abs().sum(0).count_nonzero()),
        coverage=coverage(model, parts.builder, catalogue),
    )


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


def _try_a_batch(parts: Parts, estimate: Tensor) -> None:
    """What is done to a batch, and what it is trained by, once: a value may be refused only where there are sounds."""
    recipe = parts.recipe
    slack = round(recipe.data.extras["slack_ms"] / 1000 * recipe.model.sample_rate)
    batch = 0.1 * torch.randn(2, recipe.model.channels, recipe.model.n_samples + 2 * slack)
    for name, augment in parts.augmentations.items():
        with at_work(recipe.augmentations[name], f"augmentations.{name}"):
            batch = augment(batch, SeededStream.of(0, "probe", name))
    for name, loss in parts.losses.items():
        with at_work(recipe.losses[name], f"losses.{name}"):
            loss(0.1 * torch.randn_like(estimate), estimate)
    parts.stft.forget()


def _expect(recipe: Recipe, part: Part, tensor: Tensor, shape: tuple[int, ...], trace: Trace) -> None:
    if tuple(tensor.shape) != shape:
        what = f"{part.component} returned {list(tensor.shape)}, expected {list(shape)}"
        raise PluginError(what, do=advice(recipe))
    if not bool(torch.isfinite(tensor).all()):
        first = trace.first_without_numbers or part
        what = f"{first.component} returned values that are not finite, before any training"
        raise PluginError(what, do=advice(recipe))
