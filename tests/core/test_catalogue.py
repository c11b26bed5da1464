import sys
import textwrap
from types import SimpleNamespace

import pytest

from flowvae import hookimpl
from flowvae.catalogue import REQUIRED, Catalogue
from flowvae.catalogue.signature import read_signature
from flowvae.catalogue.source import SourceError, read_target
from flowvae.errors import PluginError, RecipeError
from flowvae.recipe.resolve import resolve_part
from pretend import catalogue_with, offering, plugin


class Squareplus:
    """A soft corner."""

    def __init__(self, *, b: float = 4.0, mode: "str" = "x") -> None: ...


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)

    def module(name, text):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        return name

    return module


def test_a_component_is_known_without_importing_it(module):
    module(
        "heavy_part",
        'raise SystemExit("imported")\nclass Part:\n    """One."""\n    def __init__(self, channels: int, *, a: int = 1) -> None: ...\n',
    )
    catalogue = catalogue_with(
        plugin("heavy", flowvae_components=offering(("activation", "part", "heavy_part:Part")))
    )
    [part] = catalogue.find("activation", "part")
    assert part.signature.given == ("channels",)
    assert part.signature.parameters["a"].default == 1
    assert "heavy_part" not in sys.modules


def test_every_built_in_component_can_be_read(catalogue):
    for components in catalogue.components.values():
        for component in components:
            assert component.signature.summary, component
            for parameter in component.signature.parameters.values():
                assert parameter.slot or parameter.meaning, f"{component}: {parameter.name} is not explained"


@pytest.mark.parametrize("field", ["Formula", "Shapes", "Units", "Source"])
def test_every_built_in_docstring_has_its_fields(catalogue, field):
    missing = [
        str(c)
        for cs in catalogue.components.values()
        for c in cs
        if c.plugin.distribution == "flowvae" and field not in c.fields
    ]
    assert not missing


def test_every_built_in_docstring_has_an_example(catalogue):
    assert not [str(c) for cs in catalogue.components.values() for c in cs if ">>>" not in c.signature.doc]


def test_an_object_can_be_offered_as_it_is():
    catalogue = catalogue_with(
        plugin("notebook", flowvae_components=offering(("activation", "squareplus", Squareplus)))
    )
    [part] = catalogue.find("activation", "squareplus")
    assert part.signature.parameters["b"].default == 4.0
    assert resolve_part("activation", '{ use = "squareplus", b = 2 }', catalogue).values == {
        "b": 2.0,
        "mode": "x",
    }


@pytest.mark.parametrize(
    ("annotation", "value", "refused"),
    [
        ("int", 3, 3.5),
        ("float | None", "none", "x"),
        ("tuple[int, ...]", [1, 2], 1),
        ("tuple[float, float]", [1, 2.0], [1]),
        ("Literal['a', 'b']", "a", "c"),
        ("Path", "somewhere", 1),
        ("Optional[int]", 4, True),
    ],
)
def test_annotations_become_strict_types(module, annotation, value, refused):
    from flowvae.recipe.values import structure

    header = "from typing import *\nfrom typing import Literal, Optional\nfrom pathlib import Path\n"
    name = module(f"m{abs(hash(annotation))}", f"{header}def part(*, a: {annotation}): ...\n")
    parameter = read_signature(read_target(f"{name}:part"), (), lambda _: None).parameters["a"]
    assert parameter.default is REQUIRED
    structure(value, parameter.type)
    with pytest.raises((TypeError, ValueError)):
        structure(refused, parameter.type)


@pytest.mark.parametrize(
    "definition",
    [
        "def part(*, a: dict): ...",
        "def part(*, a): ...",
        "def part(*, a: int = compute()): ...",
        "def part(*, a: int = 1, **rest): ...",
    ],
)
def test_a_signature_that_no_recipe_could_fill_is_refused(module, definition):
    name = module(f"bad{abs(hash(definition))}", definition)
    with pytest.raises(SourceError):
        read_signature(read_target(f"{name}:part"), (), lambda _: None)


