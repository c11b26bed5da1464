"""A slot's kind is found by the class that its annotation means, whoever else has a class of that name."""

import textwrap

import pytest

from flowvae import hookimpl
from flowvae.errors import PluginError
from pretend import catalogue_with, offering, plugin

CONTRACT = """
from typing import Protocol
class {name}(Protocol):
    '''Paints.'''
    def __call__(self, width: int): ...
"""
PART = """
{imports}
def part(*, slot: {annotation}):
    '''A part with a slot.'''
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes modules that can be imported; a package is one without an __init__, so that distributions can share it."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, text):
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    return write


def with_kinds(distribution, **kinds):
    @hookimpl
    def flowvae_kinds(register):
        for kind, contract in kinds.items():
            register(kind, contract)

    return plugin(distribution, flowvae_kinds=flowvae_kinds)


def slot_of(write, imports, annotation, *plugins, module="parts_of_somebody"):
    """The kind of the slot of a component whose source imports and annotates so."""
    write(module, PART.format(imports=imports, annotation=annotation))
    offer = ("activation", "part", f"{module}:part", ("channels",))
    catalogue = catalogue_with(
        *plugins, plugin("fv-parts", flowvae_components=offering(("activation", "part", f"{module}:part")))
    )
    assert not catalogue.broken(), offer
    [part] = catalogue.find("activation", "part")
    return part.signature.parameters["slot"].slot.kind


@pytest.fixture
def two(write, request):
    """Two kinds with one name of a contract: of two distributions that share a package, or of one."""
    top = "acme_" + request.node.name.partition("[")[2].strip("]").translate(str.maketrans("- .", "___"))
    for module in ("colours", "textures"):
        write(f"{top}.{module}", CONTRACT.format(name="Paint"))
    kinds = {"colour": f"{top}.colours:Paint", "texture": f"{top}.textures:Paint"}
    if "two" in top:
        return top, [with_kinds(f"fv-{kind}", **{kind: contract}) for kind, contract in kinds.items()]
    return top, [with_kinds("fv-both", **kinds)]


@pytest.mark.parametrize("kind", ["colour", "texture"])
@pytest.mark.parametrize("distributions", ["one", "two"])
def test_two_kinds_whose_contracts_share_a_name_are_told_apart(kind, distributions, two, write):
    top, plugins = two
    imports = f"from {top}.{kind}s import Paint"
    assert slot_of(write, imports, "Paint", *plugins, module=f"parts_{top}") == kind


REEXPORTS = {
    "by name": ("from .deep import Paint", "Paint"),
    "under another name": ("from .deep import Paint as Tint", "Tint"),
    "where only a checker looks": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .deep import Paint",
        "Paint",
    ),
    "with everything": ("from .other import *\nfrom .deep import *\nfrom .third import *", "Paint"),
    "twice": ("from .other import Paint", "Paint"),
}


@pytest.mark.parametrize("how", REEXPORTS)
def test_a_contract_is_known_through_a_reexport(how, write):
    package = f"reexports_{how.replace(' ', '_')}"
    text, name = REEXPORTS[how]
    write(f"{package}.__init__", text)
    write(f"{package}.deep", CONTRACT.format(name="Paint"))
    write(f"{package}.other", "from .deep import Paint" if how == "twice" else "")
    write(f"{package}.third", "from . import *")  # a circle
    # The kind is registered by one way to its contract, and the slot is annotated by another.
    for registered, imported in (
        (f"{package}.deep:Paint", package),
        (f"{package}:{name}", f"{package}.deep"),
    ):
        imports = f"from {imported} import {name if imported == package else 'Paint'} as Mine"
        module = f"parts_{package}_{imported == package}"
        kind = with_kinds("fv-kind", colour=registered)
        assert slot_of(write, imports, "Mine | None = None", kind, module=module) == "colour"


def test_a_contract_is_known_through_a_package_of_somebody_else(write):
    write("toolbox_of_somebody", "from flowvae.contracts import Activation as Nonlinearity")
    assert (
        slot_of(write, "import toolbox_of_somebody as t", "t.Nonlinearity", module="parts_a") == "activation"
    )
    assert slot_of(write, "from flowvae.contracts.flow import Flow", "Flow", module="parts_b") == "flow"


def test_a_contract_is_known_in_its_own_module(write):
    write("alone_with_kind", CONTRACT.format(name="Paint"))
    kind = with_kinds("fv-kind", colour="alone_with_kind:Paint")
    imports = CONTRACT.format(name="Paint")
    assert (
        slot_of(
            write, imports, "Paint", kind, with_kinds("fv-own", hue="parts_own:Paint"), module="parts_own"
        )
        == "hue"
    )


def test_one_contract_of_two_kinds_is_told_and_not_decided_by_order(write):
    write("shared_contract", CONTRACT.format(name="Paint"))
    kinds = [with_kinds(f"fv-{kind}", **{kind: "shared_contract:Paint"}) for kind in ("colour", "texture")]
    with pytest.raises(PluginError, match=r"shared_contract\.Paint is the contract of colour and of texture"):
        slot_of(write, "from shared_contract import Paint", "Paint", *kinds, module="parts_shared")
