"""A finished run leaves its codes: those that its sounds were made of."""

import numpy as np
import pytest
import torch
from attrs import evolve

from conftest import TINY
from flowvae.errors import CheckpointError
from flowvae.evaluation.codes import record_codes
from flowvae.evaluation.evidence import HeldOut, gather_evidence
from flowvae.folder.latents import Latents
from flowvae.folder.run_records import Result
from flowvae.folder.sound_names import slug
from short_runs import clips_of, planned_runs, take, training_of

UNUSED = 'may_be_unused=["defaults.flow"]'
METRICS = 'evaluation.metrics=["si_sdr", "active_units"]'
# Settings, and whether the divergence has parts.
WAYS = {
    "flows": ((), False),
    "normal": (("model.posterior=gaussian", "model.prior=standard_normal", UNUSED), True),
    "points": (
        ("model.posterior=deterministic", "model.prior=standard_normal", "regularizer=none", METRICS, UNUSED),
        False,
    ),
    "sphere": (
        ("model.posterior=spherical", "model.prior=spherical", "regularizer=none", METRICS, UNUSED),
        False,
    ),
}


@pytest.fixture(scope="module")
def done(catalogue, tmp_path_factory):
    [run, *_] = planned_runs(TINY, catalogue, tmp_path_factory.mktemp("run"))
    assert take(run) == 0
    return run.folder


def recorded(catalogue, settings):
    training = training_of(settings, catalogue)
    evaluation = training.recipe.evaluation
    held_out = HeldOut.of(
        clips_of(training.recipe), training.recipe.model.n_samples, evaluation.sounds, torch.device("cpu")
    )
    codes = record_codes(training.parts.average, held_out, generated=2, audio_examples=2, batch=3)
    return training, held_out, codes


def test_a_run_leaves_a_code_for_every_sound_of_its_result(done):
    latents, result = Latents.read_if_there(done), Result.read(done)
    assert latents.codes.shape == latents.drawn.shape == latents.returned.shape == (len(result.sounds), 8)
    assert len(latents.prior) == len(result.sounds)
    assert np.isfinite(latents.codes).all()


def test_a_code_is_numbered_as_its_sound_is_on_disk(done):
    latents, result = Latents.read_if_there(done), Result.read(done)
    told = {f"{i:02d}-{slug(result.sounds[row])}.wav" for row, i in enumerate(latents.clips) if i >= 0}
    assert told == {file.name for file in (done / "audio").glob("**/target/*.wav")}


def test_the_codes_are_those_of_the_evaluation_and_the_prior_is_what_was_heard(catalogue, tiny):
    training, held_out, codes = recorded(catalogue, tiny)
    evidence = gather_evidence(training.parts.average, held_out, 2, 3)
    assert np.array_equal(codes.codes, evidence.codes.numpy())
    with torch.no_grad():
        heard = training.parts.average.eval().decode(torch.from_numpy(codes.prior[:2]))
    torch.testing.assert_close(heard, evidence.generated)


@pytest.mark.parametrize(("settings", "has_parts"), WAYS.values(), ids=WAYS)
def test_every_posterior_and_prior_leaves_codes(catalogue, tmp_path, settings, has_parts):
    _, _, codes = recorded(catalogue, (*TINY, *settings))
    codes.write(tmp_path)
    again = Latents.read_if_there(tmp_path)
    assert len(again.kl) == (8 if has_parts else 0)
    assert np.array_equal(again.codes, codes.codes)


def test_the_same_model_leaves_the_same_bytes(catalogue, tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        recorded(catalogue, TINY)[2].write(tmp_path / name)
    assert (tmp_path / "a" / Latents.file).read_bytes() == (tmp_path / "b" / Latents.file).read_bytes()


def test_a_folder_without_codes_has_none(tmp_path):
    assert Latents.read_if_there(tmp_path) is None


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"no archive"])
def test_a_damaged_file_is_told_as_one(tmp_path, damage):
    (tmp_path / Latents.file).write_bytes(damage)
    with pytest.raises(CheckpointError, match="cannot be read"):
        Latents.read_if_there(tmp_path)


def test_arrays_of_two_runs_do_not_belong_together(done, tmp_path):
    latents = Latents.read_if_there(done)
    evolve(latents, codes=latents.codes[1:]).write(tmp_path)
    with pytest.raises(CheckpointError, match="do not belong together"):
        Latents.read_if_there(tmp_path)