def test_a_class_from_elsewhere_is_offered_with_the_names_that_its_parent_gives(module):
    module(
        "foreign", "class Sgd:\n    '''Descends.'''\n    def __init__(self, params, lr: float = 0.1): ...\n"
    )

    @hookimpl
    def flowvae_components(register):
        register("activation", "sgd", "foreign:Sgd", given=("params",))

    catalogue = catalogue_with(plugin("f", flowvae_components=flowvae_components))
    [component] = catalogue.find("activation", "sgd")
    with pytest.raises(PluginError, match="asks its parent for params"):
        _ = component.signature


def test_two_owners_of_one_name_are_told_and_a_qualified_name_decides():
    one = plugin("fv-one", flowvae_components=offering(("activation", "same", Squareplus)))
    two = plugin("fv-two", "2.0", flowvae_components=offering(("activation", "same", Squareplus)))
    for order in ((one, two), (two, one)):
        catalogue = catalogue_with(*order)
        with pytest.raises(RecipeError) as caught:
            resolve_part("activation", '"same"', catalogue)
        [fault] = caught.value.faults
        assert "fv-one 1.0" in fault.what
        assert "fv-two 2.0" in fault.what
        assert resolve_part("activation", '"fv-two:same"', catalogue).component.plugin is two


def raising(register):
    raise RuntimeError("no luck")


def leaving(register):
    sys.exit(7)


def misspelt(register): ...


def wrong(registre): ...


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (plugin("p", flowvae_components=hookimpl(raising)), "RuntimeError: no luck"),
        (plugin("p", flowvae_components=hookimpl(leaving)), "SystemExit: 7"),
        (plugin("p", flowvae_component=hookimpl(misspelt)), "flowvae_component"),
        (plugin("p", flowvae_components=hookimpl(wrong)), "registre"),
        (
            plugin("p", flowvae_components=offering(("activaton", "x", Squareplus))),
            "did you mean activation?",
        ),
    ],
    ids=["raises", "exits", "misspelt hook", "wrong argument", "unknown kind"],
)
def test_a_broken_plugin_is_blamed_and_harms_nobody(broken, problem):
    catalogue = catalogue_with(
        broken, plugin("good", flowvae_components=offering(("activation", "fine", Squareplus)))
    )
    assert catalogue.broken() == [broken]
    assert problem in broken.problem
    assert catalogue.find("activation", "snake")
    assert catalogue.find("activation", "fine")
    broken.state = "ready"


def test_a_misspelt_name_beside_a_broken_plugin_is_still_answered():
    catalogue = catalogue_with(plugin("p", flowvae_components=hookimpl(raising)))
    with pytest.raises(RecipeError) as caught:
        resolve_part("activation", '"snak"', catalogue)
    [fault] = caught.value.faults
    assert fault.suggestions[0].startswith("snake")
    assert "p 1.0 did not load (RuntimeError: no luck)" in fault.accepted


def test_a_plugin_can_add_a_kind_and_another_can_fill_it(module):
    module(
        "colours",
        'from typing import Protocol\nclass Colour(Protocol):\n    """Paints."""\n    def __call__(self, width: int): ...\n',
    )
    module("red", "def red(width, *, shade: float = 0.5):\n    '''Red.'''\n")

    @hookimpl
    def flowvae_kinds(register):
        register("colour", "colours:Colour")

    catalogue = catalogue_with(
        plugin("a-filler", flowvae_components=offering(("colour", "red", "red:red"))),
        plugin("the-kind", flowvae_kinds=flowvae_kinds),
    )
    assert not catalogue.broken()
    assert catalogue.kinds["colour"].gives == ("width",)
    assert resolve_part("colour", "{ use = 'red', shade = 1 }", catalogue).values == {"shade": 1.0}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Writes an installed distribution with one entry point, as pip would leave it."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, module, text="", version="1.0", entry=None, extras=""):
        info = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[flowvae]\n{entry or name} = {module}{extras}\n")
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(text))

    return install


GOOD = """
from flowvae import hookimpl
@hookimpl
def flowvae_components(register):
    register("activation", "{name}", "{module}_part:Part")
"""


def offered(module, name):
    return GOOD.format(module=module, name=name)


ZOO = {
    "raises": ("1 / 0", "ZeroDivisionError"),
    "syntax": ("def (", "SyntaxError"),
    "dependency": ("import no_such_dependency", "No module named 'no_such_dependency'"),
    "exits": ("import sys; sys.exit(7)", "SystemExit: 7"),
}


