"""A JSON Schema (draft-07) of recipes over one catalogue, for editors that complete and check TOML.

It sees one file and not what that file extends, so the tables may leave out what they must have in the end; and to
JSON, 2.0 is a whole number. What an editor accepts is well spelt; `flowvae check` decides.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from flowvae.catalogue import REQUIRED, Catalogue, Component, Parameter, Slot
from flowvae.errors import PluginError
from flowvae.recipe.keys import Entry, entries
from flowvae.recipe.tables import DEFAULTS, EXTENDS, Recipe, own_keys
from flowvae.recipe.values import NONE

Schema = dict[str, Any]

_SCALARS: Mapping[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Path: {"type": "string", "pattern": r"\S"},
    type(None): {"const": NONE},
}


def recipe_schema(catalogue: Catalogue) -> Schema:
    """The schema of every recipe that this catalogue can resolve."""
    kinds = sorted(catalogue.kinds)
    defaults = {kind: _slot(Slot(kind)) for kind in kinds}
    owners = sorted({plugin.owner for plugin in catalogue.plugins})
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A flowvae recipe",
        "description": f"Made by flowvae schema from {', '.join(owners)}.",
        **_table(
            {
                "extends": {"type": "string", "description": EXTENDS},
                **_keys(Recipe),
                "defaults": {"description": DEFAULTS, **_table(defaults)},
            }
        ),
        "definitions": {name: schema for kind in kinds for name, schema in _definitions(catalogue, kind)},
    }


def _table(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _keys(section: type) -> Schema:
    return {name: _entry(entry) for name, entry in entries(section).items()}


def _entry(entry: Entry) -> Schema:
    parameter = entry.parameter
    if entry.section:
        return {"description": parameter.meaning, **_table(_keys(entry.section))}
    if entry.is_free:
        values: Schema = {"type": "string"} if entry.holds_words else {"type": "array", "minItems": 2}
        schema: Schema = {"type": "object", "additionalProperties": values}
    else:
        schema = _slot(parameter.slot) if parameter.slot else dict(_value(parameter.type))
    said = {"description": parameter.meaning, "minimum": parameter.least, "maximum": parameter.most}
    schema |= {name: value for name, value in said.items() if value not in {None, ""}}
    if parameter.default is not REQUIRED:
        schema["default"] = NONE if parameter.default is None else parameter.default
    return schema


def _slot(slot: Slot) -> Schema:
    # anyOf around a single reference: beside a $ref draft-07 reads no other key, and taplo shows no description
    # that stands beside allOf.
    part: Schema = {"anyOf": [{"$ref": f"#/definitions/{slot.kind}"}]}
    if slot.many:
        # Under a name of its own, a part may leave out its component; false takes it out of what is extended.
        named = {"anyOf": [*part["anyOf"], {"const": False}]}
        parts = {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_-]*$", "not": {"const": "use"}},
            "additionalProperties": named,
        }
        listed = {"type": "array", "items": {"anyOf": [{**part, "required": ["use"]}]}}
        return {"anyOf": [parts, listed]}
    if slot.optional:
        part["anyOf"].append({"const": NONE})
    return part


def _value(kind: Any) -> Schema:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _SCALARS:
        return _SCALARS[kind]
    if attrs.has(kind):
        return _table(_keys(kind))
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in {Union, UnionType}:
        return {"anyOf": [_value(a) for a in arguments]}
    if origin is list or ... in arguments:
        return {"type": "array", "items": _value(arguments[0])}
    n = len(arguments)
    items = [_value(a) for a in arguments]
    return {"type": "array", "items": items, "additionalItems": False, "minItems": n, "maxItems": n}


def _definitions(catalogue: Catalogue, kind: str) -> Iterator[tuple[str, Schema]]:
    """A kind as a name or a table, and the table of each of its components."""
    readable: list[Component] = []
    for component in catalogue.of_kind(kind):
        try:
            table = _component(component)
        except PluginError:  # `check` tells; a recipe cannot use it
            continue
        readable.append(component)
        yield _definition(component), table
    # taplo reads no if/then: the constant in `use` tells the tables apart.
    tables = [{"$ref": f"#/definitions/{_definition(c)}"} for c in readable]
    yield kind, {"anyOf": [_names(readable), *tables]} if readable else {"not": {}}


def _definition(component: Component) -> str:
    return f"{component.kind}.{component.plugin.distribution}.{component.name}"


def _component(component: Component) -> Schema:
    signature = component.signature
    added = (*own_keys(component.kind), *_added_by_slots(component))
    keys = {p.name: _entry(Entry(p)) for p in (*signature.parameters.values(), *added)}
    return {"description": signature.summary, **_table({"use": _names([component]), **keys})}


def _added_by_slots(component: Component) -> Iterator[Parameter]:
    """The keys that a part of this kind has in the slots of other components: a table does not say where it stands."""
    for other in (c for found in component.catalogue.components.values() for c in found):
        with suppress(PluginError):
            for parameter in other.signature.parameters.values():
                if parameter.slot and parameter.slot.kind == component.kind:
                    yield from parameter.slot.own_keys


def _names(components: list[Component]) -> Schema:
    """Bare names for editors to offer, where they are clear; qualified ones, which always are, to accept."""
    bare = [c for c in components if len(c.catalogue.find(c.kind, c.name)) == 1]
    qualified = "|".join(c.qualified.replace(".", r"\.") for c in components)
    accepted: list[Schema] = [{"type": "string", "pattern": f"^({qualified})$"}]
    if bare:
        summaries = [c.signature.summary for c in bare]
        offered = {"enum": [c.name for c in bare], "x-taplo": {"docs": {"enumValues": summaries}}}
        accepted.insert(0, offered)
    return {"anyOf": accepted}
