import hashlib
from itertools import pairwise

import pytest
import torch
from attrs import evolve, fields
from torch.distributions import Normal, kl_divergence

from conftest import TINY
from flowvae import worker
from flowvae.building.construct import construct
from flowvae.contracts import Evidence
from flowvae.data.instruments import instrument
from flowvae.data.prepare import prepare_clips
from flowvae.evaluation.evidence import HeldOut, evaluating, gather_evidence, trained_sounds, what_is_read
from flowvae.folder.run_records import Result
from flowvae.recipe import read_recipe, resolve
from pretend import catalogue_with, offering, plugin
from short_runs import planned_runs, take, training_of


@pytest.fixture(scope="module")
def clips(catalogue, tmp_path_factory):
    recipe = resolve(read_recipe("percussion_small", ("model.n_samples=2048",)), catalogue)
    given = {"sample_rate": 44100, "channels": 1, "n_samples": 1024}
    source = construct(recipe.data, "data", given, {**recipe.data.values, "n_sounds": 240})
    return prepare_clips(source, recipe.data, recipe.model, tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def held_out(clips):
    return HeldOut.of(clips, 1024, 36, torch.device("cpu"))


def test_what_is_measured_is_chosen_by_the_hashes_of_names(clips, held_out):
    names = [clips.info[row].name for row in clips.rows(held_out=True)]
    assert list(held_out.names) == sorted(names, key=lambda n: hashlib.sha256(n.encode()).digest())[:36]


def test_audio_examples_go_through_the_instruments_in_turn(held_out):
    told = [instrument(name) or "" for name in held_out.names]
    assert held_out.classes == tuple(told)
    for count in range(len(told) + 1):
        chosen = [told[row] for row in held_out.audio_examples(count)]
        heard = {word: chosen.count(word) for word in told}
        missing = {word for word in told if told.count(word) > heard[word]}
        assert len(chosen) == count
        # Whatever has sounds left was heard as often as anything else, or is next in this round.
        assert all(max(heard.values()) - heard[word] <= 1 for word in missing)


def test_audio_examples_name_every_sound_once_and_more_of_them_only_add(held_out):
    longer = [held_out.audio_examples(count) for count in range(len(held_out.names) + 1)]
    assert sorted(longer[-1]) == list(range(len(held_out.names)))
    assert all(more[: len(fewer)] == fewer for fewer, more in pairwise(longer))
    assert held_out.audio_examples(1000) == longer[-1]


def test_six_examples_of_the_built_in_drums_have_a_kick_a_snare_and_a_hat(held_out):
    words = [instrument(held_out.names[row]) for row in held_out.audio_examples(6)]
    assert len(set(words)) == 6
    assert {"kick", "snare", "hat"} <= set(words)


def test_a_label_counts_before_the_name(clips):
    told = {clip.name: f"label {clip.name[-1]}" for clip in clips.info}
    labelled = evolve(clips, info=tuple(evolve(clip, label=told[clip.name]) for clip in clips.info))
    held_out = HeldOut.of(labelled, 1024, 36, torch.device("cpu"))
    assert held_out.classes == tuple(told[name] for name in held_out.names)
    heard = [held_out.classes[row] for row in held_out.audio_examples(6)]
    assert len(set(heard)) == min(6, len(set(held_out.classes)))


def test_what_has_no_class_is_heard_last(held_out):
    unnamed = HeldOut(held_out.audio[:4], ("a/1", "a/2", "a/3", "kick/4"), ("g",) * 4, ("", "", "", "kick"))
    assert unnamed.audio_examples(4) == [3, 0, 1, 2]


@pytest.mark.slow
def test_a_run_writes_the_class_of_each_sound(catalogue, tiny, tmp_path):
    [run] = planned_runs(tiny, catalogue, tmp_path)
    assert take(run) == 0
    result = Result.read(run.folder)
    assert result.classes == tuple(instrument(name) for name in result.sounds)
    assert len(result.classes) == len(result.metrics["spectral_distance"].per_sound) == 4


def test_sounds_that_were_trained_on_are_chosen_as_the_held_out_ones_are(clips):
    names = [clips.info[row].name for row in clips.rows(held_out=False)]
    first = min(names, key=lambda n: hashlib.sha256(n.encode()).digest())
    row = next(i for i, info in enumerate(clips.info) if info.name == first)
    found = trained_sounds(clips, 1024, 36, torch.device("cpu"))
    assert found.shape == (36, 1, 1024)
    assert torch.equal(found[0], torch.from_numpy(clips.audio[row, :, clips.slack : clips.slack + 1024]))
    assert len(trained_sounds(clips, 1024, 10_000, torch.device("cpu"))) == len(names)


def model_with(catalogue, posterior, prior):
    parts = (f"model.posterior={posterior}", f"model.prior={prior}", 'may_be_unused=["defaults.flow"]')
    return training_of((*TINY, *parts), catalogue).average


ALWAYS = ("real", "estimate", "generated", "codes", "kl")
MORE = ("latents", "prior_latents", "kl_by_dimension", "round_trips", "silence")


@pytest.fixture(scope="module")
def gathered(catalogue):
    """One model's evidence with each field alone on top, with all, with none; and the model."""
    model = model_with(catalogue, "gaussian", "standard_normal")
    with torch.no_grad():
        for parameter in model.posterior.parameters():  # each sound a posterior of its own
            parameter.add_(0.1)
    audio = torch.randn(5, 1, 4096, generator=torch.Generator().manual_seed(0))
    held_out = HeldOut(audio, tuple("abcde"), tuple("abcde"), ("",) * 5)
    gather = lambda *reads: gather_evidence(model, held_out, 3, 2, reads=reads)  # noqa: E731
    return model, {name: gather(name) for name in MORE} | {"all": gather(*MORE), "none": gather()}


def test_what_is_gathered_on_demand_moves_nothing_else(gathered):
    _, found = gathered
    for name in ALWAYS:
        assert all(torch.equal(getattr(one, name), getattr(found["none"], name)) for one in found.values())
    for name in MORE:
        assert torch.equal(getattr(found[name], name), getattr(found["all"], name))
        assert not isinstance(getattr(found["none"], name), torch.Tensor)
    assert {*ALWAYS, *MORE, "trained"} <= {field.name for field in fields(Evidence)}


def test_what_is_gathered_on_demand_is_what_its_name_says(gathered):
    model, found = gathered
    one = found["all"]
    with torch.no_grad(), evaluating(model):
        posterior = model.encode(one.real)
        mean, scale = posterior.base_dist.loc, posterior.base_dist.scale
        once = model.encode(model.decode(one.codes)).mode
        thrice = model.encode(model.decode(model.encode(model.decode(once)).mode)).mode
        silence = model.decode(model.encode(torch.zeros(1, 1, 4096)).mode)
    assert one.latents.shape == one.prior_latents.shape == (5, 8)
    offset = (one.latents - mean) / scale
    assert 0.5 < offset.std() < 1.5
    assert torch.allclose(
        one.kl_by_dimension, kl_divergence(Normal(mean, scale), Normal(0.0, 1.0)), atol=1e-5
    )
    assert torch.allclose(one.kl_by_dimension.sum(1), one.kl, rtol=1e-4)
    assert torch.allclose(one.round_trips, torch.stack([once, thrice]), atol=1e-4)
    assert one.silence.shape == (1, 1, 4096)
    assert torch.allclose(one.silence, silence, atol=1e-6)
    assert one.silence.abs().max() > 0


@pytest.mark.parametrize(
    ("posterior", "prior"), [("gaussian", "full_gaussian"), ("flow", "standard_normal"), ("gaussian", "flow")]
)
def test_the_divergence_by_dimension_is_missing_where_dimensions_are_not_independent(
    posterior, prior, catalogue
):
    model = model_with(catalogue, posterior, prior)
    held_out = HeldOut(torch.zeros(3, 1, 4096), tuple("abc"), tuple("abc"), ("",) * 3)
    found = gather_evidence(model, held_out, 2, 2, reads=["kl_by_dimension"])
    assert found.kl_by_dimension.shape == (3, 8)
    assert found.kl_by_dimension.isnan().all()


def test_what_no_metric_reads_is_not_read():
    class One:
        reads = ("real", "latents")

    class Old:
        pass

    assert what_is_read({"one": One(), "old": Old()}) == {"real", "latents"}


class Known:
    """How many sounds that were trained on a metric is given, as a figure."""

    direction = "none"
    unit = "sounds"
    reads = ("trained",)

    def __init__(self):
        pass

    def __call__(self, evidence):
        return torch.tensor(float(len(evidence.trained)))


def test_a_run_gathers_what_its_metrics_read(monkeypatch, tmp_path):
    # As if it were flowvae's own: a run asks that every other distribution be installed.
    mine = plugin("flowvae", "0.1.0", flowvae_components=offering(("metric", "known", Known)))
    catalogue = catalogue_with(mine)
    monkeypatch.setattr(worker.Catalogue, "installed", lambda plugins: catalogue)
    settings = (
        *TINY,
        "evaluation.metrics.known={}",
        "evaluation.metrics.round_trip_drift={}",
        "train.steps=1",
        "model.n_samples=2048",
    )
    [run] = planned_runs(settings, catalogue, tmp_path)
    assert take(run) == 0
    found = Result.read(run.folder).metrics
    assert found["known"].value == 4
    assert found["round_trip_drift"].value > 0
