"""What a stranger gets: the archive of the sources, and the wheel that is built from it."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import flowvae

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGES = ("LICENSE", "README.md", "CHANGELOG.md", "CITATION.cff", "SECURITY.md")


def build(folder, target, out):
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(out)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    [built] = out.glob("*.tar.gz" if target == "sdist" else "*.whl")
    return built


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The unpacked sdist."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build(ROOT, "sdist", folder)) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"flowvae-{flowvae.__version__}"


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory):
    """The wheel that pip would build from the sdist."""
    with zipfile.ZipFile(build(sources, "wheel", tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


@pytest.mark.parametrize("page", PAGES)
def test_the_archive_of_the_sources_has_the_pages(page, sources):
    assert (sources / page).read_text() == (ROOT / page).read_text()


@pytest.mark.parametrize("folder", ["core", "components", "recipes", "plugins", "tests"])
def test_the_archive_of_the_sources_has_what_is_built_and_what_tests_it(folder, sources):
    def python(root):
        return {p.relative_to(root) for p in (root / folder).rglob("*.py") if "build" not in p.parts}

    assert python(sources) == python(ROOT)


@pytest.mark.parametrize("package", ["flowvae", "flowvae_components"])
def test_type_checkers_may_read_both_packages(package, wheel):
    assert f"{package}/py.typed" in wheel.namelist()


def test_the_wheel_has_recipes_templates_and_licence(wheel):
    names = wheel.namelist()
    assert {f"flowvae/recipes/{p.name}" for p in (ROOT / "recipes").glob("*.toml")} <= set(names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert any(name.endswith(".py.txt") for name in names)
    assert not [name for name in names if "tests" in name.split("/")]


def test_the_metadata_say_licence_people_and_types(wheel):
    [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    text = wheel.read(name).decode()
    for line in ("License-Expression: MIT", "Author: The flowvae authors", "Classifier: Typing :: Typed"):
        assert f"\n{line}\n" in text
    assert "\nKeywords: " in text


def test_the_version_is_the_same_wherever_it_stands():
    assert PROJECT["version"] == flowvae.__version__
    assert f"\nversion: {flowvae.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {flowvae.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_pythons_that_are_named_are_those_that_are_admitted():
    admitted = SpecifierSet(PROJECT["requires-python"])
    versions = [f"3.{minor}" for minor in range(30) if admitted.contains(f"3.{minor}")]
    named = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+", c)]
    assert named == versions
    tried = re.search(r"python: \[(.*)\]", (ROOT / ".github" / "workflows" / "ci.yml").read_text())[1]
    assert {f'"{versions[0]}"', f'"{versions[-1]}"'} <= set(tried.split(", "))


def test_every_link_of_the_front_page_leads_somewhere():
    text = (ROOT / "README.md").read_text()
    places = re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", text)
    folders = re.findall(r"^\| `(\w[\w/]*)` \|", text, re.MULTILINE)
    assert len(places) >= 2
    assert len(folders) >= 5
    missing = [place for place in ["".join(p) for p in places] + folders if not (ROOT / place).exists()]
    assert not missing


def test_the_front_page_keeps_the_blocks_that_are_read_from_it():
    text = (ROOT / "README.md").read_text()
    for marker in ("test command", "example plugin", "python example"):
        assert text.count(f"<!-- {marker} -->\n```") == 1


def test_the_workflow_and_the_hooks_run_what_is_run_at_home():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert workflow.rstrip().endswith("- run: .ci/run")
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"entry: (.*)", hooks) == ["ruff format", "ruff check"]
    assert "repo: local" in hooks
    assert "http" not in hooks
    assert any(r.startswith("ruff") for r in PROJECT["optional-dependencies"]["test"])
