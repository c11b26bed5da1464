"""A prior fitted after the fact: a phase in which nothing else moves."""

import pytest
import torch
from attrs import evolve

from flowvae.building.parts import Parts
from flowvae.errors import NumbersError, RecipeError, Stopped
from flowvae.probe.probe import probe
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.placing import placed
from flowvae_components.schedules.cosine import cosine
from short_runs import go, planned_runs, take, training_of, weights

FIT = (
    "train.steps=12",
    "train.batch_size=8",
    "model.prior=full_gaussian",
    'prior_fit={ from_step = 4, optimizer = { use = "adam", lr = 3e-2 }, schedule = "constant", clip = 10.0 }',
)
UNUSED = 'may_be_unused=["defaults.flow"]'
GAUSSIAN = ("model.posterior=gaussian", UNUSED)


@pytest.fixture
def make(tiny, catalogue):
    return lambda *more, fit=FIT: training_of((*tiny, *fit, *GAUSSIAN, *more), catalogue)


def kept(training):
    return {name: tensor.clone() for name, tensor in weights(training).items()}


def moved(one, other):
    return {name for name in one if not torch.equal(one[name], other[name])}


def test_until_the_fit_begins_the_run_is_that_of_a_training_so_long(make):
    fitted, plain = make(), make("prior_fit=false", "train.steps=4")
    for step in range(4):
        fitted.step(step)
        plain.step(step)
    assert not moved(kept(fitted), kept(plain))


def test_in_the_fit_nothing_moves_but_the_prior_and_its_average(make):
    training = make("train.ema=0.5")
    for step in range(4):
        training.step(step)
    before = kept(training)
    for step in range(4, 8):
        figures = training.step(step)
        assert {"loss", "prior_nats", "grad_norm"} == figures.keys()
        assert float(figures["loss"]) == pytest.approx(float(figures["prior_nats"]) / 8)  # latent dimensions
    names = moved(before, kept(training))
    assert names
    assert all(name.removeprefix("average.").startswith("prior.") for name in names)
    assert any(name.startswith("average.") for name in names)


def nats_of_codes(training):
    """What the codes of every batch cost under the averaged prior, with one noise."""
    with torch.no_grad():
        torch.manual_seed(0)
        model = training.average
        found = [model.encode(training.batches(step)).mode for step in range(6)]
        return float(-model.prior().log_prob(torch.cat(found)).mean())


def test_the_prior_comes_nearer_to_the_codes(make):
    training = make("train.steps=60", "train.ema=0.5")
    for step in range(4):
        training.step(step)
    before = nats_of_codes(training)
    for step in range(4, 60):
        training.step(step)
    assert nats_of_codes(training) < before - 1


def test_a_batch_goes_only_as_far_as_its_codes(make, monkeypatch):
    training = make()
    for step in range(4):
        training.step(step)
    for model in (training.model, training.average):
        monkeypatch.setattr(model, "decode", lambda latent: pytest.fail("decoded"))
    training.step(4)


def test_the_codes_are_those_of_the_averaged_weights(make, monkeypatch):
    training = make("train.ema=0.5")
    for step in range(4):
        training.step(step)
    monkeypatch.setattr(training.model, "encode", lambda audio: pytest.fail("not averaged"))
    training.step(4)


def test_the_schedule_of_the_fit_runs_over_its_phase(tiny, catalogue):
    settings = (*tiny, *FIT, *GAUSSIAN, "prior_fit.schedule=cosine")
    fit = Parts(resolve(read_recipe("percussion_small", settings), catalogue), 0).prior_fit
    alone = cosine(8)
    assert [fit.schedule(step) for step in range(8)] == [alone(step) for step in range(8)]


def test_a_run_that_is_stopped_within_the_fit_ends_in_the_same_bits(make, tmp_path):
    whole, broken, resumed = make(), make(), make()
    go(whole, tmp_path / "whole")
    with pytest.raises(Stopped):
        go(broken, tmp_path / "broken", stop=lambda: 15 if broken.state.step >= 7 else 0)
    go(resumed, tmp_path / "broken")
    assert not moved(kept(whole), kept(resumed))


def test_a_finished_run_is_fitted_with_another_prior(tiny, catalogue, tmp_path, monkeypatch):
    """What was trained beside a standard normal distribution gets a flow, and keeps its codes and its sound."""
    monkeypatch.chdir(tmp_path)
    first = ("train.steps=2", *GAUSSIAN, "model.prior=standard_normal")
    [run] = planned_runs((*tiny, *first), catalogue, tmp_path / "first")
    assert take(run) == 0
    settings = (
        "train.steps=4", "model.posterior=gaussian", "model.prior=flow",
        'prior_fit={ optimizer = { use = "adam", lr = 1e-3 }, schedule = "cosine" }',
        f'start={{ from = "{run.folder}", take = ["model.encoder", "model.posterior", "model.decoder"] }}',
    )  # fmt: skip
    training = training_of((*tiny, *settings), catalogue)
    assert [phase.name for phase in training.phases] == ["prior_fit"]
    [fitted] = planned_runs((*tiny, *settings), catalogue, tmp_path / "second")
    assert take(fitted) == 0


