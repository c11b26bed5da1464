"""When a run is measured: in full where its recipe says so, and often enough for a curve however long it is."""

import math

import numpy as np
import pytest
import soundfile
import torch

from conftest import TINY
from flowvae.building.parts import Parts
from flowvae.contracts import Evidence
from flowvae.data.clips import load_clips
from flowvae.evaluation.evidence import HeldOut
from flowvae.folder.journal import read_journal
from flowvae.folder.latents import Latents
from flowvae.folder.run_records import Order, Result
from flowvae.folder.sound_names import slug
from flowvae.play.trained import TrainedRun
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.measured_steps import for_curves, in_full
from short_runs import planned_runs, take

MANY = ('data={ use = "synthetic_percussion", n_sounds = 240 }', "evaluation.sounds=40", "train.steps=13")
SPARSE = (*TINY, *MANY, "evaluation.every=1000", "train.checkpoint_every=1000")


def recipe_of(steps, every, catalogue):
    settings = (f"train.steps={steps}", f"evaluation.every={every}")
    return resolve(read_recipe("percussion_small", settings), catalogue)


@pytest.mark.parametrize("steps", [6, 13, 250, 1250])
@pytest.mark.parametrize("every", [7, 500, 10_000])
def test_a_curve_has_six_points_or_more_at_even_distances(steps, every, catalogue):
    recipe = recipe_of(steps, every, catalogue)
    full = [done for done in range(1, steps + 1) if in_full(recipe, done)]
    points = [done for done in range(1, steps + 1) if for_curves(recipe, done)]
    assert full[-1] == steps
    if len(full) >= 6:
        assert not points
    else:
        assert points == [math.ceil(k * steps / 6) for k in range(1, 7)]


@pytest.fixture(scope="module")
def sparse(catalogue, tmp_path_factory):
    """A run that is measured in full at its ends alone."""
    [run] = planned_runs(SPARSE, catalogue, tmp_path_factory.mktemp("sparse"))
    assert take(run) == 0
    return run.folder


@pytest.fixture(scope="module")
def without(catalogue, tmp_path_factory):
    """The same without anything in between, and without sounds after the last step."""
    settings = (*SPARSE, "evaluation.curve_points=1", "evaluation.final_audio=0")
    [run] = planned_runs(settings, catalogue, tmp_path_factory.mktemp("without"))
    assert take(run) == 0
    return run.folder


def rows_of(folder, phase):
    rows, _ = read_journal(folder)
    return {row.step: row.figures for row in rows if row.phase == phase}


def test_the_journal_has_the_points_between_and_no_audio_of_them(sparse):
    assert [*rows_of(sparse, "validation")] == [0, 13]
    assert [*rows_of(sparse, "curve")] == [0, 3, 5, 7, 9, 11, 13]
    sounds = sorted(path.name for path in (sparse / "audio").iterdir())
    assert sounds == ["final", "step-000000000", "step-000000013", "target"]


def test_every_point_is_of_the_same_sounds(sparse):
    last, found = rows_of(sparse, "curve")[13], Result.read(sparse).metrics
    told = {name: found[name.removeprefix("metric/")] for name in last}
    assert last == {name: np.median(figure.per_sound[:16]) for name, figure in told.items()}
    assert last != {name: figure.value for name, figure in told.items()}
    # What has one figure for all sounds has none of some of them.
    assert "metric/active_units" not in last
    assert len({frozenset(figures) for figures in rows_of(sparse, "curve").values()}) == 1


@pytest.mark.slow
def test_measuring_more_often_changes_nothing_of_the_run(sparse, without):
    assert rows_of(without, "validation") == rows_of(sparse, "validation")
    assert rows_of(without, "train") == rows_of(sparse, "train")
    assert not rows_of(without, "curve")
    weights = [dict(TrainedRun(folder).model.state_dict()) for folder in (sparse, without)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def numbers_in(place):
    return {int(path.name.partition("-")[0]): path for path in place.glob("[0-9]*.wav")}


def test_after_the_last_step_every_measured_sound_is_written_beside_the_examples(sparse, without):
    examples, final = numbers_in(sparse / "audio/step-000000013"), numbers_in(sparse / "audio/final")
    assert (sorted(examples), sorted(final)) == ([0, 1], [*range(2, 40)])
    targets = numbers_in(sparse / "audio/final/target")
    assert [path.name for path in targets.values()] == [path.name for path in final.values()]
    names, clips = Result.read(sparse).sounds, Latents.read_if_there(sparse).clips.tolist()
    assert {number: path.stem.partition("-")[2] for number, path in (examples | final).items()} == {
        number: slug(names[row]) for row, number in enumerate(clips)
    }
    heard, asked = (
        torch.from_numpy(soundfile.read(found[7], dtype="float32")[0]) for found in (final, targets)
    )
    model = TrainedRun(sparse).model
    with torch.no_grad():
        answer = model.decode(model.encode(asked[None, None]).mode)[0, 0]
    assert torch.allclose(heard, answer.clamp(-1, 1), atol=3e-4)
    assert answer.abs().max() > 0.01
    # What TensorBoard shows stays as small as it was.
    [events] = sparse.glob("events*")
    assert examples[1].stem.encode() in events.read_bytes()
    assert final[2].stem.encode() not in events.read_bytes()
    assert not (without / "audio/final").exists()
    assert sorted(Latents.read_if_there(without).clips.tolist())[-2:] == [0, 1]


def test_a_run_tells_what_the_targets_have_themselves_and_what_is_left_of_silence(sparse, catalogue):
    """Of every metric that reads a reconstruction alone, whatever its name; of silence before training too."""
    result, run = Result.read(sparse), TrainedRun(sparse)
    parts = Parts(run.recipe, 0)
    clips = load_clips(sparse / Order.read(sparse).data)
    held_out = HeldOut.of(clips, run.recipe.model.n_samples, run.recipe.evaluation.sounds, parts.device)
    [name] = result.targets
    assert [n for n, one in parts.metrics.items() if one.reads == ("estimate",)] == [name]
    nothing = held_out.audio.new_zeros(0)
    own = Evidence(nothing, held_out.audio, nothing, nothing, nothing)
    assert result.targets[name] == np.median(parts.metrics[name](own).double().numpy())
    assert result.targets[name] != result.metrics[name].value
    silence = torch.zeros(1, 1, run.recipe.model.n_samples)
    with torch.no_grad():
        answer = run.model.decode(run.model.encode(silence).mode)
    level = 10 * math.log10(answer.square().mean())
    assert result.metrics["silence_level"].value == pytest.approx(level, abs=1e-3)
    assert {"silence_level", "silence_tone"} <= {*result.untrained}
    assert result.untrained["silence_level"] != result.metrics["silence_level"].value


@pytest.mark.slow
def test_a_point_between_is_what_a_full_validation_says_of_these_sounds(sparse, catalogue, tmp_path):
    settings = (*SPARSE, "evaluation.every=7", "evaluation.sounds=16")
    [run] = planned_runs(settings, catalogue, tmp_path)
    assert take(run) == 0
    between, whole = rows_of(sparse, "curve")[7], rows_of(run.folder, "validation")[7]
    assert between == pytest.approx({name: whole[name] for name in between}, rel=1e-5)
