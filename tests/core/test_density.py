"""A posterior or a prior without a density: what needs one is a fault, and the rest works without."""

import pytest
import torch

import flowvae
from flowvae.errors import RecipeError, Stopped
from flowvae.evaluation.evidence import HeldOut, gather_evidence, measure
from flowvae.folder.journal import read_journal
from flowvae.recipe import plan_ablation, read_recipe, resolve
from pretend import catalogue_with, offering, plugin
from short_runs import clips_of, go, planned_runs, take, training_of, weights
from tiers import swept
from two_players import adversary

METRICS = 'evaluation.metrics=["si_sdr", "active_units"]'
UNUSED = 'may_be_unused=["defaults.flow"]'
VAMP = 'model.prior={ use = "vamp", n_pseudo_inputs = 3 }'
WAYS = {
    "autoencoder": ("model.posterior=deterministic", "regularizer=none"),
    "wasserstein": ("model.posterior=deterministic", "regularizer=wasserstein_mmd"),
    "noisy wasserstein": ("model.posterior=gaussian", "regularizer=wasserstein_mmd"),
    "sphere": ("model.posterior=spherical", "model.prior=spherical", "regularizer=none", UNUSED),
    "vamp": ("model.posterior=gaussian", VAMP, UNUSED),
    "flow and vamp": ("model.posterior=flow", VAMP),
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
PRICES = {"regularizer=none": set(), "regularizer=wasserstein_mmd": {"mmd"}}


def price_of(way):
    """What the price of the posterior is called in the journal."""
    return next((PRICES[setting] for setting in way if setting in PRICES), {"kl"})


@pytest.mark.parametrize("named", swept(WAYS, quick=2))
def test_a_stopped_run_continues_to_the_same_bits(named, tiny, catalogue, tmp_path):
    way = WAYS[named]
    settings = (*tiny, METRICS, "train.steps=4", "train.checkpoint_every=2", *way)
    whole, again = training_of(settings, catalogue), training_of(settings, catalogue)
    go(whole, tmp_path / "whole")
    asked = iter([0, 0, 15])
    with pytest.raises(Stopped):
        go(training_of(settings, catalogue), tmp_path / "parts", lambda: next(asked))
    go(again, tmp_path / "parts")
    ours, theirs = weights(whole), weights(again)
    assert not [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert all(tensor.isfinite().all() for tensor in ours.values())


@ways
def test_a_run_trains_measures_and_plays(way, tiny, catalogue, tmp_path):
    [run] = planned_runs((*tiny, METRICS, "train.steps=2", "evaluation.every=2", *way), catalogue, tmp_path)
    assert take(run) == 0
    rows, _ = read_journal(run.folder)
    told = {name for row in rows if row.phase == "train" for name in row.figures}
    assert {"kl", "mmd", "none", ""} & told == price_of(way)
    trained = flowvae.load(run.folder)
    assert all(value is not None for value in trained.figures.values())
    sounds = trained.sample(3, seed=0)
    assert sounds.isfinite().all()
    assert torch.equal(sounds, trained.sample(3, seed=0))
    assert trained.encode(sounds).isfinite().all()


@ways
def test_the_weights_that_should_move_do(way, tiny, catalogue):
    training = training_of((*tiny, METRICS, *way), catalogue)
    before = {name: p.clone() for name, p in training.model.named_parameters()}
    for step in range(2):  # the first layers of a flow that begins as the identity move at the second
        training.step(step)
    still = {n.partition(".")[0] for n, p in training.model.named_parameters() if torch.equal(before[n], p)}
    # Nothing moves a prior that is only sampled.
    assert still == ({"prior"} if price_of(way) != {"kl"} and "model.prior=spherical" not in way else set())


def test_the_averaged_model_has_pseudo_inputs_and_an_encoder_of_its_own(tiny, catalogue):
    training = training_of((*tiny, *WAYS["vamp"]), catalogue)
    training.step(0)
    assert training.average is not training.model
    for model in (training.model, training.average):
        assert model.prior.encode.__self__ is model
    assert not torch.equal(training.average.prior().mode, training.model.prior().mode)
    assert [name for name in training.model.state_dict() if name.startswith("prior.")] == [
        "prior.pseudo_inputs"
    ]


def test_with_a_frozen_encoder_pseudo_inputs_still_learn(tiny, catalogue):
    opposed = f"adversarial={adversary('hinge', 0, 1.0, '3e-4')}"  # encoder and posterior are frozen
    training = training_of((*tiny, *WAYS["vamp"], opposed), catalogue)
    before = {name: tensor.clone() for name, tensor in training.model.state_dict().items()}
    training.step(0)
    moved = {
        name.partition(".")[0]
        for name, t in training.model.state_dict().items()
        if not torch.equal(before[name], t)
    }
    assert moved == {"decoder", "prior"}


def faults_of(catalogue, *settings):
    with pytest.raises(RecipeError) as caught:
        resolve(read_recipe("percussion_small", settings), catalogue)
    return {(f.path, f.what, f.accepted) for f in caught.value.faults}


WRONG = {
    "posterior": (
        ("model.posterior=deterministic",),
        ("regularizer", "kl needs a density, which deterministic has not", "none, wasserstein_mmd"),
    ),
    "prior": (
        ("model.prior=spherical",),
        ("regularizer", "kl needs a density, which spherical has not", "none, wasserstein_mmd"),
    ),
    "both": (
        ("model.posterior=deterministic", "model.prior=spherical", UNUSED),
        (
            "regularizer",
            "kl needs a density, which deterministic and spherical have not",
            "none, wasserstein_mmd",
        ),
    ),
    "both of one name": (
        ("model.posterior=spherical", "model.prior=spherical", UNUSED),
        ("regularizer", "kl needs a density, which spherical has not", "none, wasserstein_mmd"),
    ),
    "a prior of posteriors": (
        ("model.posterior=deterministic", "regularizer=none", VAMP, UNUSED),
        (
            "model.prior",
            "vamp needs a density, which deterministic has not",
            "flow, full_gaussian, gaussian_mixture, spherical, standard_normal",
        ),
    ),
}


@pytest.mark.parametrize(("settings", "fault"), WRONG.values(), ids=WRONG)
def test_what_needs_a_density_that_is_not_there_is_a_fault(catalogue, settings, fault):
    assert faults_of(catalogue, METRICS, *settings) == {fault}


def test_the_fault_stands_where_the_component_was_named(catalogue, write):
    text = 'extends = "percussion_small"\n[model]\nposterior = "deterministic"\n[regularizer]\nuse = "kl"\n'
    with pytest.raises(RecipeError) as caught:
        resolve(read_recipe(write("a.toml", text), (METRICS,)), catalogue)
    [fault] = caught.value.faults
    assert (fault.place.label.rpartition("/")[2], fault.place.line) == ("a.toml", 4)
    assert fault.component.startswith("kl (regularizer")


def test_each_arm_has_its_own_fault(catalogue, write):
    text = (
        'extends = "percussion_small"\n[ablation]\nmetric = "si_sdr"\n[ablation.vary]\n'
        '"model.posterior" = ["flow", "deterministic", "spherical"]\n'
    )
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(write("a.toml", text), (METRICS,)), catalogue)
    assert {f.what for f in caught.value.faults} == {
        "kl needs a density, which deterministic has not",
        "kl needs a density, which spherical has not",
    }


class Nats:
    """The divergence.

    Formula: kl.
    """

    direction: str = "none"
    unit: str = "nats"
    family: str = "latent"

    def __call__(self, evidence):
        return evidence.kl


class Reading(Nats):
    reads = ("codes", "kl")


@pytest.fixture
def strangers():
    return catalogue_with(
        plugin(
            "strangers", flowvae_components=offering(("metric", "nats", Nats), ("metric", "reading", Reading))
        )
    )


def test_a_metric_that_says_that_it_reads_the_divergence_needs_densities(strangers):
    settings = (
        "regularizer=none",
        "model.posterior=deterministic",
        'evaluation.metrics=["si_sdr", "reading"]',
    )
    assert faults_of(strangers, *settings) == {
        ("evaluation.metrics.reading", "reading needs a density, which deterministic has not", "leave it out")
    }


def test_a_metric_that_does_not_say_what_it_reads_has_no_figure_then(strangers, tiny):
    settings = (
        *tiny,
        "regularizer=none",
        "model.posterior=deterministic",
        'evaluation.metrics=["nats", "active_units"]',
    )
    training = training_of(settings, strangers)
    held_out = HeldOut.of(clips_of(training.recipe), 4096, 3, torch.device("cpu"))
    evidence = gather_evidence(training.average, held_out, samples=2, batch=2)
    assert evidence.kl.shape == (3,)
    assert evidence.kl.isnan().all()
    figures = measure(training.parts.metrics, evidence)
    assert figures["nats"].value is None
    assert figures["active_units"].value is not None


@pytest.mark.parametrize("prior", ["standard_normal", "spherical"])
def test_the_divergence_is_a_number_where_both_have_a_density_alone(tiny, catalogue, prior):
    settings = ("model.posterior=gaussian", f"model.prior={prior}", "regularizer=wasserstein_mmd", UNUSED)
    training = training_of((*tiny, METRICS, *settings), catalogue)
    held_out = HeldOut.of(clips_of(training.recipe), 4096, 3, torch.device("cpu"))
    kl = gather_evidence(training.average, held_out, samples=2, batch=2).kl
    assert kl.isnan().all() if prior == "spherical" else kl.isfinite().all()


def test_what_the_alternatives_stand_over_needs_nothing(catalogue, write):
    """The base's kl is in no arm, so nobody misses the density that it needs."""
    text = (
        'extends = "percussion_small"\n[model]\nposterior = "deterministic"\n[ablation]\nmetric = "si_sdr"\n'
        '[ablation.vary]\nregularizer = ["none", "wasserstein_mmd"]\n'
    )
    plan = plan_ablation(read_recipe(write("a.toml", text), (METRICS,)), catalogue)
    assert [arm.name for arm in plan.arms] == ["regularizer-none", "wasserstein_mmd"]