def faults(catalogue, tiny, *settings):
    with pytest.raises(RecipeError) as caught:
        resolve(read_recipe("percussion_small", (*tiny, *GAUSSIAN, *settings)), catalogue)
    return [(fault.path, fault.what) for fault in caught.value.faults]


def test_what_could_have_no_effect_is_a_fault(tiny, catalogue):
    late = faults(catalogue, tiny, *FIT, "prior_fit.from_step=12")
    assert late == [("prior_fit.from_step", "the phase never begins: train.steps = 12")]
    untrained = faults(catalogue, tiny, *FIT, "prior_fit.from_step=0")
    assert untrained == [
        ("prior_fit.from_step", "there is no model to fit a prior to: nothing was trained before")
    ]


@pytest.mark.parametrize("step", [4, 6])
def test_a_fit_that_comes_before_the_adversarial_phase_or_with_it_is_a_fault(tiny, catalogue, step):
    begins = f"adversarial.from_step={step}"
    with pytest.raises(RecipeError, match=f"the adversarial phase begins at {step}"):
        resolve(read_recipe("percussion_small_adversarial", (*tiny, *FIT, *GAUSSIAN, begins)), catalogue)


def test_a_gradient_that_is_cut_to_nothing_is_a_fault(tiny, catalogue):
    found = faults(catalogue, tiny, *FIT, "prior_fit.clip=0", "train.clip=0")
    what = "a gradient of length 0 moves nothing"
    assert sorted(found) == [("prior_fit.clip", what), ("train.clip", what)]


def test_the_schedule_of_the_discriminators_ends_where_the_fit_begins(tiny, catalogue):
    settings = (
        *tiny, *FIT, *GAUSSIAN,
        "adversarial.from_step=1", "adversarial.hears_samples=4096", "adversarial.schedule=linear",
    )  # fmt: skip
    recipe = resolve(read_recipe("percussion_small_adversarial", settings), catalogue)
    alone = evolve(recipe, prior_fit=None, train=evolve(recipe.train, steps=4))
    fitted, plain = (Parts(one, 0).second_player.schedule for one in (recipe, alone))
    assert [fitted(step) for step in range(3)] == [plain(step) for step in range(3)]
    assert fitted(2) < 0.5


def test_a_prior_without_weights_is_refused(tiny, catalogue):
    recipe = resolve(
        read_recipe("percussion_small", (*tiny, *FIT, *GAUSSIAN, "model.prior=standard_normal")), catalogue
    )
    with pytest.raises(
        RecipeError, match="standard_normal has no weights, so there is nothing to fit"
    ) as caught:
        probe(recipe, catalogue)
    [fault] = caught.value.faults
    assert placed(fault, recipe).place is not None


def test_the_cost_of_each_phase_is_known_before_the_first_step(tiny, catalogue):
    recipe = resolve(read_recipe("percussion_small", (*tiny, *FIT, *GAUSSIAN)), catalogue)
    phases = probe(recipe, catalogue).phases
    assert [*phases] == ["representation", "prior_fit"]
    assert phases["prior_fit"].macs < phases["representation"].macs / 3


def test_what_is_no_number_is_told_of_the_fit(make, tmp_path):
    training = make('prior_fit.optimizer={ use = "adam", lr = 1e30 }')
    with pytest.raises(NumbersError) as caught:
        go(training, tmp_path / "run")
    assert caught.value.do.startswith("lower prior_fit.optimizer.lr or prior_fit.clip")


IDLE = ("model.posterior=deterministic", "regularizer=none", 'evaluation.metrics=["si_sdr"]', UNUSED)


def test_a_prior_that_nothing_would_move_is_refused_and_a_fit_is_what_moves_it(tiny, catalogue):
    settings = (*tiny, *IDLE, "model.prior=gaussian_mixture")
    with pytest.raises(RecipeError) as caught:
        probe(resolve(read_recipe("percussion_small", settings), catalogue), catalogue)
    [fault] = caught.value.faults
    assert fault.path == "model.prior"
    assert fault.what == "gaussian_mixture never learns: none asks for no density of it"
    fitted = ("train.steps=6", *FIT[-1:], "model.prior=gaussian_mixture")
    assert probe(resolve(read_recipe("percussion_small", (*tiny, *IDLE, *fitted)), catalogue), catalogue)
