"""The house: what the core may know, how large it may grow, and that any part can go."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "flowvae"
PLUGIN = ROOT / "components" / "flowvae_components" / "plugin.py"
ENGINE = (
    "catalogue",
    "recipe",
    "building",
    "data",
    "folder",
    "training",
    "evaluation",
    "probe",
    "processes",
    "ablation",
    "worker.py",
    "errors.py",
    "streams.py",
    "text.py",
)
AROUND = ("cli", "contracts", "reference", "report", "statistics")


def python_files(*parts):
    for part in parts:
        path = CORE / part
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def registered_names():
    return set(re.findall(r'register\("\w+", "(\w+)"', PLUGIN.read_text()))


def strings_of(file):
    tree = ast.parse(file.read_text())
    docs = {
        id(n.body[0].value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)
        and n.body
        and isinstance(n.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def lines_of_code(file):
    """Lines without blank ones, comments and docstrings."""
    text = file.read_text()
    documented = set()
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            documented.update(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(
        1 for n, line in lines if line.strip() and not line.strip().startswith("#") and n not in documented
    )


# Words of the language that are also names of components.
COMMON = {"none", "flow", "plain", "folder", "constant", "linear", "kl", "mean", "identity", "precision"}


def test_the_core_names_no_component():
    names = registered_names() - COMMON
    assert len(names) > 25
    said = {(f.name, s) for f in python_files(*ENGINE, *AROUND) for s in strings_of(f) if s in names}
    assert not said


def test_the_core_compares_no_name_with_one_of_the_common_ones_either():
    for file in python_files(*ENGINE):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Compare):
                words = {
                    c.value
                    for c in ast.walk(node)
                    if isinstance(c, ast.Constant) and isinstance(c.value, str)
                }
                assert not words & COMMON, f"{file.name}:{node.lineno}"


def test_every_package_keeps_to_its_budget():
    """The budgets stand beside the import rules in pyproject.toml, with a reason for each that was raised."""
    budgets = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["flowvae"]["lines"]
    parts = {p.name for p in CORE.iterdir() if p.suffix == ".py" or (p.is_dir() and any(p.glob("*.py")))}
    assert {*budgets} == parts
    found = {part: sum(lines_of_code(f) for f in python_files(part)) for part in parts}
    assert not {part: (count, budgets[part]) for part, count in found.items() if count > budgets[part]}


def test_no_file_is_called_after_nothing():
    banned = {"utils", "helpers", "common", "misc", "base", "manager"}
    assert not [p for p in ROOT.rglob("*.py") if p.stem in banned and ".venv" not in p.parts]


PARTS = {
    "activation": ("activations/leaky_relu.py", '"leaky_relu"'),
    "upsampler": ("upsamplers/resize_conv.py", '"resize_conv"'),
    "loss": ("losses/multi_scale_mel.py", '"multi_scale_mel"'),
    "metric": ("metrics/tonal_artefact.py", '"tonal_artefact"'),
    "dataset": ("datasets/folder.py", '"folder"'),
    "head": ("heads/amplitude_modulated.py", '"amplitude_modulated"'),
    "augmentation": ("augmentations/polarity.py", '"polarity"'),
}


# What the components stand on is loaded once; each tree is then looked at by a process of its own that has only that.
WITHOUT = """
import importlib, os, pkgutil, sys
import flowvae, jaxtyping, torch

def look(place, kind, name):
    import flowvae_components, flowvae_components.plugin as plugin
    assert flowvae_components.__file__.startswith(place)
    for module in pkgutil.walk_packages(flowvae_components.__path__, "flowvae_components."):
        importlib.import_module(module.name)
    from flowvae.catalogue import Catalogue, Plugin
    catalogue = Catalogue.of([Plugin("components", "flowvae", "0", module=plugin)])
    assert not catalogue.broken()
    assert not catalogue.find(kind, name)
    for found in catalogue.components.values():
        assert found[0].signature.summary

assert "flowvae_components" not in sys.modules
for given in zip(*[iter(sys.argv[1:])] * 3):
    child = os.fork()
    if not child:
        try:
            sys.path.insert(0, given[0])
            look(*given)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        print(given[1])
"""


@pytest.fixture(scope="module")
def spared(tmp_path_factory):
    """The kinds of which a component can go, and what was said of the others."""
    given = []
    for kind, (file, name) in PARTS.items():
        place = tmp_path_factory.mktemp(kind)
        package = place / "flowvae_components"
        left = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PLUGIN.parent, package, ignore=left)
        (package / file).unlink()
        lines = PLUGIN.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not (f'register("{kind}"' in line and name in line)]
        assert len(kept) == len(lines) - 1
        (package / "plugin.py").write_text("".join(kept))
        given += [str(place), kind, name.strip('"')]
    path = {"PYTHONPATH": os.pathsep.join([str(CORE.parent), *filter(None, sys.path)])}
    command = [sys.executable, "-c", WITHOUT, *given]
    done = subprocess.run(command, env={**os.environ, **path}, capture_output=True, text=True, check=True)
    return done.stdout.split(), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", PARTS)
def test_any_component_can_be_deleted_with_its_one_line(kind, spared):
    kinds, said = spared
    assert kind in kinds, said


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("flowvae.cli.main", {"torch", "numpy", "scipy", "matplotlib", "soundfile", "rich", "jinja2"}),
        ("flowvae.ablation.drive", {"torch", "matplotlib", "rich", "tensorboard"}),
        ("flowvae_components.plugin", {"torch", "numpy"}),
    ],
)
def test_what_needs_no_tensor_imports_none(module, heavy):
    code = f"import {module}, sys; assert not {heavy!r} & set(sys.modules), {heavy!r} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_test_is_named_by_an_address_in_memory(request):
    """Two processes that share the tests have to call them the same."""
    assert not [item.nodeid for item in request.session.items if " at 0x" in item.nodeid]
