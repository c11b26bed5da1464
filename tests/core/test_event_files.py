"""TensorBoard shows what the journal holds, whenever a run was killed; read with TensorBoard's own reader after real kills."""

import io
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from flowvae.ablation.drive import run_recipe
from flowvae.folder.journal import Journal, read_journal
from flowvae.folder.tensorboard import EVENTS
from flowvae.recipe import read_recipe
from short_runs import planned_runs, take

# A run that kills itself, as kill -9 does, at one place of its own.
KILLED = """
import os, signal, sys
from pathlib import Path
from flowvae import worker
from flowvae.folder import checkpoint, journal, tensorboard

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

place, step = sys.argv[2], int(sys.argv[3])
def at(owner, name, asked, before):
    original = getattr(owner, name)
    def work(*given, **more):
        before and asked(*given) and die()
        done = original(*given, **more)
        asked(*given) and die()
        return done
    setattr(owner, name, work)

if place == "before the checkpoint":
    at(checkpoint, "commit", lambda folder, at, files: at == step, True)
elif place == "after the checkpoint":
    at(checkpoint, "commit", lambda folder, at, files: at == step, False)
elif place == "between line and event":
    at(tensorboard.EventFile, "scalars", lambda events, at, figures, when=None: at == step, True)
elif place == "among the sounds":
    at(tensorboard.EventFile, "sound", lambda events, at, path, when=None: at == step, False)
elif place == "while it takes up":
    at(tensorboard.EventFile, "sound", lambda events, at, path, when=None: when is not None, True)
sys.exit(worker.main(Path(sys.argv[1])))
"""
SETTINGS = ("train.steps=30", "train.checkpoint_every=10", "evaluation.every=10")


def board(folder):
    """What TensorBoard shows of a run's folder."""
    shown = EventAccumulator(str(folder), size_guidance={"scalars": 0, "audio": 0})
    return shown.Reload()


def points(folder):
    shown = board(folder)
    return {
        tag: [(e.step, np.float32(e.value)) for e in shown.Scalars(tag)] for tag in shown.Tags()["scalars"]
    }


def journal(folder, last=None):
    """The points of the journal, by tag."""
    found = {}
    for row in read_journal(folder)[0]:
        for tag, value in row.tagged().items():
            if last is None or row.step <= last:
                found.setdefault(tag, []).append((row.step, np.float32(value)))
    return found


def sounds(folder):
    """Tag and step of all that can be heard, and its bytes."""
    shown = board(folder)
    return {(tag, e.step): e.encoded_audio_string for tag in shown.Tags()["audio"] for e in shown.Audio(tag)}


def kept_sounds(folder):
    found = {}
    for path in set(folder.glob("audio/*/*.wav")) - set(folder.glob("audio/final/*")):
        step = 0 if path.parent.name == "target" else int(path.parent.name.removeprefix("step-"))
        side = "target" if path.parent.name == "target" else "reconstruction"
        prior = path.stem.startswith("prior-")
        tag = path.stem.replace("-", "/", 1) if prior else f"{path.stem}/{side}"
        found[tag, step] = path.read_bytes()
    return found


@pytest.fixture
def run(tiny, catalogue, tmp_path):
    [run] = planned_runs((*tiny, *SETTINGS), catalogue, tmp_path)
    return run


def killed(run, place, step):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(run.folder), place, str(step)],
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


PLACES = [
    ("before the checkpoint", 0),
    ("after the checkpoint", 0),
    ("after the checkpoint", 20),
    ("before the checkpoint", 20),
    ("between line and event", 20),
    ("among the sounds", 20),
]


@pytest.mark.slow
@pytest.mark.parametrize(("place", "step"), PLACES)
def test_case_58_after_a_kill_it_shows_what_the_journal_holds_and_each_step_once(place, step, run):
    killed(run, place, step)
    # As the kill has left it: at most the point that was being written is not there yet.
    earlier = {tag: rows for tag, rows in journal(run.folder, step - 1).items() if rows}
    shown = points(run.folder)
    assert {
        tag: [p for p in rows if p[0] < step] for tag, rows in shown.items() if rows[0][0] < step
    } == earlier
    if place != "between line and event":
        assert shown == journal(run.folder)
    assert take(run) == 0
    told = points(run.folder)
    assert told == journal(run.folder)
    assert [at for at, _ in told["train/loss"]] == [10, 20, 30]
    assert [at for at, _ in told["validation/metric/spectral_distance"]] == [0, 10, 20, 30]
    assert sounds(run.folder) == kept_sounds(run.folder)
    assert sum(path.stat().st_size > 0 for path in run.folder.glob(f"{EVENTS}*")) == 1


@pytest.mark.slow
def test_case_58_a_kill_while_a_run_is_taken_up_costs_nothing(run):
    killed(run, "after the checkpoint", 20)
    killed(run, "while it takes up", 0)
    assert points(run.folder) == journal(run.folder)
    assert take(run) == 0
    assert points(run.folder) == journal(run.folder)
    assert sounds(run.folder) == kept_sounds(run.folder)


@pytest.mark.slow
def test_steps_keep_the_time_at_which_they_were_told(run):
    killed(run, "after the checkpoint", 20)
    before = {e.step: e.wall_time for e in board(run.folder).Scalars("train/loss")}
    assert take(run) == 0
    after = {e.step: e.wall_time for e in board(run.folder).Scalars("train/loss")}
    assert before == {step: after[step] for step in before}
    assert after[30] > after[20] > after[10]


