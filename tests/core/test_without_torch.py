"""An installation without torch: what looks works, what trains says what to install and has written nothing."""

import json
import os
import subprocess
import sys

import pytest

ABSENT = """
from importlib.machinery import PathFinder
found = PathFinder.find_spec
absent = {"torch", "torchaudio", "tensorboard"}
PathFinder.find_spec = classmethod(lambda cls, name, *rest: None if name.partition(".")[0] in absent else found(name, *rest))
"""


@pytest.fixture
def light(tmp_path):
    """Runs a command in a Python that finds no torch, and in its children."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(ABSENT)
    (tmp_path / "here").mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), *sys.path])}

    def light(command, *arguments):
        code = f"import sys; from flowvae.cli.main import {command}; sys.exit({command}())"
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path / "here",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    light.folder = tmp_path / "here"
    return light


def test_torch_is_really_absent_there(light, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "import torch"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ModuleNotFoundError: No module named 'torch'" in done.stderr


LOOKING = [
    ("list",),
    ("list", "--json"),
    ("explain", "snake"),
    ("explain", "posterior"),
    ("check", "ablation_snake"),
    ("resolve", "percussion_small"),
    ("diff", "percussion", "percussion_small"),
    ("doctor", "--no-plugins"),
    ("docs",),
    ("schema",),
    ("completion", "bash"),
    ("new-plugin", "mine", "--kind", "activation"),
]


@pytest.mark.parametrize("arguments", LOOKING, ids=" ".join)
def test_what_looks_needs_no_torch(arguments, light):
    done = light("main", *arguments)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_sounds_are_looked_at_without_torch(light):
    import numpy as np
    import soundfile

    tone = np.sin(np.arange(4410) / 20) * np.exp(-np.arange(4410) / 500)
    for number in range(10):
        soundfile.write(light.folder / f"kick-{number}.wav", tone * (1 + number) / 10, 44100)
    (light.folder / "broken.wav").write_text("no sound")
    done = light("main", "data", ".", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["used"] == 10
    assert light("main", "check", "percussion_small", "--data", ".").returncode == 0


def test_mistakes_are_told_without_torch(light):
    done = light("run_main", "ablation_snake", "--set", "train.steps=x", "--set", "model.decoder.widht=3")
    assert done.returncode == 2
    assert "did you mean width?" in done.stderr
    assert not list(light.folder.iterdir())


TRAINING = {
    "a run": ("run_main", "ablation_snake"),
    "a run by its verb": ("main", "run", "percussion_small"),
    "checks of a plugin": ("main", "check-plugin", "snake"),
    "costs": ("main", "diff", "percussion", "percussion_small", "--costs"),
}


@pytest.mark.parametrize("what", TRAINING)
def test_what_computes_says_what_to_install_and_has_written_nothing(what, light):
    done = light(*TRAINING[what])
    assert done.returncode == 8
    assert "torch" in done.stderr.splitlines()[0]
    assert "pip install 'torch" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(light.folder.iterdir())


def test_the_versions_to_install_are_those_that_flowvae_is_made_for(light):
    from importlib.metadata import requires

    done = light("run_main", "ablation_snake")
    named = [line for line in requires("flowvae") if line.startswith("torch")]
    assert len(named) == 2
    for requirement in named:
        assert f"'{requirement}'" in done.stderr
