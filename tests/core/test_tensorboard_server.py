"""What TensorBoard itself answers of an ablation, asked over HTTP as its page asks: hyperparameters, figures and sounds."""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
import soundfile

from conftest import TINY
from flowvae.ablation import drive
from flowvae.folder.run_records import Result
from flowvae.recipe import read_recipe
from flowvae.report import write
from two_players import in_this_process

pytestmark = pytest.mark.slow
SETTINGS = (*TINY, "train.steps=4", "evaluation.every=2", "train.checkpoint_every=4", "ablation.seeds=2")
PRIMARY = "validation/metric/spectral_distance"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, catalogue):
    """Two arms with two seeds, as the engine wrote them."""
    place = tmp_path_factory.mktemp("board") / "out"
    with pytest.MonkeyPatch.context() as here:
        in_this_process(here)
        here.setattr(write, "write_report", lambda *_: place / "report.html")
        drive.run_recipe(read_recipe("ablation_snake", SETTINGS), place, lambda _: None, catalogue)
    return place


def answered(address, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    with urlopen(Request(address, data, headers), timeout=60) as answer:
        return answer.read()


@pytest.fixture(scope="module")
def ask(folder):
    """Asks a TensorBoard of the ablation's one folder, once it has read every run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--host", "127.0.0.1"]
    server = subprocess.Popen(
        [*command, "--port", str(port), "--load_fast", "false"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )

    def ask(path, body=None):
        return json.loads(answered(f"http://127.0.0.1:{port}/data/{path}", body))

    ask.raw = lambda path: answered(f"http://127.0.0.1:{port}/data/{path}")
    try:
        until = time.monotonic() + 240
        while True:
            try:
                if len(ask("runs")) == 4:
                    break
            except OSError:
                pass  # it does not listen yet
            assert server.poll() is None
            assert time.monotonic() < until, "TensorBoard did not read the runs"
            time.sleep(0.5)
        yield ask
    finally:
        server.terminate()
        server.wait(30)


def test_one_folder_has_every_arm_and_seed(ask):
    assert sorted(ask("runs")) == [
        f"runs/{arm}/seed-{seed}" for arm in ("leaky_relu", "snake") for seed in (0, 1)
    ]


def test_its_table_of_hyperparameters_has_the_primary_figure_of_every_run_first(ask, folder):
    experiment = ask("plugin/hparams/experiment", {"experimentName": "", "hparamsLimit": 0})
    names = [info["name"] for info in experiment["hparamInfos"]]
    assert {"arm", "seed", "defaults.activation"} <= {*names}
    first = experiment["metricInfos"][0]
    assert (first["name"]["tag"], first["displayName"]) == (PRIMARY, "spectral_distance")
    wanted = {
        "colParams": [{"hparam": name, "includeInResult": True} for name in names]
        + [{"metric": first["name"], "includeInResult": True}],
        "allowedStatuses": ["STATUS_SUCCESS"],
        "startIndex": 0,
        "sliceSize": 100,
    }
    groups = ask("plugin/hparams/session_groups", wanted)["sessionGroups"]
    told = {
        (group["hparams"]["arm"], int(group["hparams"]["seed"])): group["metricValues"][0]["value"]
        for group in groups
    }
    results = {
        (arm, seed): Result.read(folder / "runs" / arm / f"seed-{seed}").metrics["spectral_distance"].value
        for arm in ("snake", "leaky_relu")
        for seed in (0, 1)
    }
    assert told == pytest.approx(results, rel=1e-6)
    assert {group["hparams"]["defaults.activation"] == group["hparams"]["arm"] for group in groups} == {True}


def test_both_sides_of_a_sound_are_played_as_they_were_written(ask, folder):
    run = "runs/snake/seed-0"
    tags = {tag for tag in ask("plugin/audio/tags")[run] if not tag.startswith("prior/")}
    assert {tag.rpartition("/")[2] for tag in tags} == {"target", "reconstruction"}
    for tag in tags:
        name, side = tag.split("/")[:2]
        place = "target" if side == "target" else "step-000000004"
        audio = ask(f"plugin/audio/audio?run={quote(run)}&tag={quote(tag)}&sample=0")[-1]
        heard = ask.raw(f"plugin/audio/individualAudio?{audio['query']}")
        assert heard == (folder / run / "audio" / place / f"{name}.wav").read_bytes()
        assert len(soundfile.read(io.BytesIO(heard))[0]) > 1000


def test_a_copy_elsewhere_says_the_same(folder, tmp_path):
    """What TensorBoard reads names no place: a folder that was moved is shown as before."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    events = [*copy.rglob("events.out.*")]
    assert len([path for path in events if path.stat().st_size]) == 4
    assert not any(str(folder).encode() in path.read_bytes() for path in events)