@pytest.mark.parametrize("animal", ZOO)
def test_a_plugin_that_does_not_load_is_blamed_with_distribution_and_cause(animal, installed):
    text, problem = ZOO[animal]
    installed(f"fv-{animal}", f"fv_{animal}", text, version="1.2")
    catalogue = Catalogue.installed()
    [broken] = catalogue.broken()
    assert (broken.distribution, broken.version) == (f"fv-{animal}", "1.2")
    assert problem in broken.problem
    assert catalogue.find("activation", "snake")


def test_two_distributions_with_one_entry_point_name_both_load(installed):
    for name in ("fv-one", "fv-two"):
        module = name.replace("-", "_")
        installed(name, module, offered(module, module), entry="extras")
    catalogue = Catalogue.installed()
    assert catalogue.find("activation", "fv_one")
    assert catalogue.find("activation", "fv_two")


def test_a_plugin_for_another_api_is_told_by_its_metadata_and_never_imported(installed):
    installed("fv-future", "fv_future", "raise AssertionError('imported')", extras=" [api2,api3]")
    installed("fv-present", "fv_present", offered("fv_present", "present"), extras=" [api1,api2]")
    catalogue = Catalogue.installed()
    [broken] = catalogue.broken()
    assert broken.problem == "written for plugin API 2 and 3; flowvae speaks 1"
    assert "fv_future" not in sys.modules
    assert catalogue.find("activation", "present")


def test_a_plugin_that_is_not_asked_for_is_not_imported(installed):
    installed("fv-quiet", "fv_quiet", "raise AssertionError('imported')")
    catalogue = Catalogue.installed(only=["fv-other"])
    assert not catalogue.broken()
    assert "fv_quiet" not in sys.modules
    assert catalogue.find("activation", "snake")


def test_one_argument_of_a_hook_can_be_deprecated_on_its_own(monkeypatch):
    from flowvae.catalogue import door, hooks

    spec = hooks.hookspec(warn_on_impl_args={"register": DeprecationWarning("say offer instead of register")})
    future = SimpleNamespace(flowvae_components=spec(lambda register: None))
    monkeypatch.setattr(door, "hooks", future)
    used = plugin("fv-old", flowvae_components=offering(("activation", "x", Squareplus)))
    door.call_hook(door.new_manager(), used, "flowvae_components", lambda *_, **__: None)
    assert used.state == "ready"
    assert used.notes == ["say offer instead of register"]


def test_a_recipe_says_which_plugin_it_requires_and_what_to_install(tmp_path):
    from flowvae.recipe import read_recipe, resolve

    path = tmp_path / "a.toml"
    path.write_text(
        'extends = "percussion_small"\nrequires = ["fv-drums>=2"]\n[defaults]\nactivation = "squareplus"\n'
    )
    with pytest.raises(RecipeError) as caught:
        resolve(read_recipe(str(path)), catalogue_with())
    required, unknown = caught.value.faults
    assert required.accepted == "pip install 'fv-drums>=2'"
    assert "fv-drums>=2 is not installed" in unknown.accepted


def test_the_written_recipe_requires_the_plugins_it_uses(tmp_path):
    from flowvae.recipe import read_recipe, resolve
    from flowvae.recipe.writing import write_recipe

    catalogue = catalogue_with(
        plugin("fv-x", "3.1", flowvae_components=offering(("activation", "squareplus", Squareplus)))
    )
    recipe = resolve(read_recipe("percussion_small", ("defaults.activation=squareplus",)), catalogue)
    assert 'requires = ["fv-x==3.1"]' in write_recipe(recipe)


DEADLY = {
    "segfault": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal 11"),
    "leaves at once": ("import os; os._exit(0)", "exit status 0"),
}


