"""Every registered component of a kind as the factory that a parent would call."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flowvae.build import Builder
from flowvae.catalogue import REQUIRED, Catalogue, Component
from flowvae.catalogue.signature import toml_like
from flowvae.recipe.resolve import resolve_part

SLOTS = """
activation = "leaky_relu"
normalization = "weight_norm"
downsampler = "strided_conv"
upsampler = "transposed_conv"
head = "plain"
flow = "real_nvp"
"""
"""What fills the slots of a component under test."""


def factories(
    kind: str, catalogue: Catalogue, values: dict[type, Any] | None = None, slots: str = SLOTS
) -> dict[str, Callable[..., Any]]:
    """Qualified name to factory; `values` says what a required key of a type gets, such as a path."""
    return {c.qualified: factory(c, values or {}, slots) for c in catalogue.of_kind(kind)}


def factory(component: Component, values: dict[type, Any], slots: str = SLOTS) -> Callable[..., Any]:
    """One component with its defaults, as its parent would get it."""
    keys = {"use": component.qualified}
    for parameter in component.signature.parameters.values():
        if parameter.default is REQUIRED and parameter.slot is None and parameter.type in values:
            value = values[parameter.type]
            keys[parameter.name] = str(value) if isinstance(value, Path) else value
    part = resolve_part(component.kind, toml_like(keys), component.catalogue, slots)
    return Builder(None).factory(part, component.kind)
