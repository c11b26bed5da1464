"""Plugins as pip leaves them, good and bad: what they do to a command, and what is said of them."""

import json
import os
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

from flowvae.catalogue import Catalogue
from flowvae.cli.main import main
from pretend import offering, plugin

GOOD = """
from flowvae import hookimpl
@hookimpl
def flowvae_components(register):
    register("activation", "{name}", "{module}_part:Part")
"""
HOOK = "from flowvae import hookimpl\n@hookimpl\n"
FAILING = {
    "raises": ("1 / 0", "ZeroDivisionError"),
    "syntax": ("def (", "SyntaxError"),
    "dependency": ("import no_such_dependency", "No module named 'no_such_dependency'"),
    "exits": ("import sys; sys.exit(7)", "SystemExit: 7"),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "leaves": ("import os; os._exit(0)", "exit status 0"),
    "segfaults": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal 11 (SIGSEGV)"),
    "hook raises": (HOOK + "def flowvae_components(register): 1 / 0", "ZeroDivisionError"),
    "hook leaves": (HOOK + "def flowvae_components(register): import os; os._exit(0)", "exit status 0"),
    "misspelt hook": (HOOK + "def flowvae_component(register): ...", "flowvae_component"),
    "wrong argument": (HOOK + "def flowvae_components(registre): ...", "registre"),
    "unknown kind": (
        HOOK + "def flowvae_components(register): register('activaton', 'x', 'a:B')",
        "did you mean activation?",
    ),
    "no name": (HOOK + "def flowvae_components(register): register('activation', '../x', 'a:B')", "'../x'"),
    "own kind": (
        HOOK + "def flowvae_kinds(register): register('activation', 'a:B')",
        "belongs to flowvae",
    ),
    "other api": ("raise AssertionError('imported')", "written for plugin API 2 and 3; flowvae speaks 1"),
}
MEDDLING = {
    "the working folder": "import os; os.chdir('/')",
    "the state of random": "import random; random.seed(1)",
    "the environment": "import os; os.environ['OMP_NUM_THREADS'] = '64'",
    "the handler of SIGTERM": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "torch's default dtype": "import torch; torch.set_default_dtype(torch.float64)",
    "torch's number of threads": "import torch; torch.set_num_threads(7)",
}


def offered(module, name):
    return GOOD.format(module=module, name=name)


def slug(animal):
    return animal.replace(" ", "-").replace("'", "")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Writes an installed distribution with one entry point, as pip would leave it."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, text="", version="1.0", entry=None, extras=""):
        module = name.replace("-", "_")
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[flowvae]\n{entry or name} = {module}{extras}\n")
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(text))
        (tmp_path / f"{module}_part.py").write_text(
            "class Part:\n    '''A part.'''\n    def __init__(self, channels): ...\n"
        )

    return install


@pytest.fixture
def install_failing(installed):
    def install(animal):
        extras = " [api2,api3]" if animal == "other api" else ""
        installed(f"fv-{slug(animal)}", FAILING[animal][0], version="1.2", extras=extras)

    return install


@pytest.mark.parametrize("animal", FAILING)
def test_a_plugin_that_does_not_load_is_blamed_with_distribution_and_cause(
    animal, install_failing, installed
):
    install_failing(animal)
    installed("fv-a", offered("fv_a", "before"))
    installed("fv-z", offered("fv_z", "after"))
    catalogue = Catalogue.installed()
    [broken] = catalogue.broken()
    assert (broken.distribution, broken.version) == (f"fv-{slug(animal)}", "1.2")
    assert FAILING[animal][1] in broken.problem
    for name in ("snake", "before", "after"):
        assert catalogue.find("activation", name), name


def test_a_plugin_that_never_comes_back_is_left_behind(installed, monkeypatch):
    from flowvae.catalogue import isolation

    monkeypatch.setattr(isolation, "PATIENCE_S", 0.5)
    installed("fv-sleeps", "import time\ntime.sleep(20)")
    installed("fv-z", offered("fv_z", "after"))
    catalogue = Catalogue.installed()
    [broken] = catalogue.broken()
    assert broken.problem == "its import took more than 0.5 s"
    assert catalogue.find("activation", "after")