def test_a_reader_that_had_the_old_file_open_has_no_point_twice(tmp_path):
    with Journal(tmp_path, 0) as first:
        for step in (10, 20, 30):
            first.write("train", step, {"loss": step / 2})
        reader = EventAccumulator(str(tmp_path)).Reload()
        assert [e.step for e in reader.Scalars("train/loss")] == [10, 20, 30]
        with Journal(tmp_path, 20) as second:
            second.write("train", 30, {"loss": 1.0})
            assert [(e.step, e.value) for e in reader.Reload().Scalars("train/loss")] == [
                (10, 5.0),
                (20, 10.0),
                (30, 1.0),
            ]


def test_what_is_left_of_many_starts_is_one_file_and_one_that_is_empty(tmp_path):
    for step in (0, 10, 20, 30, 40):
        with Journal(tmp_path, step) as again:
            again.write("train", step + 10, {"loss": float(step)})
        shown = points(tmp_path)["train/loss"]
        assert shown == [(s + 10, np.float32(s)) for s in range(0, step + 1, 10)]
    sizes = [path.stat().st_size for path in sorted(tmp_path.glob(f"{EVENTS}*"))]
    assert len(sizes) == 2
    assert sizes[0] == 0 < sizes[1]


def test_case_19_after_a_clock_was_set_back_the_newest_event_file_still_is_the_last_one(tmp_path):
    with Journal(tmp_path, 0) as first:
        first.write("train", 10, {"loss": 1.0})
    [file] = tmp_path.glob(f"{EVENTS}*")
    file.rename(tmp_path / f"{EVENTS}9000000000.7")
    with Journal(tmp_path, 10) as second:
        second.write("train", 20, {"loss": 2.0})
    sizes = [path.stat().st_size for path in sorted(tmp_path.glob(f"{EVENTS}*"))]
    assert sizes[0] == 0 < sizes[1]


def test_case_58_a_damaged_event_file_is_made_again_from_the_journal(tmp_path):
    with Journal(tmp_path, 0) as first:
        first.write("train", 10, {"loss": 1.0})
    [file] = tmp_path.glob(f"{EVENTS}*")
    file.write_bytes(b"\x00" + file.read_bytes()[40:])
    with Journal(tmp_path, 10):
        pass
    assert points(tmp_path) == {"train/loss": [(10, np.float32(1.0))]}


def test_what_is_written_is_in_the_file_at_once(tmp_path):
    with Journal(tmp_path, 0) as open_journal:
        open_journal.write("train", 10, {"loss": 1.0})
        assert points(tmp_path) == journal(tmp_path) != {}


@pytest.fixture(scope="module")
def ablation(tmp_path_factory, catalogue):
    from conftest import TINY

    out = tmp_path_factory.mktemp("board") / "out"
    source = read_recipe("ablation_snake", (*TINY, "ablation.seeds=2"))
    run_recipe(source, out, lambda _: None, catalogue)
    return out


@pytest.mark.slow
def test_one_folder_shows_all_arms_by_arm_and_seed(ablation):
    shown = EventMultiplexer().AddRunsFromDirectory(str(ablation)).Reload()
    assert {*shown.Runs()} == {f"runs/{arm}/seed-{s}" for arm in ("snake", "leaky_relu") for s in (0, 1)}


@pytest.mark.slow
def test_hyperparameters_are_arm_seed_and_what_is_varied_with_the_primary_figure_first(ablation):
    for arm, seed in (("snake", 1), ("leaky_relu", 0)):
        folder = ablation / "runs" / arm / f"seed-{seed}"
        told = board(folder).summary_metadata
        found = {
            tag: HParamsPluginData.FromString(told[tag].plugin_data.content)
            for tag in (
                metadata.EXPERIMENT_TAG,
                metadata.SESSION_START_INFO_TAG,
                metadata.SESSION_END_INFO_TAG,
            )
        }
        names = [info.name.tag for info in found[metadata.EXPERIMENT_TAG].experiment.metric_infos]
        assert names[0] == "validation/metric/spectral_distance"
        assert {*names} <= {*points(folder)}
        columns = [info.name for info in found[metadata.EXPERIMENT_TAG].experiment.hparam_infos]
        assert columns == ["arm", "seed", "defaults.activation"]
        hparams = found[metadata.SESSION_START_INFO_TAG].session_start_info.hparams
        assert hparams["arm"].string_value == arm
        assert hparams["seed"].number_value == seed
        assert hparams["defaults.activation"].string_value == arm
        assert found[metadata.SESSION_END_INFO_TAG].session_end_info.status == 1  # success


@pytest.mark.slow
def test_both_sides_of_a_sound_stand_under_its_name(ablation):
    folder = ablation / "runs/snake/seed-0"
    heard = sounds(folder)
    assert heard == kept_sounds(folder)
    by_name = {}
    for tag, _ in heard:
        name, _, side = tag.partition("/")
        by_name.setdefault(name, set()).add(side)
    assert by_name.pop("prior") == {"00", "01"}
    assert len(by_name) == 2
    assert all(sides == {"target", "reconstruction"} for sides in by_name.values())
    for audio in heard.values():
        assert soundfile.read(io.BytesIO(audio))[1] == 44100


def test_a_run_without_its_ablation_has_no_hyperparameters(tmp_path):
    with Journal(tmp_path, 0) as alone:
        alone.write("train", 10, {"loss": 1.0})
    assert metadata.SESSION_START_INFO_TAG not in board(tmp_path).summary_metadata
