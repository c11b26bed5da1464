"""Builds an arm once before anything is trained: costs, receptive field, and whether the parts keep their contracts."""

import torch
from attrs import evolve
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from flowvae.building.construct import at_work
from flowvae.building.parts import Parts
from flowvae.catalogue import Catalogue
from flowvae.errors import Fault, PluginError, RecipeError
from flowvae.folder.probe_records import Probed
from flowvae.probe.coverage import coverage
from flowvae.probe.failure_trace import Trace, advice, traced
from flowvae.probe.kept import kept_for_backward
from flowvae.probe.limits import check_training_memory, free_memory, training_memory
from flowvae.probe.steps import phase_costs, try_discriminators
from flowvae.recipe import Part, Recipe
from flowvae.streams import SeededStream
from flowvae.training.start import take_weights


def probe(recipe: Recipe, catalogue: Catalogue) -> Probed:
    """Costs of a model, and where each component went in it; PluginError where a part breaks its contract."""
    # In full precision: half of it would change what is reached, not what is there.
    parts = Parts(evolve(recipe, train=evolve(recipe.train, precision="fp32")), 0)
    model, section = parts.model, recipe.model
    parameters = sum(p.numel() for p in model.parameters())
    check_training_memory(recipe, parameters, free_memory())
    audio = torch.randn(2, section.channels, section.n_samples) * 0.1
    audio.requires_grad_()
    _try_bands(parts, audio.detach())
    with (
        traced(parts.builder, recipe) as trace,
        FlopCounterMode(display=False) as counter,
        kept_for_backward(
            lambda tensor: tensor.shape[:1] == (2,)
        ) as kept,  # not the weights, once for all sounds
    ):
        posterior = model.encode(audio)
        _expect(recipe, section.posterior, posterior.mode, (2, section.latent_dim), trace)
        estimate = model.decode(posterior.mode)
        _expect(recipe, section.decoder, estimate, (2, section.channels, section.n_samples), trace)
    reach = torch.autograd.grad(posterior.mode[0].square().sum(), audio)[0][0]
    parts.build_all()  # what is refused is refused before the first run
    _refuse_idle_prior(parts)
    _try_a_batch(parts, estimate.detach())
    try_discriminators(parts)
    take_weights(parts)
    seconds = 2 * section.n_samples / section.sample_rate
    phases = phase_costs(parts) if parts.second_player or parts.prior_fit else {}
    opposed = parts.second_player.n_weights if parts.second_player else 0
    kept_opposed = max((phase.kept for phase in phases.values()), default=0)
    return Probed(
        parameters=parameters,
        memory=training_memory(recipe, parameters + opposed, sum(kept.values()) / 2, kept_opposed),
        macs_per_second=counter.get_total_flops() / 2 / seconds,
        receptive_field=int(reach.abs().sum(0).count_nonzero()),
        coverage=coverage(model, parts.builder, catalogue),
        phases=phases,
    )


def _refuse_idle_prior(parts: Parts) -> None:
    """RecipeError where the prior has weights and nothing ever moves them."""
    learned = any(True for _ in parts.model.prior.parameters())
    if (
        learned
        and parts.recipe.prior_fit is None
        and getattr(parts.regularizer, "needs_density", True) is False
    ):
        prior, price = parts.recipe.model.prior, parts.recipe.regularizer
        what = f"{prior.name} never learns: {price.name} asks for no density of it"
        raise RecipeError(
            [Fault(what, path="model.prior", accepted="[prior_fit], which fits it to the codes")]
        )


def _try_bands(parts: Parts, audio: Tensor) -> None:
    """There and back through the bands: what they say of the length of a clip is said of them, not of who calls them."""
    with at_work(parts.recipe.model.bands, "model.bands", given=_a_clip(parts.recipe)):
        bands, padding = parts.model.bands, parts.model.padding
        bands.synthesis(bands.analysis(functional.pad(audio, (0, padding))))


def _a_clip(recipe: Recipe) -> str:
    """What a clip is and which keys say so: who set them may have set nothing of the part that refuses the clip."""
    n_samples, channels = recipe.model.n_samples, recipe.model.channels
    return f"a clip has model.n_samples = {n_samples} and model.channels = {channels}"


def _try_a_batch(parts: Parts, estimate: Tensor) -> None:
    """What is done to a batch, and what it is trained by, once: a value may be refused only where there are sounds."""
    recipe = parts.recipe
    slack = round(recipe.data.extras["slack_ms"] / 1000 * recipe.model.sample_rate)
    batch = 0.1 * torch.randn(2, recipe.model.channels, recipe.model.n_samples + 2 * slack)
    for name, augment in parts.augmentations.items():
        with at_work(recipe.augmentations[name], f"augmentations.{name}", given=_a_clip(recipe)):
            batch = augment(batch, SeededStream.of(0, "probe", name))
    for name, loss in parts.losses.items():
        with at_work(recipe.losses[name], f"losses.{name}", given=_a_clip(recipe)):
            loss(0.1 * torch.randn_like(estimate), estimate)
    parts.stft.forget()


def _expect(recipe: Recipe, part: Part, tensor: Tensor, shape: tuple[int, ...], trace: Trace) -> None:
    if tuple(tensor.shape) != shape:
        what = f"{part.component} returned {list(tensor.shape)}, expected {list(shape)}"
        if trace.first_odd and trace.first_odd[1] is not part:
            what = f"{trace.first_odd[1].component} {trace.first_odd[2]}, and so {what}"
        raise PluginError(what, do=advice(recipe))
    if not bool(torch.isfinite(tensor).all()):
        first = trace.first_without_numbers or part
        what = f"{first.component} returned values that are not finite, before any training"
        raise PluginError(what, do=advice(recipe))
