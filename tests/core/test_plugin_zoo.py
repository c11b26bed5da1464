"""A zoo of plugins, one at a time beside a harmless one: what each does to a command, and what is said of it."""

import json
import os
import subprocess
import sys

import pytest

from conftest import TINY
from flowvae.catalogue import isolation
from flowvae.cli.main import main
from plugin_zoo import ZOO, lay

CODE = "import sys; from flowvae.cli.main import main; sys.exit(main(sys.argv[1:]))"
HARMLESS = "harmless"
LONGEST = 8_000
"""Characters that a command may say."""
PATIENCE_S = 2.0
"""What one that hangs is given here; a copy that answers does so in a tenth of it."""
THAT_RUN = [name for name, animal in ZOO.items() if not animal.broken]


def looked_at(done, is_json=False):
    """What holds for every command."""
    said = done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert all(c.isprintable() or c in "\n\t" for c in said), "it steers the terminal"
    assert is_json or len(said) < LONGEST
    return done


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """A folder of the search path with one animal and a harmless plugin, and caches of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def lay_out(name):
        site = tmp_path / "site"
        if not site.exists():
            lay(site, HARMLESS)
            lay(site, name, ZOO[name])
            monkeypatch.syspath_prepend(site)
        return site

    return lay_out


@pytest.fixture
def flowvae(zoo, capfd, monkeypatch):
    """Calls a command here: no line of a plugin may run in this process, nor end it."""
    monkeypatch.setattr(isolation, "PATIENCE_S", PATIENCE_S)

    def call(name, *arguments):
        zoo(name)
        capfd.readouterr()
        status = main(list(arguments))
        done = subprocess.CompletedProcess(arguments, status, *capfd.readouterr())
        assert not {module for module in sys.modules if module.startswith("fv_")}
        return looked_at(done, "--json" in arguments)

    return call


@pytest.fixture
def flowvae_alone(zoo, tmp_path):
    """Calls a command as a process."""

    def call(name, *arguments):
        paths = [str(zoo(name)), *filter(None, sys.path)]
        done = subprocess.run(
            [sys.executable, "-P", "-c", CODE, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            cwd=tmp_path,
            check=False,
            timeout=200,
        )
        return looked_at(done)

    return call


@pytest.mark.parametrize("name", ZOO)
def test_case_48_list_shows_all_others(name, flowvae):
    done = flowvae(name, "list", "activation")
    assert done.returncode == 0, done.stderr
    offered = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert {"snake", HARMLESS} <= {*offered}
    assert (name in offered) == (not ZOO[name].broken)
    if ZOO[name].broken:
        assert f"broken: fv-{name} 1.2 (entry point {name}): " in done.stdout
        assert ZOO[name].broken in done.stdout


@pytest.mark.parametrize("name", ZOO)
def test_case_48_doctor_names_it_with_its_cause(name, flowvae):
    animal = ZOO[name]
    done = flowvae(name, "doctor", "--plugins", f"fv-{name},fv-{HARMLESS}")
    assert done.returncode == (4 if animal.broken else 0), done.stdout
    [of_it] = [block for block in done.stdout.split("\nfv-") if block.startswith(f"{name} 1.2")]
    assert f"{name} 1.2 ({name}): {'broken' if animal.broken else 'ready'}" in of_it
    assert animal.broken in of_it
    assert animal.note in of_it


@pytest.mark.parametrize("name", ZOO)
def test_case_48_check_needs_it_or_not(name, flowvae):
    done = flowvae(name, "check", "percussion_small", f"--set=defaults.activation={HARMLESS}")
    assert done.returncode == 0, done.stderr
    named = flowvae(name, "check", "percussion_small", f"--set=defaults.activation={name}")
    assert named.returncode == (2 if ZOO[name].broken else 0), named.stderr
    if ZOO[name].broken:
        assert f"fv-{name} 1.2 did not load (" in named.stderr
        assert ZOO[name].broken in named.stderr


def run(name, activation):
    settings = [f"--set={setting}" for setting in (*TINY, f"defaults.activation={activation}")]
    return ("run", "percussion_small", "--out", "out", *settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", THAT_RUN)
def test_case_52_a_run_that_needs_it_trains_or_names_it(name, flowvae_alone, tmp_path):
    done = flowvae_alone(name, *run(name, name))
    if ZOO[name].refused:
        assert done.returncode == 4, done.stderr
        assert f"{name} (activation, fv-{name} 1.2)" in done.stderr
        assert ZOO[name].refused in done.stderr
        assert len(done.stderr.splitlines()) <= 4
    else:
        assert done.returncode == 0, done.stderr
        [status] = (tmp_path / "out/runs").glob("*/seed-0/status.json")
        assert json.loads(status.read_text())["state"] == "done"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, animal in ZOO.items() if animal.broken])
def test_case_48_a_run_that_does_not_need_it_trains(name, flowvae_alone):
    done = flowvae_alone(name, *run(name, HARMLESS))
    assert done.returncode == 0, done.stderr


def test_case_49_one_that_hangs_costs_its_time_once_until_its_files_change(flowvae, tmp_path):
    import time

    def seconds(*arguments):
        started = time.perf_counter()
        said = flowvae("hangs", *arguments).stdout
        return time.perf_counter() - started, said

    first, said = seconds("list", "activation")
    assert PATIENCE_S <= first < 3 * PATIENCE_S
    assert "its import took more than 2 s\n" in said
    again, said = seconds("list", "activation")
    assert again < PATIENCE_S - 0.5
    assert "when it was last asked, and its files are the same since; flowvae doctor asks it again" in said
    asked, _ = seconds("doctor")
    assert asked >= PATIENCE_S
    (tmp_path / "site" / "fv_hangs.py").write_text("")
    _, said = seconds("list", "activation")
    assert "broken" not in said


def test_case_48_no_descriptor_of_the_driver_is_open_to_a_plugin(flowvae, tmp_path):
    with (tmp_path / "journal").open("wb") as journal:
        assert 3 <= journal.fileno() < 256
        assert flowvae("writes_on_descriptors", "list", "activation").returncode == 0
    assert (tmp_path / "journal").read_bytes() == b""