def test_a_whole_zoo_spoils_no_command(installed, install_failing, tmp_path):
    for animal in FAILING:
        install_failing(animal)
    for what, text in MEDDLING.items():
        if "torch" not in what:
            installed(f"fv-{slug(what)}", text)
    installed("fv-loud", "print('Hello!\\n' * 1000)", entry="same-entry")
    installed("fv-twin-one", offered("fv_twin_one", "twin"), entry="same-entry")
    installed("fv-twin-two", offered("fv_twin_two", "twin"), entry="same-entry")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = "import sys; from flowvae.cli.main import main; sys.exit(main(sys.argv[1:]))"

    def flowvae(*arguments):
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    listed = flowvae("list", "activation", "--json")
    assert listed.returncode == 0
    assert [row["name"] for row in json.loads(listed.stdout)].count("twin") == 2
    assert not listed.stderr
    checked = flowvae("check", "ablation_snake")
    assert checked.returncode == 0
    assert "Hello" not in checked.stdout + checked.stderr
    clash = flowvae("check", "percussion_small", "--set", "defaults.activation=twin")
    assert clash.returncode == 2
    assert "fv-twin-one 1.0 and fv-twin-two 1.0" in clash.stderr
    chosen = flowvae("check", "percussion_small", "--set", "defaults.activation=fv-twin-two:twin")
    assert chosen.returncode == 0, chosen.stderr
    examined = flowvae("doctor", "--json")
    assert examined.returncode == 4
    rows = {row["distribution"]: row for row in json.loads(examined.stdout)}
    for animal, (_, problem) in FAILING.items():
        assert rows[f"fv-{slug(animal)}"]["state"] == "broken"
        assert problem in rows[f"fv-{slug(animal)}"]["problem"]
    assert rows["fv-raises"]["trace"].endswith("ZeroDivisionError: division by zero\n")
    assert "fv_raises.py" in rows["fv-raises"]["trace"]
    for what in MEDDLING:
        if "torch" not in what:
            assert rows[f"fv-{slug(what)}"]["notes"] == [f"it changed {what}; put back"]
    assert rows["fv-loud"]["notes"] == ['its import prints 7001 bytes ("Hello!")']
    assert rows["fv-twin-two"]["offers"] == ["activation twin"]
    assert "activation snake" in rows["flowvae"]["offers"]


def test_no_line_of_a_plugin_runs_in_the_process_that_lists_it(installed):
    installed("fv-quiet", offered("fv_quiet", "quiet"))
    assert Catalogue.installed().find("activation", "quiet")
    assert "fv_quiet" not in sys.modules


def test_an_object_of_an_installed_plugin_is_offered_by_its_name(installed):
    installed(
        "fv-object",
        """
        from flowvae import hookimpl
        class Part:
            '''One.'''
            def __init__(self, channels: int, *, a: int = 3) -> None: ...
        @hookimpl
        def flowvae_components(register):
            register("activation", "by_object", Part)
        """,
    )
    [part] = Catalogue.installed().find("activation", "by_object")
    assert part.target == "fv_object:Part"
    assert part.signature.parameters["a"].default == 3


def test_an_object_without_a_name_brings_its_plugin_into_this_process(installed):
    installed(
        "fv-closure",
        """
        from flowvae import hookimpl
        def made():
            class Part:
                '''One.'''
                def __init__(self, channels: int, *, a: int = 3) -> None: ...
            return Part
        @hookimpl
        def flowvae_components(register):
            register("activation", "made", made())
        """,
    )
    [part] = Catalogue.installed().find("activation", "made")
    assert part.load().__name__ == "Part"
    assert "fv_closure" in sys.modules


def test_a_child_that_asks_leaves_no_process_behind(installed):
    installed("fv-fine", offered("fv_fine", "fine"))
    installed("fv-leaves", "import os; os._exit(0)")
    Catalogue.installed()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_two_distributions_with_one_entry_point_name_both_load(installed):
    for name in ("fv-one", "fv-two"):
        module = name.replace("-", "_")
        installed(name, offered(module, module), entry="extras")
    catalogue = Catalogue.installed()
    assert catalogue.find("activation", "fv_one")
    assert catalogue.find("activation", "fv_two")


def test_a_plugin_for_this_api_and_another_loads(installed):
    installed("fv-present", offered("fv_present", "present"), extras=" [api1,api2]")
    assert Catalogue.installed().find("activation", "present")


