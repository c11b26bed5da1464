"""A part: a component with its values, as a resolved recipe holds it in a slot."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

from flowvae.catalogue import Component


@frozen(eq=False)
class Part:
    """A component with its values: what stands in a slot."""

    component: Component
    values: Mapping[str, Any]
    """The component's own keys; a slot holds a Part, or Parts by name."""
    extras: Mapping[str, Any] = attrs.field(factory=dict)
    """Keys of the same table that belong to flowvae, such as the weight of a loss."""

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name

    def parts(self) -> Iterator["Part"]:
        """The part itself and all that stand in its slots."""
        yield self
        for _, child in held({**self.values, **self.extras}):
            yield from child.parts()

    def said(self, *, paths: bool = True) -> str:
        """The component as one reads it: snake(alpha=1.0)."""
        shown = (
            self.values.items()
            if paths
            else ((k, v) for k, v in self.values.items() if not isinstance(v, Path))
        )
        values = [f"{k}={_said(v, paths=paths)}" for k, v in shown]
        return f"{self.name}({', '.join(values)})" if values else self.name


WRITTEN = "written"
"""In what a field of a table knows: the name of its key, where Python keeps that word for itself."""


def written(field: "attrs.Attribute[Any]") -> str:
    """The key of a field, as a recipe writes it."""
    return field.metadata.get(WRITTEN) or field.name


def keys_of(table: Any) -> dict[str, Any]:
    """The keys of a table with their values."""
    return {written(field): getattr(table, field.name) for field in attrs.fields(type(table))}


def from_keys(section: type, values: Mapping[str, Any]) -> Any:
    """The table whose keys have these values."""
    return section(**{field.name: values[written(field)] for field in attrs.fields(section)})


def held(values: Mapping[str, Any]) -> Iterator[tuple[str, Part]]:
    """The parts among some values, those of a slot that holds several under `slot.name`."""
    for key, value in values.items():
        if isinstance(value, Part):
            yield key, value
        elif isinstance(value, Mapping):
            yield from ((f"{key}.{name}", child) for name, child in value.items() if isinstance(child, Part))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key path of a resolved table with its plain value; a component shows as `path.use`."""
    if isinstance(value, Part):
        yield f"{path}.use", value.name
        yield from leaves({**value.values, **value.extras}, path)
    elif attrs.has(type(value)):
        yield from leaves(keys_of(value), path)
    elif isinstance(value, Mapping):
        # What stands in one slot stands in an order, and the order can decide a result.
        if value and all(isinstance(child, Part) for child in value.values()):
            yield path, tuple(value)
        for key, child in value.items():
            yield from leaves(child, f"{path}.{key}" if path else key)
    else:
        yield path, value


def _said(value: Any, *, paths: bool) -> str:
    if isinstance(value, Part):
        return value.said(paths=paths)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_said(v, paths=paths)}" for name, v in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_said(v, paths=paths) for v in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
