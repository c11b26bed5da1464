"""A registered component as the factory that a parent would call."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from flowvae.building.builder import Builder
from flowvae.catalogue import REQUIRED, Component
from flowvae.recipe.resolve import resolve_part
from flowvae.text import toml_like

SLOTS = """
activation = "leaky_relu"
normalization = "weight_norm"
downsampler = "strided_conv"
upsampler = "transposed_conv"
head = "plain"
flow = "real_nvp"
pooling = "flatten"
modulation = "film"
"""
"""What fills the slots of a component under test."""


def factory(component: Component, values: Mapping[type | str, Any]) -> Callable[..., Any]:
    """One component with its defaults; `values` says what a required key of a type gets, such as a path, or a key by name."""
    text = toml_like(_keys(component, values))
    part = resolve_part(component.kind, text, component.catalogue, slots_for(component))
    return Builder(None).factory(part, component.kind)


def _keys(component: Component, values: Mapping[type | str, Any]) -> dict[str, Any]:
    """What a recipe would say; a slot for several that must not be empty gets the simplest of its kind."""
    keys: dict[str, Any] = {"use": component.qualified}
    for parameter in component.signature.parameters.values():
        slot = parameter.slot
        wanted = parameter.type if parameter.default is REQUIRED and slot is None else None
        value = values.get(parameter.name, values.get(wanted) if wanted else None)
        if value is not None:
            keys[parameter.name] = str(value) if isinstance(value, Path) else value
        elif slot and slot.many and parameter.default is REQUIRED:
            keys[parameter.name] = {c.name: _keys(c, values) for c in _simplest(slot.kind, component)}
    return keys


def slots_for(component: Component) -> str:
    """What fills the slots under test: flowvae's choice, else the simplest of a kind, its own plugin's first."""
    known = {line.partition(" ")[0] for line in SLOTS.splitlines()}
    lines = [SLOTS]
    for parameter in component.signature.parameters.values():
        if parameter.slot and parameter.slot.kind not in known:
            known.add(parameter.slot.kind)
            lines += [
                f'{parameter.slot.kind} = "{c.qualified}"' for c in _simplest(parameter.slot.kind, component)
            ]
    return "\n".join(lines)


def _simplest(kind: str, owner: Component) -> Iterable[Component]:
    simple = [c for c in owner.catalogue.of_kind(kind) if not _needs_something(c)]
    return sorted(simple, key=lambda c: c.plugin is not owner.plugin)[:1]


def _needs_something(component: Component) -> bool:
    return any(p.slot or p.default is REQUIRED for p in component.signature.parameters.values())
