"""A recipe whose metrics cannot measure what it asks is refused before anything runs."""

import pytest

from flowvae.catalogue import Catalogue
from flowvae.errors import RecipeError
from flowvae.recipe import plan_ablation, read_recipe, resolve
from flowvae.recipe.measuring import judge_of


def faults_of(catalogue, recipe, *settings):
    try:
        plan_ablation(read_recipe(recipe, settings), catalogue)
    except RecipeError as error:
        return error.faults
    return []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("prior_samples", 127, "127 is too few: kernel_distance needs at least 128 sounds of the prior"),
        ("sounds", 31, "31 is too few: kernel_distance needs at least 32 sounds"),
    ],
)
def test_fewer_sounds_than_a_metric_needs_are_a_fault_of_the_key(key, value, said, catalogue):
    faults = faults_of(catalogue, "ablation_prior", f"evaluation.{key}={value}")
    assert [(fault.path, fault.what) for fault in faults] == [(f"evaluation.{key}", said)]
    assert faults[0].place is not None
    assert not faults_of(catalogue, "ablation_prior", f"evaluation.{key}={value + 1}")


def test_the_most_demanding_metric_speaks_for_all(catalogue):
    settings = ("evaluation.metrics.coverage={}", "evaluation.metrics.kernel_distance={}")
    faults = faults_of(catalogue, "percussion_small", *settings)
    assert [f.what for f in faults] == [
        "8 is too few: kernel_distance needs at least 128 sounds of the prior"
    ]


def test_a_number_that_no_recipe_says_is_measured_by_its_default(catalogue, write):
    path = write("mine.toml", 'extends = "percussion_small"\nevaluation.metrics.kernel_distance = {}\n')
    [fault] = faults_of(catalogue, path)
    assert fault.path == "evaluation.prior_samples"
    assert fault.accepted == "at least 128"


PRIOR = 'ablation={ metric = "METRIC", vary = { "model.prior" = ["standard_normal", "flow"] } }'
UNUSED = 'may_be_unused=["defaults.flow"]'


@pytest.mark.parametrize("metric", ["spectral_distance", "attack_error", "tonal_artefact"])
def test_a_prior_is_not_judged_by_what_it_does_not_reach(metric, catalogue):
    [fault] = faults_of(catalogue, "percussion_small", PRIOR.replace("METRIC", metric), UNUSED)
    assert fault.path == "ablation.metric"
    assert fault.place is not None
    said = f"all arms differ in model.prior alone, and {metric} reads nothing that it makes"
    assert fault.what.startswith(said)
    listed = fault.accepted.partition(": ")[2].split(", ")
    assert {"kernel_distance", "precision", "coverage", "aggregate_mismatch"} <= set(listed)
    # What has no end cannot decide, and what reads none of it neither.
    assert not {"kl_nats", "kernel_distance_floor", "si_sdr", metric}.intersection(listed)


@pytest.mark.parametrize(
    "vary",
    [
        '{ "model.posterior" = ["gaussian", "flow"] }',
        '{ "model.prior" = ["standard_normal", "flow"], "regularizer.beta" = [1e-4, 1e-3] }',
        '{ "model.latent_dim" = [64, 32] }',
    ],
)
def test_whoever_varies_more_than_the_prior_may_judge_by_reconstructions(vary, catalogue):
    setting = f'ablation={{ metric = "spectral_distance", vary = {vary} }}'
    assert not faults_of(catalogue, "percussion_small", setting, UNUSED)


def test_a_key_below_the_prior_is_the_prior(catalogue):
    vary = 'ablation={ metric = "si_sdr", vary = { "model.prior.flow.n_couplings" = [2, 4] } }'
    prior = 'model.prior={ use = "flow", flow = "real_nvp" }'
    [fault] = faults_of(catalogue, "percussion_small", vary, prior)
    assert "differ in model.prior alone" in fault.what


def test_a_metric_that_does_not_say_what_it_reads_is_let_through(monkeypatch, catalogue):
    [component] = catalogue.find("metric", "spectral_distance")
    constants = {k: v for k, v in component.signature.constants.items() if k != "reads"}
    monkeypatch.setattr(type(component.signature), "constants", property(lambda self: constants))
    found = faults_of(catalogue, "percussion_small", PRIOR.replace("METRIC", "spectral_distance"), UNUSED)
    assert not found


@pytest.mark.parametrize(
    ("metrics", "path", "judge"),
    [
        ('["active_units", "si_sdr", "attack_error"]', "model.encoder", "si_sdr"),
        ('["si_sdr", "kernel_distance", "coverage"]', "model.prior", "kernel_distance"),
        ('["si_sdr", "kernel_distance"]', "model.prior.flow", "kernel_distance"),
        ('["si_sdr", "active_units"]', "model.prior", ""),
    ],
)
def test_the_judge_is_the_first_metric_with_an_end_that_reads_something_of_the_part(
    metrics, path, judge, catalogue
):
    many = ("evaluation.prior_samples=128", "evaluation.sounds=32")
    recipe = resolve(read_recipe("percussion_small", (f"evaluation.metrics={metrics}", *many)), catalogue)
    assert judge_of(recipe.evaluation, path) == judge


def test_the_shipped_ablation_of_the_prior_compares_with_the_best_normal_distribution():
    plan = plan_ablation(read_recipe("ablation_prior"), Catalogue.installed())
    assert [arm.name for arm in plan.arms] == ["full_gaussian", "standard_normal", "flow"]
    assert plan.recipe.ablation.metric == "kernel_distance"


FIT = """
extends = "percussion_small"
may_be_unused = ["defaults.flow"]
start.from = "runs/any"
model.prior = "full_gaussian"
[prior_fit]
optimizer = "adam"
schedule = "constant"
[ablation]
metric = "si_sdr"
vary = { VARY }
"""


@pytest.mark.parametrize(
    ("vary", "parts"),
    [
        ('"prior_fit.optimizer" = ["adam", "sgd"]', "prior_fit"),
        (
            '"model.prior" = ["full_gaussian", "gaussian_mixture"], "prior_fit.optimizer.lr" = [1e-3, 1e-2]',
            "model.prior and prior_fit",
        ),
    ],
)
def test_the_fit_of_a_prior_is_not_judged_by_reconstructions(vary, parts, catalogue, write):
    [fault] = faults_of(catalogue, write("mine.toml", FIT.replace("VARY", vary)))
    assert fault.path == "ablation.metric"
    assert fault.what.startswith(f"all arms differ in {parts} alone, and si_sdr reads nothing")


def test_a_fit_that_takes_steps_from_the_model_may_be_judged_by_reconstructions(catalogue, write):
    vary = '"prior_fit.from_step" = [100, 200]'
    assert not faults_of(catalogue, write("mine.toml", FIT.replace("VARY", vary)))


@pytest.mark.parametrize("path", ["train.optimizer.lr", "losses.multi_scale_mel.weight", "regularizer.beta"])
def test_how_a_model_is_trained_is_no_question_where_it_never_moves(path, catalogue, write):
    mine = write("mine.toml", FIT.replace("VARY", f'"{path}" = [1e-3, 2e-3]'))
    [fault] = faults_of(catalogue, mine)
    assert fault.path == "ablation.vary"
    assert fault.place is not None
    assert fault.what.endswith(f"so no result depends on {path}")
    assert not faults_of(catalogue, mine, "prior_fit.from_step=10")
