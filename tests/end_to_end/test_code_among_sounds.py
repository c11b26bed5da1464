"""A folder of sounds is data: whoever stands in it runs nothing of what lies there."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import TINY

pytestmark = pytest.mark.slow
NAMES = ("soundfile", "json", "torch", "numpy", "flowvae_components")
INSTALLED = [str(Path(sysconfig.get_path("scripts"), "flowvae-run"))]
AS_MODULE = [sys.executable, "-m", "flowvae.cli.main", "run"]


@pytest.fixture
def sounds(tmp_path):
    """Ten sounds, two of them to hold out, beside modules that leave a mark when they are imported."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    t = np.arange(6000) / 44100
    for i in range(10):
        soundfile.write(folder / f"k{i}.wav", np.sin(2 * np.pi * (50 + 9 * i) * t) * np.exp(-40 * t), 44100)
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"open({str(folder / name)!r} + '.ran', 'w').close()\n")
    return folder


def ran(folder):
    return sorted(path.stem for path in folder.rglob("*.ran"))


def command(start):
    settings = [s for s in TINY if not s.startswith("data=")]
    return [*start, "percussion_small", "--data", ".", "--out", "../out", *(f"--set={s}" for s in settings)]


def train(start, folder, *search_path):
    paths = [*filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)), *search_path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(
        command(start),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_installed_command_imports_nothing_from_where_it_is_called(sounds):
    done = train(INSTALLED, sounds)
    assert ran(sounds) == []
    assert done.returncode == 0, done.stderr
    assert (sounds.parent / "out" / "report.html").exists()


def test_a_search_path_that_names_where_one_stands_is_not_followed(sounds):
    (
        sounds / "json.py"
    ).unlink()  # Python looks there before flowvae can say a word, and flowvae begins with it
    done = train(INSTALLED, sounds, "")
    assert ran(sounds) == []
    assert done.returncode == 0, done.stderr


def test_python_that_was_told_to_look_here_for_flowvae_looks_here_for_nothing_more(sounds):
    (sounds / "json.py").unlink()  # as above
    done = train(AS_MODULE, sounds)
    assert ran(sounds) == []
    assert done.returncode == 0, done.stderr