@pytest.mark.parametrize("animal", DEADLY)
def test_the_doctor_survives_a_plugin_that_kills_its_process(
    animal, installed, tmp_path, monkeypatch, capsys
):
    import json

    from flowvae.cli.main import main

    text, how = DEADLY[animal]
    installed("fv-deadly", "fv_deadly", text)
    installed("fv-fine", "fv_fine", offered("fv_fine", "fine"))
    (tmp_path / "fv_fine_part.py").write_text(
        "class Part:\n    '''Fine.'''\n    def __init__(self, channels): ...\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert main(["doctor", "--json"]) == 4
    rows = {row["distribution"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["fv-deadly"]["state"] == "broken"
    assert how in rows["fv-deadly"]["problem"]
    assert rows["fv-fine"]["offers"] == ["activation fine"]
    assert "activation snake" in rows["flowvae"]["offers"]
    assert main(["list", "--no-plugins"]) == 0


def test_plugins_can_be_left_out_or_chosen(installed, capsys):
    from flowvae.cli.main import main

    for name in ("fv-one", "fv-two"):
        module = name.replace("-", "_")
        installed(name, module, offered(module, module))
    seen = {}
    for options in ((), ("--plugins", "fv-two"), ("--no-plugins",)):
        assert main(["list", "activation", *options]) == 0
        out = capsys.readouterr().out
        seen[options] = [name for name in ("fv_one", "fv_two", "snake") if f" {name} " in out]
    assert list(seen.values()) == [["fv_one", "fv_two", "snake"], ["fv_two", "snake"], ["snake"]]


MEDDLING = {
    "the working folder": "import os; os.chdir('/')",
    "the state of random": "import random; random.seed(1)",
    "the environment": "import os; os.environ['OMP_NUM_THREADS'] = '64'",
    "the handler of SIGTERM": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "torch's default dtype": "import torch; torch.set_default_dtype(torch.float64)",
    "torch's number of threads": "import torch; torch.set_num_threads(7)",
}


@pytest.mark.parametrize("what", MEDDLING)
def test_a_plugin_that_meddles_is_named_and_the_process_is_as_it_was(what, installed):
    import torch  # so that there is something to meddle with

    state = torch.get_default_dtype(), torch.get_num_threads()
    installed("fv-meddler", f"fv_meddler_{list(MEDDLING).index(what)}", MEDDLING[what])
    catalogue = Catalogue.installed()
    [meddler] = [p for p in catalogue.plugins if p.distribution == "fv-meddler"]
    assert f"it changed {what}; put back" in meddler.notes
    assert (torch.get_default_dtype(), torch.get_num_threads()) == state
    again = Catalogue.installed()
    assert [p.notes for p in again.plugins if p.distribution == "fv-meddler"] == [[]]


def test_a_component_that_meddles_while_it_is_built_is_named():
    import torch

    from flowvae.build import Builder

    class Meddler:
        """Meddles."""

        def __init__(self, channels: int) -> None:
            torch.set_default_dtype(torch.float64)

    theirs = plugin("fv-m", flowvae_components=offering(("activation", "meddler", Meddler)))
    part = resolve_part("activation", '"meddler"', catalogue_with(theirs))
    Builder(0).build(part, "here", channels=1)
    assert theirs.notes == ["it changed torch's default dtype; put back"]
    assert torch.get_default_dtype() == torch.float32


def test_a_slow_import_is_noted(installed, monkeypatch):
    from flowvae.catalogue import door

    monkeypatch.setattr(door, "SLOW_S", 0.05)
    installed("fv-slow", "fv_slow", "import time; time.sleep(0.1)")
    [slow] = [p for p in Catalogue.installed().plugins if p.distribution == "fv-slow"]
    assert slow.notes[0].startswith("its import took 0.1")


@pytest.mark.parametrize(
    "offer", [(1, 2, 3), ("activation", "../evil", Squareplus), ("activation", "z\x1b[31m", Squareplus)]
)
def test_an_offer_without_a_proper_name_is_the_plugins_own_fault(offer):
    odd = plugin("fv-odd", flowvae_components=offering(offer))
    catalogue = catalogue_with(odd)
    assert catalogue.broken() == [odd]
    assert catalogue.find("activation", "snake")


KINDS = sorted(Catalogue.installed().kinds)


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_of_another_kind_is_told_whatever_the_kind(kind, catalogue):
    strangers = [
        (of, name) for of, name in catalogue.components if not catalogue.find(kind, name) and of != kind
    ]
    for of, name in strangers[:: max(1, len(strangers) // 5)]:
        with pytest.raises(RecipeError) as caught:
            resolve_part(kind, f'"{name}"', catalogue)
        [fault] = caught.value.faults
        assert f"{name} is a" in fault.what
        assert of in fault.what
        assert f"this slot takes a{'n' if kind[0] in 'aeiou' else ''} {kind}" in fault.what
