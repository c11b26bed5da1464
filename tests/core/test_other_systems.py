"""What a system without some of POSIX still can, and what it is told."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from flowvae.building import memory
from flowvae.building.memory import peak_memory_mb

WITHOUT = """
import os, pathlib, signal, sys
sys.modules.update(dict.fromkeys(("fcntl", "resource")))  # None: importing it fails
for name in ("fork", "environb", "memfd_create"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGALRM", "alarm", "setitimer", "pthread_sigmask"):
    if hasattr(signal, name):
        delattr(signal, name)
read = pathlib.Path.read_text
pathlib.Path.read_text = lambda path, **how: read(pathlib.Path("nowhere", path.name) if path.parts[1] == "proc" else path, **how)
from flowvae.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def elsewhere(*arguments, site=""):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join([str(site), *sys.path]), "OMP_NUM_THREADS": "1"},
    )


@pytest.fixture
def site(tmp_path):
    """A folder with an installed plugin."""
    info = tmp_path / "fv_extra-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fv-extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowvae]\nextra = fv_extra\n")
    (tmp_path / "fv_extra.py").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("explain", "snake"),
        ("check", "ablation_snake"),
        ("resolve", "percussion"),
        ("doctor",),
        pytest.param(("diff", "percussion", "percussion_small", "--costs"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_the_verbs_that_look_need_little_of_a_system(arguments):
    done = elsewhere(*arguments, "--no-plugins")
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_plugins_are_refused_where_they_cannot_be_kept_apart(site):
    done = elsewhere("list", site=site)
    assert done.returncode == 8
    assert "fv-extra" in done.stderr
    assert "--no-plugins" in done.stderr
    assert "Traceback" not in done.stderr
    assert elsewhere("list", "--no-plugins", site=site).returncode == 0


def test_what_a_plugin_prints_is_noted_on_other_systems_too(site):
    (site / "fv_extra.py").write_text("print('Hello!')")
    code = "import os, sys; del os.memfd_create\nfrom flowvae.cli.main import main\nsys.exit(main(['doctor', '--json']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join([str(site), *sys.path])},
    )
    [row] = [row for row in json.loads(done.stdout) if row["distribution"] == "fv-extra"]
    assert row["notes"] == ['its import prints 7 bytes ("Hello!")']


def test_the_peak_of_memory_is_the_one_that_the_kernel_tells():
    torch.ones(64 << 18).sum()  # 64 MiB, so that the peak is above what is in use now
    status = Path("/proc/self/status").read_text()
    [kib] = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")]
    assert peak_memory_mb(torch.device("cpu")) == pytest.approx(kib / 1024, rel=0.05)


@pytest.mark.slow
def test_the_peak_of_memory_is_not_that_of_who_started_the_process():
    code = "import torch; from flowvae.building.memory import peak_memory_mb; print(peak_memory_mb(torch.device('cpu')))"
    starter = f"""
import subprocess, sys
much = b"1" * (1200 << 20)
subprocess.run([sys.executable, "-c", {code!r}], check=True)
"""
    done = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True, check=True)
    assert 50 < float(done.stdout) < 1000


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1024), ("darwin", 1)])
def test_the_peak_of_memory_is_in_the_unit_of_the_system(platform, unit, monkeypatch):
    monkeypatch.setattr(memory, "_of_this_program", lambda: None)
    monkeypatch.setattr(sys, "platform", platform)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert peak_memory_mb(torch.device("cpu")) == pytest.approx(used * unit / 2**20, rel=0.05)


def test_a_system_that_does_not_tell_its_memory_has_no_figure(monkeypatch):
    monkeypatch.setattr(memory, "_of_this_program", lambda: None)
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_memory_mb(torch.device("cpu")) is None
