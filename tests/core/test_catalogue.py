import sys
import textwrap

import pytest

from flowvae import hookimpl
from flowvae.catalogue import REQUIRED, Catalogue
from flowvae.catalogue.signature import read_signature
from flowvae.catalogue.source import SourceError, read_target
from flowvae.errors import PluginError, RecipeError
from flowvae.recipe.resolve import resolve_part
from flowvae.streams import initialisation
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


def test_a_component_that_meddles_while_it_is_built_is_named():
    import torch

    from flowvae.building.builder import Builder

    class Meddler:
        """Meddles."""

        def __init__(self, channels: int) -> None:
            torch.set_default_dtype(torch.float64)

    theirs = plugin("fv-m", flowvae_components=offering(("activation", "meddler", Meddler)))
    part = resolve_part("activation", '"meddler"', catalogue_with(theirs))
    Builder(initialisation(0)).build(part, "here", channels=1)
    assert theirs.notes == ["it changed torch's default dtype; put back"]
    assert torch.get_default_dtype() == torch.float32


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


def test_what_a_recipe_does_not_say_that_it_requires_is_told(tmp_path):
    from flowvae.recipe import read_recipe, resolve
    from flowvae.recipe.requirements import unsaid

    catalogue = catalogue_with(
        plugin("Fv-X", "3.1", flowvae_components=offering(("activation", "squareplus", Squareplus)))
    )
    silent = resolve(read_recipe("percussion_small", ("defaults.activation=squareplus",)), catalogue)
    assert unsaid([silent, silent]) == ["Fv-X>=3.1"]
    (tmp_path / "a.toml").write_text(
        'extends = "percussion_small"\nrequires = ["flowvae>0", "flowvae"]\n[defaults]\nactivation = "squareplus"\n'
    )
    assert unsaid([resolve(read_recipe(str(tmp_path / "a.toml")), catalogue)]) == ["Fv-X>=3.1"]
    assert unsaid([resolve(read_recipe("percussion_small"), catalogue)]) == []


def test_the_plugin_that_defines_a_kind_is_needed_where_its_kind_is_used(module):
    from flowvae.recipe.requirements import owners, requirements

    module(
        "tints",
        'from typing import Protocol\nclass Tint(Protocol):\n    """Tints."""\n    def __call__(self): ...\n',
    )
    module("pale", "def pale():\n    '''Pale.'''\n")
    module(
        "tinted",
        "from tints import Tint\nclass Tinted:\n    '''Tinted.'''\n    def __init__(self, channels, *, tint: Tint): ...\n",
    )

    @hookimpl
    def flowvae_kinds(register):
        register("tint", "tints:Tint")

    catalogue = catalogue_with(
        plugin("filler", flowvae_components=offering(("tint", "pale", "pale:pale"))),
        plugin("kinds", flowvae_kinds=flowvae_kinds),
        plugin("user", flowvae_components=offering(("activation", "tinted", "tinted:Tinted"))),
    )
    from flowvae.recipe import read_recipe, resolve

    recipe = resolve(
        read_recipe("percussion_small", ('defaults.activation={ use = "tinted", tint = "pale" }',)), catalogue
    )
    assert owners(recipe) == ["filler", "flowvae", "kinds", "user"]
    assert requirements(recipe) == ["filler==1.0", "kinds==1.0", "user==1.0"]


def test_the_hash_of_a_source_sees_what_it_imports_from_its_own_distribution(tmp_path, monkeypatch):
    from flowvae.catalogue.source import _read_module

    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "hashed"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text(
        "from hashed.shared import f\nimport json\nclass Part:\n    '''A part.'''\n"
    )
    (package / "stranger.py").write_text("")
    (package / "deep.py").write_text("")

    def digest(shared, deep="", stranger=""):
        (package / "shared.py").write_text(f"from . import deep\nfrom .part import Part\n{shared}")
        (package / "deep.py").write_text(deep)
        (package / "stranger.py").write_text(stranger)
        _read_module.cache_clear()
        return read_target("hashed.part:Part").digest

    first = digest("f = 1\n")
    assert digest("f = 2\n") != first
    assert digest("f = 1\n", deep="g = 1\n") != first
    assert digest("f = 1\n", stranger="h = 1\n") == first


