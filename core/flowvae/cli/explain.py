"""The verb explain: a component, a kind, a table of a recipe with all its keys, or a recipe. It needs no torch."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from flowvae.catalogue import REQUIRED, Catalogue, Component, Parameter
from flowvae.cli.browse import summary_json
from flowvae.cli.plugins_option import catalogue_of
from flowvae.cli.recipes import recipe_json, recipe_text
from flowvae.cli.strangers_text import cut, on_a_page
from flowvae.errors import UsageError
from flowvae.recipe.keys import Entry, entries, entry_at
from flowvae.recipe.shipped import shipped_recipes
from flowvae.recipe.tables import DEFAULTS, EXTENDS, Recipe, own_keys
from flowvae.text import toml_like

BEFORE_RESOLVING = {"defaults": DEFAULTS, "extends": EXTENDS}
"""What a recipe may say that is gone once it is complete."""


def explain(options: argparse.Namespace) -> int:
    """A component, a kind, a table of a recipe with all its keys, or a recipe that comes with flowvae."""
    catalogue = catalogue_of(options)
    if options.name in BEFORE_RESOLVING:
        before = _before_resolving(catalogue, options.name)
        print(json.dumps(before) if options.json else _before_text(before))
        return 0
    kind_of_name = catalogue.kinds.get(options.name)
    table_of_name = entry_at(Recipe, options.name)
    if kind_of_name or table_of_name:  # or both, for a kind and the table that it stands in may have one name
        said = [_kind_json(catalogue, options.name)] if kind_of_name else []
        words = [_kind_text(found) for found in said]
        if table_of_name:
            said.append(_table_json(options.name, table_of_name))
            words.append(_table_text(options.name, table_of_name))
        print(json.dumps({**said[0], **said[-1]}) if options.json else on_a_page("\n\n".join(words)))
        return 0
    kind, _, name = options.name.rpartition(".")
    found = [
        c
        for (of, n), cs in sorted(catalogue.components.items())
        for c in cs
        if n == name and kind in {"", of}
    ]
    recipe = recipe_json(options.name) if options.name in shipped_recipes() else None
    if not found and not recipe:
        names = {n for _, n in catalogue.components} | {
            *catalogue.kinds,
            *entries(Recipe),
            *BEFORE_RESOLVING,
            *shipped_recipes(),
        }
        near = catalogue.suggest(name, names)
        raise UsageError(
            f'nothing is called "{options.name}"',
            do=f"did you mean {' or '.join(near)}?" if near else "flowvae list",
        )
    if options.json:
        print(json.dumps([*map(_component_json, found), *([recipe] if recipe else [])], indent=1))
        return 0
    texts = [*map(_component_text, found), *([recipe_text(recipe)] if recipe else [])]
    print("\n\n".join(map(on_a_page, texts)))
    return 0


def _before_resolving(catalogue: Catalogue, name: str) -> dict[str, Any]:
    """A key that the complete recipe has no more: its keys, if it is a table, are the kinds."""
    kinds = sorted(catalogue.kinds) if name == "defaults" else []
    return {"table": name, "meaning": BEFORE_RESOLVING[name], "kind": None, "keys": kinds}


def _before_text(said: Mapping[str, Any]) -> str:
    head = f"{said['table']} of a recipe: {said['meaning']}"
    return f"{head}\nIts keys are the kinds: {', '.join(said['keys'])}" if said["keys"] else head


def _kind_json(catalogue: Catalogue, name: str) -> dict[str, Any]:
    kind = catalogue.kinds[name]
    return {
        "kind": name,
        "owner": kind.plugin.owner,
        "contract": kind.source.definition.doc,
        "gives": kind.gives,
        "components": [c.name for c in catalogue.of_kind(name)],
    }


def _kind_text(said: Mapping[str, Any]) -> str:
    gives, names = ", ".join(said["gives"]) or "nothing", ", ".join(said["components"]) or "nothing"
    head = f"{said['kind']}, a kind of {said['owner']}\n\n{said['contract']}"
    return f"{head}\n\nThe parent gives: {gives}\nOn offer: {names}"


def _keys_of(entry: Entry) -> list[Parameter]:
    """The keys of a table: of the recipe itself, by the list that resolving follows too."""
    if entry.section:
        return [key.parameter for key in entries(entry.section).values()]
    inside = entries(entry.table_instead).values() if entry.table_instead else ()
    alone = [entry.parameter, *(key.parameter for key in inside)]
    return list(entry.parameter.slot.own_keys) if entry.parameter.slot else alone


def _table_json(name: str, entry: Entry) -> dict[str, Any]:
    slot, meaning = entry.parameter.slot, entry.parameter.meaning
    keys = [_key_json(key) for key in _keys_of(entry)]
    return {"table": name, "meaning": meaning, "kind": slot.kind if slot else None, "keys": keys}


def _table_text(name: str, entry: Entry) -> str:
    slot, meaning = entry.parameter.slot, entry.parameter.meaning.removesuffix(".")
    takes = f"; takes {'several' if slot.many else 'one'} of kind {slot.kind}" if slot else ""
    return "\n".join([f"[{name}] of a recipe: {meaning}{takes}", *map(_key_line, _keys_of(entry))])


def _key_line(p: Parameter) -> str:
    default = "required" if p.default is REQUIRED else f"default {toml_like(p.default)}"
    return f"  {p.name}: {p.type_name}, {default}" + (f"; {p.meaning}" if p.meaning else "")


def _key_json(p: Parameter) -> dict[str, Any]:
    return {
        "name": p.name,
        "type": p.type_name,
        "slot": p.slot.kind if p.slot else None,
        "required": p.default is REQUIRED,
        "default": None if p.default is REQUIRED else p.default,
        "meaning": p.meaning,
    }


def _component_text(component: Component) -> str:
    signature = component.signature
    lines = [str(component), "", cut(signature.doc), ""]
    if component.facts:
        lines += [", ".join(f"{name} = {toml_like(value)}" for name, value in component.facts.items()), ""]
    keys = [*signature.parameters.values(), *own_keys(component.kind)]
    if not keys:
        return "\n".join([*lines, "It has no keys."])
    return "\n".join([*lines, f'[{component.kind}] use = "{component.name}" takes', *map(_key_line, keys)])


def _component_json(component: Component) -> dict[str, Any]:
    signature = component.signature
    keys = [_key_json(p) for p in (*signature.parameters.values(), *own_keys(component.kind))]
    return {**summary_json(component), "doc": signature.doc, "facts": component.facts, "keys": keys}
