"""A JSON Schema (draft-07) of recipes over one catalogue, for editors that complete and check TOML.

It sees one file and not what that file extends, so the tables may leave out what they must have in the end; and to
JSON, 2.0 is a whole number. An editor that finds nothing wrong has found no typing mistake; `flowvae check` decides.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from flowvae.catalogue import REQUIRED, Catalogue, Component, Parameter, Slot
from flowvae.errors import PluginError
from flowvae.recipe.values import NONE
from flowvae.reference.tables import DEFAULTS, TOP_KEYS, Key, Section, own_keys, tables

Schema = dict[str, Any]

_SCALARS: Mapping[Any, Schema] = MappingProxyType(
    {
        bool: {"type": "boolean"},
        int: {"type": "integer"},
        float: {"type": "number"},
        str: {"type": "string"},
        Path: {"type": "string", "pattern": r"\S"},
        type(None): {"const": NONE},
    }
)


def recipe_schema(catalogue: Catalogue) -> Schema:
    """The schema of every recipe that this catalogue can resolve."""
    keys = {name: _key(Key(parameter)) for name, parameter in TOP_KEYS.items()}
    owners = sorted({plugin.owner for plugin in catalogue.plugins})
    whole = _table({**keys, **dict(_tables()), "defaults": _defaults(catalogue)})
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A flowvae recipe",
        "description": f"Made by flowvae schema from {', '.join(owners)}.",
        **whole,
        "definitions": {name: schema for kind in sorted(catalogue.kinds) for name, schema in _kind(catalogue, kind)},
    }


def _table(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _tables() -> Iterator[tuple[str, Schema]]:
    for table in tables():
        if isinstance(table, Section):
            keys = {key.parameter.name: _key(key) for key in table.keys}
            yield table.name, {"description": table.summary, **_table(keys)}
        else:
            yield table.parameter.name, _key(table)


def _defaults(catalogue: Catalogue) -> Schema:
    fills = {
        kind: {"description": f"What fills every {kind} slot that does not say otherwise.", **_slot(Slot(kind), catalogue)}
        for kind in sorted(catalogue.kinds)
    }
    return {"description": DEFAULTS, **_table(fills)}
