"""Every registered component, third-party ones included, keeps the contract of its kind."""

from pathlib import Path

import pytest
import torch

from flowvae.catalogue import Catalogue
from flowvae.testing import checks
from flowvae.testing.conformance import write_sounds
from flowvae.testing.reference import write_network
from flowvae.testing.registered import factory

CATALOGUE = Catalogue.installed()
CASES = [
    pytest.param(component, check, id=f"{component.kind}-{component.name}-{check.__name__}")
    for kind in sorted(CATALOGUE.kinds)
    for component in CATALOGUE.of_kind(kind)
    for check in checks(kind, CATALOGUE)
]

# At their published width some have 41 million weights, which says no more. Not narrower: see test_encoders_decoders.
SMALLER = {
    "discriminator": {"width": 16},
    "encoder": {"width": 16, "frame_channels": 32},
    "decoder": {"width": 16, "frame_channels": 32},
}


@pytest.fixture(scope="session")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    write_sounds(folder)
    write_network(folder)
    return folder


@pytest.mark.parametrize(("component", "check"), CASES)
def test_a_component_keeps_its_contract(component, check, sounds):
    torch.manual_seed(0)
    # Of a set that makes its sounds, as many as the checks look at: each of them reads all.
    path = sounds / "network.ts" if component.kind == "reference" else sounds
    check(factory(component, {Path: path, "n_sounds": 48, **SMALLER.get(component.kind, {})}))


def test_every_kind_has_checks():
    assert not [kind for kind in CATALOGUE.kinds if not checks(kind, CATALOGUE)]


def test_every_component_is_checked():
    components = {(c.kind, c.qualified) for cs in CATALOGUE.components.values() for c in cs}
    checked = {(case.values[0].kind, case.values[0].qualified) for case in CASES}
    assert components == checked
