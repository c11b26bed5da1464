import json
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from xml.etree import ElementTree

import pytest

from flowvae.catalogue import Catalogue
from flowvae.catalogue.hooks import API_VERSION
from flowvae.cli.main import main
from flowvae.cli.new_plugin import write_plugin
from flowvae.errors import UsageError
from flowvae.testing import checks

KINDS = sorted(Catalogue.of([]).kinds)


def called(kind):
    """The name of a distribution with a component of a kind."""
    return f"try-{kind.replace('_', '-')}"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    return {kind: write_plugin(called(kind), kind, folder, Catalogue.of([])) for kind in KINDS}


@pytest.fixture(scope="module")
def outcomes(written, environment_with, tmp_path_factory):
    """Every test of every written package, run in one process to pay for torch once: name to what went wrong."""
    report = tmp_path_factory.mktemp("report") / "report.xml"
    # One root for all, so that the report tells them apart.
    ini = written["activation"].parent / "pytest.ini"
    ini.write_text("[pytest]\nfilterwarnings = error\n")
    done = environment_with(*written.values()).python(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(ini)),
        *("--import-mode=importlib", "--doctest-modules", f"--junitxml={report}"),
        *(str(project / part) for project in written.values() for part in ("src", "tests")),
        cwd=report.parent,
    )
    assert report.is_file(), done.stdout + done.stderr
    return [
        (case.get("classname", ""), case.get("name", ""), [child.get("message") for child in case])
        for case in ElementTree.parse(report).iter("testcase")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_passes_its_own_tests(kind, outcomes):
    mine = [(name, trouble) for where, name, trouble in outcomes if f"{called(kind)}." in where]
    assert not [(name, trouble) for name, trouble in mine if trouble and checks(kind)]
    names = {name for name, _ in mine}
    for check in checks(kind):
        assert f"test_it_keeps_the_contract_of_its_kind[{check.__name__}]" in names
    assert "test_it_keeps_what_holds_for_every_kind[its_docstring_has_its_fields]" in names
    assert any("try_" in name for name in names), "the doctest was not found"


CHECKED = """
import contextlib, io, json, sys
from flowvae.cli.main import main

def said(*words):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = main(words)
    return status, out.getvalue()

print(json.dumps([[said("check", recipe, "--json"), said("resolve", recipe)] for recipe in sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def ablations(written, environment_with):
    """What check and resolve say of the ablation of every written package, in one process: kind to both."""
    recipes = [str(written[kind] / "ablation.toml") for kind in KINDS]
    done = environment_with(*written.values()).python("-c", CHECKED, *recipes)
    assert done.returncode == 0, done.stderr
    return dict(zip(KINDS, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_the_written_ablation_is_in_order_and_uses_the_component(kind, written, ablations):
    assert (written[kind] / "ablation.toml").read_text() in (written[kind] / "README.md").read_text()
    (status, checked), (_, resolved) = ablations[kind]
    assert status == 0
    assert f'"try_{kind}"' in resolved or f"try_{kind}" in json.loads(checked)["arms"][1]["name"]


def test_a_plugin_says_which_api_it_was_written_for(written):
    project = tomllib.loads((written["activation"] / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["flowvae"] == {
        "try-activation": f"try_activation.plugin [api{API_VERSION}]"
    }


def test_a_written_plugin_is_listed_with_its_owner_and_passes_the_public_checks(written, environment_with):
    environment = environment_with(written["activation"])
    listed = json.loads(environment.flowvae("list", "activation", "--json").stdout)
    assert ("try_activation", "try-activation", "0.1.0") in {
        (row["name"], row["distribution"], row["version"]) for row in listed
    }
    done = environment.flowvae("check-plugin", "try-activation")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok        plugin try-activation (try-activation 0.1.0): its_import_leaves_no_trace" in done.stdout
    assert "0 failed, 0 could not be run" in done.stdout


WRONG = {
    "try_wrong": {
        "Units:": "Unit:",
        "        bend: how": "        bent: how",
        "tensor([[[1., 1., 1.]]])": "tensor([[[2., 1., 1.]]])",
        "x.square()": "x.square_()",
        "import torch\n": "import torch\ntorch.manual_seed(7)\n",
    },
    "plugin": {"from flowvae import": "import torch\nfrom flowvae import"},
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory, environment_with):
    """What check-plugin says of a plugin with one fault of each sort."""
    project = write_plugin("try-wrong", "activation", tmp_path_factory.mktemp("wrong"), Catalogue.of([]))
    for module, replacements in WRONG.items():
        source = project / "src" / "try_wrong" / f"{module}.py"
        for right, wrong in replacements.items():
            assert right in source.read_text()
            source.write_text(source.read_text().replace(right, wrong))
    done = environment_with(project).flowvae("check-plugin", "try_wrong", "--json")
    assert done.returncode == 4, done.stderr
    results = json.loads(done.stdout)["results"]
    return [f"{row['check']}: {row['advice']}" for row in results if row["state"] == "FAILED"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "complaint",
    [
        "its_docstring_has_its_fields: its docstring has no field Units: write",
        "its_keys_are_explained: bend is not explained",
        "its_example_runs: its example does not give what it says",
        "input_is_untouched: the input was changed",
        "it_is_known_without_torch: listing it imports torch",
        "its_import_leaves_no_trace: importing it changes what all share: torch's generator",
    ],
)
def test_check_plugin_says_what_is_wrong(complaint, complaints):
    assert [said for said in complaints if said.startswith(complaint)], complaints


def test_a_folder_that_is_there_stays_as_it_was(tmp_path, capsys):
    (tmp_path / "try-again").mkdir()
    assert main(["new-plugin", "try-again", "--kind", "activation", "--in", str(tmp_path)]) == 2
    assert "there already" in capsys.readouterr().err
    assert not list((tmp_path / "try-again").iterdir())


@pytest.mark.parametrize("name", ["Try", "1st", "a", "a_b", "a" * 42, "../a", "try-", "class", "torch", ""])
def test_a_name_that_python_or_pip_could_not_use_is_refused(name, tmp_path):
    with pytest.raises(UsageError):
        write_plugin(name, "activation", tmp_path, Catalogue.of([]))
    assert not list(tmp_path.iterdir())


def test_a_name_that_a_component_of_the_kind_has_is_refused(tmp_path):
    with pytest.raises(UsageError, match="has this name already"):
        write_plugin("snake", "activation", tmp_path, Catalogue.installed())


def test_an_unknown_kind_is_answered_with_the_near_ones(tmp_path, capsys):
    assert main(["new-plugin", "try-it", "--kind", "activaton", "--in", str(tmp_path)]) == 2
    assert "did you mean activation?" in capsys.readouterr().err


def test_nothing_is_called_that(capsys):
    assert main(["check-plugin", "snak"]) == 2
    assert "did you mean snake" in capsys.readouterr().err


MISH = '''
"""Mish, a smooth rectifier that dips below zero."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class SelfGated(nn.Module):
    """Lets a signal through as far as a gate of its own opens.

    Formula: y = x * tanh(log(1 + exp(sharpness * x))).
    Shapes: (b, c, t) -> (b, c, t).
    Units: hidden amplitudes, without unit.
    Parameters:
        sharpness: how fast the gate opens, above 0
    Source: Misra 2019, arxiv.org/abs/1908.08681.

    >>> SelfGated()(torch.zeros(1, 1, 2))
    tensor([[[0., 0.]]])
    """

    def __init__(self, *, sharpness: float = 1.0) -> None:
        super().__init__()
        if sharpness <= 0:
            raise ValueError(f"sharpness must be above 0, got {sharpness}")
        self.sharpness = sharpness

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.tanh(functional.softplus(self.sharpness * x))
'''


@pytest.fixture(scope="module")
def author(tmp_path_factory):
    """A new environment in which a new plugin, filled in with an idea, was installed with pip once."""
    folder = tmp_path_factory.mktemp("author")
    project = write_plugin("self-gated", "activation", folder, Catalogue.of([]))
    (project / "src" / "self_gated" / "self_gated.py").write_text(MISH.lstrip())
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    [site] = (folder / "venv").glob("lib/*/site-packages")
    # The new environment sees the packages of this one: nothing is fetched.
    parents = [p for p in sys.path if Path(p).is_dir() and re.search("site-packages|core|components", p)]
    (site / "parents.pth").write_text("".join(f"import site; site.addsitedir({p!r})\n" for p in parents))
    install = [python, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", project]
    subprocess.run(install, check=True, capture_output=True)

    def call(*arguments):
        return subprocess.run(
            [python, "-m", *arguments], capture_output=True, text=True, check=False, cwd=project, timeout=300
        )

    return call


@pytest.mark.slow
def test_a_new_plugin_filled_in_with_an_idea_passes_its_own_tests_and_the_public_checks(author):
    tested = author("pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout
    checked = author("flowvae.cli.main", "check-plugin", "self-gated")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 failed" in checked.stdout


@pytest.mark.slow
def test_a_new_plugin_is_an_arm_after_one_installation_and_one_changed_line(author, tmp_path, tiny):
    recipe = Path(__file__).parents[2] / "recipes" / "ablation_snake.toml"
    lines = recipe.read_text().replace('"percussion_small.toml"', '"percussion_small"').splitlines()
    changed = [line.replace('"leaky_relu"]', '"leaky_relu", "self_gated"]') for line in lines]
    assert sum(a != b for a, b in zip(lines, changed, strict=True)) == 1
    (tmp_path / "mine.toml").write_text("\n".join(changed))
    settings = [f"--set={s}" for s in (*tiny, "ablation.seeds=1")]
    done = author(
        "flowvae.cli.main", "run", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "out"), *settings
    )
    assert done.returncode == 0, done.stderr
    for arm in ("snake", "leaky_relu", "self_gated"):
        assert (tmp_path / "out" / "runs" / arm / "seed-0" / "result.json").exists()
    assert "self-gated 0.1.0" in (tmp_path / "out" / "report.html").read_text()
    own = author("flowvae.cli.main", "check", "ablation.toml")  # the one that new-plugin wrote
    assert "2 arms x 6 seeds" in own.stdout
