import hashlib
from itertools import pairwise

import pytest
import torch
from attrs import evolve

from flowvae.building.construct import construct
from flowvae.data.instruments import instrument
from flowvae.data.prepare import prepare_clips
from flowvae.evaluation.evidence import HeldOut
from flowvae.folder.run_records import Result
from flowvae.recipe import read_recipe, resolve
from short_runs import planned_runs, take


@pytest.fixture(scope="module")
def clips(catalogue, tmp_path_factory):
    recipe = resolve(read_recipe("percussion_small", ("model.n_samples=1024",)), catalogue)
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
