"""Whoever stands in a folder where every module that there is lies poisoned runs none of them, in no process of ours."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import TINY
from flowvae.ablation.warming import PROGRAMS
from flowvae.processes.program import module_of, program
from plugin_zoo import lay
from tiers import swept

CODE = "import sys; from flowvae.cli.main import main; sys.exit(main(sys.argv[1:]))"
RAN = "ran.txt"
NAMES = {
    *sys.stdlib_module_names,
    *(name for name in metadata.packages_distributions() if name.isidentifier()),
    *("flowvae", "flowvae_components", "sitecustomize", "usercustomize"),
}
"""Everything that any process here could import: what it does import is among it, whatever it will be next year."""
AS_PACKAGES = {"flowvae", "flowvae_components", "soundfile", "torch", "numpy"}


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("poisoned")
    folder = tmp_path / "sounds"
    folder.mkdir()
    for name in NAMES:
        poison = f"open({str(tmp_path / RAN)!r}, 'a').write({name + chr(10)!r})\nraise SystemExit(99)\n"
        if name in AS_PACKAGES:
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(poison)
            (folder / name / "plugin.py").write_text(poison)
        else:
            (folder / f"{name}.py").write_text(poison)
    lay(tmp_path / "site", "harmless")
    return folder


def at(folder, *command):
    """Runs a command there; only the folder of the plugin is named in the search path, beside what the tests need."""
    paths = [str(folder.parent / "site"), *(e for e in sys.path if Path(e).is_absolute())]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "XDG_CACHE_HOME": str(folder.parent / "cache"),
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    ran = folder.parent / RAN
    assert not ran.exists(), ran.read_text()
    return done


def test_the_poison_works(poisoned):
    done = subprocess.run([sys.executable, "-c", "import statistics"], cwd=poisoned, check=False)
    assert done.returncode == 99
    ran = poisoned.parent / RAN
    assert ran.read_text() == "statistics\n"
    ran.unlink()


@pytest.mark.parametrize(
    "words", [["list"], ["doctor"], ["check", "percussion_small", "--set=defaults.activation=harmless"]]
)
def test_commands_and_the_process_that_asks_plugins(words, poisoned):
    done = at(poisoned, sys.executable, "-P", "-c", CODE, *words)
    assert done.returncode == 0, done.stderr


def test_the_decoder(poisoned):
    soundfile.write(poisoned / "a.wav", np.sin(np.arange(4000) / 9), 44100)
    code = (
        "from pathlib import Path\nfrom flowvae_components.audio_files.decoding import Decoder\n"
        "with Decoder() as decoder:\n    print(decoder.decode(Path('a.wav').read_bytes()).audio.shape)"
    )
    assert at(poisoned, sys.executable, "-P", "-c", code).stdout == "(1, 4000)\n"


@pytest.mark.parametrize("name", swept(["flowvae.processes.warm_parent", *PROGRAMS]))
def test_every_program_of_ours_has_imported_what_it_needs_before_it_misses_its_arguments(name, poisoned):
    done = at(poisoned, *program(name))
    assert "sys.argv" in done.stderr
    assert "Error: " in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("flags", "wanted"), [((), ["-P"]), (("-E",), ["-P", "-E"]), (("-s",), ["-P", "-s"]), (("-I",), ["-I"])]
)
def test_a_process_looks_for_modules_where_the_driver_does(flags, wanted):
    core = [e for e in sys.path if e.endswith("core")]
    code = f"import sys; sys.path[:0] = {core!r}; from flowvae.processes.program import program as p\nprint(*p('m')[1:-2])"
    done = subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == wanted
    assert module_of(program("m", "a")) == "m"


@pytest.mark.slow
def test_a_whole_run_with_a_plugin(poisoned):
    t = np.arange(6000) / 44100
    for i in range(10):
        soundfile.write(poisoned / f"k{i}.wav", np.sin(2 * np.pi * (50 + 9 * i) * t) * np.exp(-40 * t), 44100)
    settings = [f"--set={s}" for s in (*TINY, "defaults.activation=harmless") if not s.startswith("data=")]
    words = ["run", "percussion_small", "--data", ".", "--out", "../out", *settings]
    done = at(poisoned, sys.executable, "-P", "-c", CODE, *words)
    assert done.returncode == 0, done.stderr
    assert (poisoned.parent / "out" / "report.html").exists()
