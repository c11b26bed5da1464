import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from flowvae.testing import checks

pytestmark = pytest.mark.slow  # each plugin in processes of its own

PLUGINS = Path(__file__).parents[2] / "plugins"
OFFERS = {
    "aisfx": {"metric": {"aisfx_distance"}},
    "zuko": {"flow": {"zuko_maf", "zuko_nsf"}},
    "antialias": {"activation": {"alias_free_snake"}},
    "onset": {"envelope": {"peak", "rms"}, "loss": {"envelope_loss"}},
}
RECIPES = {
    "zuko_nsf": '[defaults]\nflow = { use = "zuko_nsf", n_bins = 4 }\n',
    "alias_free_snake": '[defaults]\nactivation = "alias_free_snake"\n',
    "envelope_loss": '[[losses]]\nuse = "envelope_loss"\nweight = 0.1\nenvelope = "rms"\n',
}


def project(name):
    return PLUGINS / f"flowvae_{name}"


@pytest.fixture(scope="module")
def everything(environment_with):
    """A Python with all our plugins."""
    return environment_with(*map(project, OFFERS))


@pytest.fixture(scope="module")
def listed(everything):
    return json.loads(everything.flowvae("list", "--json").stdout)


@pytest.mark.parametrize("name", OFFERS)
def test_what_a_plugin_offers_is_listed_with_its_owner(name, listed):
    mine = [row for row in listed if row["distribution"] == f"flowvae-{name}"]
    assert {row["version"] for row in mine} == {"0.1.0"}
    assert {row["name"] for row in mine} == set().union(*OFFERS[name].values())
    for kind, names in OFFERS[name].items():
        assert {row["name"] for row in mine if row["kind"] == kind} == names


@pytest.mark.parametrize("component", RECIPES)
def test_a_recipe_takes_a_component_by_its_name(component, everything, tmp_path):
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'extends = "percussion_small"\n{RECIPES[component]}')
    done = everything.flowvae("diff", "percussion_small", str(recipe))
    assert done.returncode == 0, done.stderr
    assert f'-> "{component}"' in done.stdout


def test_a_wrong_envelope_is_answered_with_the_ones_there_are(everything, tmp_path):
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'extends = "percussion_small"\n{RECIPES["envelope_loss"].replace("rms", "rns")}')
    done = everything.flowvae("check", str(recipe))
    assert done.returncode == 2
    assert "did you mean rms (envelope, flowvae-onset 0.1.0)?" in done.stderr


def test_a_plugin_whose_weights_are_not_there_says_what_to_install(everything):
    """Its own tests bring weights, and the public checks run there."""
    done = everything.flowvae("check-plugin", "flowvae-aisfx", "--json")
    failed = [row for row in json.loads(done.stdout)["results"] if row["state"] != "ok"]
    assert {row["subject"].partition(" ")[0] for row in failed} <= {"aisfx_distance"}
    assert all("pip install --no-deps aisfx==0.1.2" in row["advice"] for row in failed)
    assert bool(failed) == (find_spec("aisfx") is None)


@pytest.mark.parametrize("name", sorted(OFFERS.keys() - {"aisfx"}))
def test_a_plugin_passes_the_public_checks(name, everything):
    done = everything.flowvae("check-plugin", f"flowvae-{name}", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)["results"]
    assert {row["state"] for row in results} == {"ok"}
    subjects = {row["subject"].partition(" ")[0] for row in results}
    assert subjects == {"plugin"}.union(*OFFERS[name].values())


def test_a_kind_of_a_plugin_is_checked_by_the_checks_that_it_brings(everything):
    done = everything.flowvae("check-plugin", "rms", "--json")
    said = {row["check"] for row in json.loads(done.stdout)["results"]}
    assert "a_constant_is_its_own_envelope" in said
    assert not checks("envelope")


def test_the_plugins_pass_tests_of_their_own(everything, tmp_path):
    done = everything.python(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(project("onset") / "pyproject.toml")),
        *(str(project(name) / folder) for name in OFFERS for folder in ("src", "tests")),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