def test_a_plugin_that_is_not_asked_for_is_not_imported(installed, tmp_path):
    installed("fv-quiet", f"open({str(tmp_path / 'imported')!r}, 'w')")
    catalogue = Catalogue.installed(only=["fv-other"])
    assert not catalogue.broken()
    assert not (tmp_path / "imported").exists()
    assert catalogue.find("activation", "snake")
    Catalogue.installed(only=["fv-quiet"])
    assert (tmp_path / "imported").exists()


def test_one_argument_of_a_hook_can_be_deprecated_on_its_own(monkeypatch):
    from flowvae.catalogue import hooks, loading

    spec = hooks.hookspec(warn_on_impl_args={"register": DeprecationWarning("say offer instead of register")})
    future = SimpleNamespace(
        flowvae_components=spec(lambda register: None), flowvae_kinds=hooks.hookspec(lambda register: None)
    )
    monkeypatch.setattr(loading, "hooks", future)
    used = plugin("fv-old", flowvae_components=offering(("activation", "x", "a:B")))
    loading.ask(used, loading.new_manager())
    assert used.state == "ready"
    assert used.notes == ["say offer instead of register"]


def test_plugins_can_be_left_out_or_chosen(installed, capsys):
    for name in ("fv-one", "fv-two"):
        module = name.replace("-", "_")
        installed(name, offered(module, module))
    seen = {}
    for options in ((), ("--plugins", "fv-two"), ("--no-plugins",)):
        assert main(["list", "activation", *options]) == 0
        out = capsys.readouterr().out
        seen[options] = [name for name in ("fv_one", "fv_two", "snake") if f" {name} " in out]
    assert list(seen.values()) == [["fv_one", "fv_two", "snake"], ["fv_two", "snake"], ["snake"]]


@pytest.mark.parametrize("what", MEDDLING)
def test_a_plugin_that_meddles_is_named_and_the_next_one_does_not_notice(what, installed, tmp_path):
    import torch

    torch.get_num_threads()  # it is loaded here, so that there is something to meddle with
    installed("fv-meddler", MEDDLING[what])
    installed(
        "fv-next",
        f"""
        import os, random, signal, torch
        with open({str(tmp_path / "seen")!r}, "w") as file:
            print(os.getcwd(), random.getstate() == random.Random(1).getstate(), sorted(os.environ.items()), signal.getsignal(signal.SIGTERM),
                  torch.get_default_dtype(), torch.get_num_threads(), file=file)
        """,
    )
    catalogue = Catalogue.installed()
    [meddler] = [p for p in catalogue.plugins if p.distribution == "fv-meddler"]
    assert meddler.notes == [f"it changed {what}; put back"]
    with_meddler = (tmp_path / "seen").read_text()
    Catalogue.installed(only=["fv-next"])
    assert (tmp_path / "seen").read_text() == with_meddler


def test_a_slow_import_is_noted(installed, monkeypatch):
    from flowvae.catalogue import loading

    monkeypatch.setattr(loading, "SLOW_S", 0.05)
    installed("fv-slow", "import time; time.sleep(0.1)")
    [slow] = [p for p in Catalogue.installed().plugins if p.distribution == "fv-slow"]
    assert slow.notes[0].startswith("its import took 0.1")


def test_the_order_of_the_path_decides_nothing(tmp_path, monkeypatch):
    seen = []
    for order in (("one", "two"), ("two", "one")):
        with monkeypatch.context() as patch:
            for place in order:
                site = tmp_path / place
                info = site / f"fv_{place}-1.0.dist-info"
                info.mkdir(parents=True, exist_ok=True)
                (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fv-{place}\nVersion: 1.0\n")
                (info / "entry_points.txt").write_text(f"[flowvae]\nextras = fv_{place}\n")
                kind = f"{HOOK}def flowvae_kinds(register): register('colour', 'fv_{place}:Colour')\n"
                (site / f"fv_{place}.py").write_text(
                    kind + offered(f"fv_{place}", "same").replace("from flowvae import hookimpl", "")
                )
                patch.syspath_prepend(site)
            catalogue = Catalogue.installed()
            strangers = [p for p in catalogue.plugins if p.distribution != "flowvae"]
            found = [c.qualified for c in catalogue.find("activation", "same")]
            seen.append(([(p.owner, p.state, p.problem) for p in strangers], found))
    assert seen[0] == seen[1]
    assert ("fv-two 1.0", "broken", 'the kind "colour" belongs to fv-one 1.0 already') in seen[0][0]