def test_identity_sees_the_version_and_the_source_of_a_component(module):
    from flowvae.catalogue.source import _read_module
    from flowvae.recipe import read_recipe, resolve
    from flowvae.recipe.identity import components, identity

    def of(version, body):
        module("versioned", f"class Part:\n    '''A part.'''\n    def __init__(self, channels): {body}\n")
        _read_module.cache_clear()
        theirs = plugin(
            "fv-v", version, flowvae_components=offering(("activation", "part", "versioned:Part"))
        )
        recipe = resolve(
            read_recipe("percussion_small", ("defaults.activation=part",)), catalogue_with(theirs)
        )
        record = components(recipe)["activation fv-v:part"]
        assert (record["distribution"], record["version"]) == ("fv-v", version)
        return identity(recipe, 0, "data")

    first = of("1.0", "...")
    assert of("1.0", "...") == first
    assert of("1.1", "...") != first
    assert of("1.0", "pass") != first


def test_a_name_of_a_distribution_that_is_not_installed_says_so():
    with pytest.raises(RecipeError) as caught:
        resolve_part("activation", '"fv-elsewhere:same"', catalogue_with())
    [fault] = caught.value.faults
    assert 'no plugin called "fv-elsewhere" is installed' in fault.accepted


def test_a_component_that_cannot_be_called_is_blamed_with_its_place():
    from flowvae.building.builder import Builder

    class Unlucky:
        """Unlucky."""

        def __init__(self, channels: int) -> None:
            channels()

    theirs = plugin("fv-u", flowvae_components=offering(("activation", "unlucky", Unlucky)))
    part = resolve_part("activation", '"unlucky"', catalogue_with(theirs))
    with pytest.raises(PluginError, match=r"unlucky \(activation, fv-u 1\.0\) could not be built at here"):
        Builder(initialisation(0)).build(part, "here", channels=1)


def test_an_inherited_constructor_is_read_where_it_stands(module):
    module(
        "elder",
        """
        from torch import nn
        from pathlib import Path as Place
        class Elder(nn.Module):
            \'\'\'Old.

            Parameters:
                a: how old
            \'\'\'
            unit = "years"
            direction = "lower"
            def __init__(self, channels: int, *, a: int = 3, where: Place = "here") -> None: ...
        """,
    )
    module(
        "younger",
        """
        import elder
        class Middle(elder.Elder):
            \'\'\'Between.\'\'\'
            unit = "months"
        class Younger(Middle):
            \'\'\'Young.\'\'\'
        class Own(Middle):
            \'\'\'On its own.\'\'\'
            def __init__(self, channels: int, *, b: float = 1.0) -> None: ...
        """,
    )
    young = read_signature(read_target("younger:Younger"), (), lambda _: None)
    assert young.given == ("channels",)
    assert young.parameters["a"].default == 3
    assert young.parameters["a"].meaning == "how old"
    assert young.parameters["where"].type.__name__ == "Path"
    assert (young.summary, young.constants) == ("Young.", {"unit": "months", "direction": "lower"})
    own = read_signature(read_target("younger:Own"), (), lambda _: None)
    assert list(own.parameters) == ["b"]
    assert own.constants["unit"] == "months"


def test_a_base_that_cannot_be_read_is_no_matter_where_the_constructor_is_at_hand(module):
    name = module(
        "hidden",
        """
        from no_such_module import Base
        class Own(Base):
            \'\'\'Own.\'\'\'
            def __init__(self, *, b: float = 1.0) -> None: ...
        class Lost(Base):
            \'\'\'Lost.\'\'\'
        """,
    )
    assert list(read_signature(read_target(f"{name}:Own"), (), lambda _: None).parameters) == ["b"]
    with pytest.raises(SourceError, match="no_such_module is not installed: write an __init__ of its own"):
        read_signature(read_target(f"{name}:Lost"), (), lambda _: None)
