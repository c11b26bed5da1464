"""Whatever is registered can be named in a recipe, and the recipe trains and is measured."""

from pathlib import Path

import pytest
import torch

from flowvae.catalogue import REQUIRED, Catalogue
from flowvae.evaluation.evidence import HeldOut, gather_evidence, measure, trained_sounds, what_is_read
from flowvae.recipe import read_recipe, resolve
from flowvae.testing.conformance import write_sounds
from flowvae.testing.reference import write_network
from flowvae.text import toml_like
from short_runs import begin, clips_of

CATALOGUE = Catalogue.installed()
PLACES = {
    "activation": "defaults.activation",
    "adversarial": "adversarial",
    "augmentation": "augmentations.{name}",
    "balance": "adversarial.balance",
    "bands": "model.bands",
    "conditioning": "adversarial.conditioning",
    "convolution": "defaults.convolution",
    "dataset": "data",
    "decoder": "model.decoder",
    "discriminator": "adversarial.discriminators",
    "downsampler": "defaults.downsampler",
    "encoder": "model.encoder",
    "executor": "execution.executor",
    "feature_matching": "adversarial.feature_matching",
    "flow": "defaults.flow",
    "head": "defaults.head",
    "loss": "losses.{name}",
    "metric": "evaluation.metrics.{name}",
    "modulation": "model.decoder.modulation",
    "normalization": "defaults.normalization",
    "optimizer": "train.optimizer",
    "pooling": "model.encoder.pooling",
    "posterior": "model.posterior",
    "prior": "model.prior",
    "ramp": "regularizer.schedule",
    "reference": "evaluation.references.{name}",
    "regularizer": "regularizer",
    "schedule": "train.schedule",
    "upsampler": "defaults.upsampler",
}
"""Where a component of each kind stands in a recipe; kinds of other distributions say that in their own tests."""
SMALL = {"width": 4, "frame_channels": 8, "n_partials": 4, "n_pseudo_inputs": 3, "hidden": 16, "n_sounds": 48}
OPPOSED = (
    "percussion_small_adversarial",
    "adversarial.from_step=0",
    "adversarial.discriminators.multi_period.width=2",
    "adversarial.discriminators.multi_resolution.width=2",
    "adversarial.hears_samples=4096",
    "adversarial.warmup_steps=0",
)
KINDS = ("flow", "upsampler", "downsampler", "head", "schedule")
UNUSED = f"may_be_unused={toml_like([f'defaults.{kind}' for kind in KINDS])}"
# What a component asks of the rest of a recipe.
BESIDE = {
    ("posterior", "deterministic"): ("regularizer=none", 'evaluation.metrics=["si_sdr"]', "model.prior=standard_normal"),
    ("posterior", "spherical"): ("regularizer=none", 'evaluation.metrics=["si_sdr"]', "model.prior=spherical"),
    ("prior", "spherical"): ("regularizer=none", 'evaluation.metrics=["si_sdr"]', "model.posterior=spherical"),
    ("regularizer", "none"): ("model.prior=standard_normal",),
    ("regularizer", "wasserstein_mmd"): ("model.prior=standard_normal",),
    ("loss", "mid_side_stft"): ("model.channels=2",),
}  # fmt: skip
CASES = [
    pytest.param(component, id=f"{kind}-{component.name}", marks=[pytest.mark.slow] if i else [])
    for kind in PLACES
    for i, component in enumerate(
        one for one in CATALOGUE.of_kind(kind) if one.plugin.distribution == "flowvae"
    )
]
"""One of each kind in every run, all in the slow tier; what a step of each does is asked by the contracts."""


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    write_sounds(folder)
    return folder, write_network(tmp_path_factory.mktemp("network"))


def table_of(component, place):
    """The component with small sizes, files of ours, and other components in slots of its own kind."""
    keys = {"use": component.name}
    for parameter in component.signature.parameters.values():
        if parameter.name in SMALL:
            keys[parameter.name] = SMALL[parameter.name]
        if parameter.type is Path and parameter.default is REQUIRED:
            keys[parameter.name] = str(place[component.kind == "reference"])
        if parameter.slot and parameter.slot.kind == component.kind:
            inner = "leaky_relu" if component.kind == "activation" else "plain"
            keys[parameter.name] = {"schedule": "constant", "dataset": MIXED}.get(component.kind, inner)
        elif parameter.slot and parameter.default is REQUIRED and parameter.slot.kind == "bands":
            keys[parameter.name] = "none"
    return keys


MIXED = {"made": {"use": "synthetic_percussion", "n_sounds": 48, "weight": 2.0}}


def settings_for(component, place):
    path = PLACES[component.kind].format(name=component.name)
    keys = table_of(component, place)
    if component.kind == "discriminator":
        keys = {component.name: {key: value for key, value in keys.items() if key != "use"}}
    if component.kind == "adversarial":
        return (f"{path}.use={component.name}",)
    if component.kind in {"encoder", "decoder"} and "multipliers" in component.signature.parameters:
        keys |= {"multipliers": [1, 2, 2], "strides": [4, 4, 2]}
    return (f"{path}={toml_like(keys)}", *BESIDE.get((component.kind, component.name), ()))


@pytest.mark.parametrize("component", CASES)
def test_it_can_be_named_trains_and_is_measured(component, place, tiny, catalogue):
    name, *opposed = OPPOSED if PLACES[component.kind].startswith("adversarial") else ("percussion_small",)
    small = tuple(s for s in tiny if not (component.kind == "dataset" and s.startswith("data=")))
    base = (*small, "model.n_samples=8192", *opposed)
    if component.kind in {"encoder", "decoder"}:
        base = tuple(s for s in base if not s.startswith(f"model.{component.kind}="))
    more = ("evaluation.prior_samples=128", "evaluation.sounds=64") if component.kind == "metric" else ()
    source = read_recipe(name, (*base, *more, UNUSED, *settings_for(component, place)))
    recipe = resolve(source, catalogue)
    training = begin(recipe)
    figures = training.step(0)
    assert all(bool(torch.isfinite(figure)) for figure in figures.values()), figures
    assert component.name in {part.name for part in recipe.parts()}
    clips, device = clips_of(recipe), torch.device("cpu")
    metrics = training.parts.metrics
    if component.kind == "metric":
        metrics = {component.name: metrics[component.name]}
    held_out = HeldOut.of(clips, recipe.model.n_samples, recipe.evaluation.sounds, device)
    evidence = gather_evidence(
        training.average,
        held_out,
        recipe.evaluation.prior_samples,
        16,
        trained=trained_sounds(clips, recipe.model.n_samples, recipe.evaluation.sounds, device),
        reads=what_is_read(metrics),
    )
    assert evidence.estimate.isfinite().all()
    assert evidence.generated.isfinite().all()
    # A figure by dimension has no meaning under a flow.
    measured = measure(metrics, evidence)
    assert all(
        f.value is not None
        for n, f in measured.items()
        if n not in {"active_units_kl", "effective_dimensions"}
    )


def test_every_kind_has_a_place():
    assert {*PLACES} == {k.name for k in CATALOGUE.kinds.values() if k.plugin.distribution == "flowvae"}
