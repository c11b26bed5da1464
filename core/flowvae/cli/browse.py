"""The verbs that show what is on offer: list, explain, doctor. None of them needs torch."""

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from flowvae.building.allocator import allocator_advice
from flowvae.catalogue import REQUIRED, Catalogue, Component, Parameter, Plugin
from flowvae.catalogue.source import SourceError
from flowvae.cli.plugins_option import add_plugin_options, catalogue_of
from flowvae.errors import PluginError, UsageError
from flowvae.recipe.keys import Entry, entries, entry_at
from flowvae.recipe.tables import Recipe, own_keys
from flowvae.text import toml_like


def add_verbs(verbs: Any) -> None:
    """list, explain and doctor."""
    listing = verbs.add_parser("list", help="kinds and components with their owners")
    listing.add_argument("kind", nargs="?", help="only this kind")
    explain = verbs.add_parser(
        "explain", help="a component, a kind, or a table of a recipe, with all its keys"
    )
    explain.add_argument(
        "name",
        nargs="+",
        action=_Path,
        help="a component (its kind before it where several have it), a kind, or a table such as train",
    )
    doctor = verbs.add_parser("doctor", help="every plugin: its state, its import time, what it offers")
    for verb, act in ((listing, _list), (explain, _explain), (doctor, _doctor)):
        verb.add_argument("--json", action="store_true")
        add_plugin_options(verb)
        verb.set_defaults(act=act)


class _Path(argparse.Action):
    """Words as one key path: `explain activation snake` asks for what `explain activation.snake` does."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option: Any = None) -> None:
        setattr(namespace, self.dest, ".".join(values))


def _list(options: argparse.Namespace) -> int:
    catalogue = catalogue_of(options)
    if options.kind and options.kind not in catalogue.kinds:
        near = catalogue.suggest(options.kind, catalogue.kinds)
        raise UsageError(
            f'there is no kind "{options.kind}"', do=f"kinds: {', '.join(near or sorted(catalogue.kinds))}"
        )
    kinds = [options.kind] if options.kind else sorted(catalogue.kinds)
    rows = [(kind, c) for kind in kinds for c in catalogue.of_kind(kind)]
    if options.json:
        print(json.dumps([_summary_json(c) for _, c in rows], indent=1))
        return 0
    width = max((len(c.name) for _, c in rows), default=0)
    owner = max((len(c.plugin.owner) for _, c in rows), default=0)
    for kind in kinds:
        print(kind)
        for component in catalogue.of_kind(kind):
            print(
                f"  {component.name:{width}}  {component.plugin.owner:{owner}}  {_summary(component)}".rstrip()
            )
    for plugin in catalogue.broken():
        print(f"broken: {plugin.owner} (entry point {plugin.name}): {plugin.problem}")
    return 0


def _summary(component: Component) -> str:
    try:
        return component.source.summary
    except SourceError as error:
        return f"broken: {error}"


def _summary_json(component: Component) -> dict[str, Any]:
    return {
        "kind": component.kind,
        "name": component.name,
        "distribution": component.plugin.distribution,
        "version": component.plugin.version,
        "summary": _summary(component),
    }


def _explain(options: argparse.Namespace) -> int:
    catalogue = catalogue_of(options)
    kind_of_name = catalogue.kinds.get(options.name)
    table_of_name = entry_at(Recipe, options.name)
    if kind_of_name or table_of_name:  # or both, for a kind and the table that it stands in may have one name
        said = [_kind_json(catalogue, options.name)] if kind_of_name else []
        words = [_kind_text(found) for found in said]
        if table_of_name:
            said.append(_table_json(options.name, table_of_name))
            words.append(_table_text(options.name, table_of_name))
        print(json.dumps({**said[0], **said[-1]}) if options.json else "\n\n".join(words))
        return 0
    kind, _, name = options.name.rpartition(".")
    found = [
        c
        for (of, n), cs in sorted(catalogue.components.items())
        for c in cs
        if n == name and kind in {"", of}
    ]
    if not found:
        names = {n for _, n in catalogue.components} | {*catalogue.kinds, *entries(Recipe)}
        near = catalogue.suggest(name, names)
        raise UsageError(
            f'nothing is called "{options.name}"',
            do=f"did you mean {' or '.join(near)}?" if near else "flowvae list",
        )
    if options.json:
        print(json.dumps([_component_json(c) for c in found], indent=1))
        return 0
    print("\n\n".join(_component_text(c) for c in found))
    return 0


def _kind_json(catalogue: Catalogue, name: str) -> dict[str, Any]:
    import ast  # noqa: PLC0415 - for the contract's docstring

    kind = catalogue.kinds[name]
    return {
        "kind": name,
        "owner": kind.plugin.owner,
        "contract": ast.get_docstring(kind.source.definition) or "",
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
    return list(entry.parameter.slot.own_keys) if entry.parameter.slot else [entry.parameter]


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
    lines = [str(component), "", signature.doc, ""]
    if component.facts:
        lines += [", ".join(f"{name} = {toml_like(value)}" for name, value in component.facts.items()), ""]
    keys = [*signature.parameters.values(), *own_keys(component.kind)]
    if not keys:
        return "\n".join([*lines, "It has no keys."])
    return "\n".join([*lines, f'[{component.kind}] use = "{component.name}" takes', *map(_key_line, keys)])


def _component_json(component: Component) -> dict[str, Any]:
    signature = component.signature
    keys = [_key_json(p) for p in (*signature.parameters.values(), *own_keys(component.kind))]
    return {**_summary_json(component), "doc": signature.doc, "facts": component.facts, "keys": keys}


def _doctor(options: argparse.Namespace) -> int:
    catalogue = catalogue_of(options)
    offered = defaultdict[Plugin, list[Component]](list)
    for found in catalogue.components.values():
        for component in found:
            offered[component.plugin].append(component)
    rows = [_diagnosis(plugin, catalogue, offered[plugin]) for plugin in catalogue.plugins]
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        print("\n".join([*map(_diagnosis_text, rows), *filter(None, [allocator_advice()])]))
    return (
        PluginError.exit_status if any(row["state"] == "broken" or row["unreadable"] for row in rows) else 0
    )


def _diagnosis(plugin: Plugin, catalogue: Catalogue, offered: list[Component]) -> dict[str, Any]:
    kinds = [f"kind {kind.name}" for kind in catalogue.kinds.values() if kind.plugin is plugin]
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": plugin.state,
        "problem": plugin.problem,
        "trace": plugin.trace,
        "seconds": round(plugin.seconds, 4),
        "offers": kinds + [f"{c.kind} {c.name}" for c in offered],
        "unreadable": [problem for c in offered if (problem := _unreadable(c))],
        "notes": plugin.notes,
    }


def _unreadable(component: Component) -> str:
    """Why a recipe could not name it, or nothing."""
    try:
        _ = component.signature
    except PluginError as error:
        return error.what
    return ""


def _diagnosis_text(row: dict[str, Any]) -> str:
    name = f"{row['distribution']} {row['version']} ({row['name']})"
    lines = [
        f"{name}: {row['state']}, imported in {row['seconds']} s",
        *(f"  {problem}" for problem in [row["problem"], *row["unreadable"], *row["notes"]] if problem),
        f"  offers {', '.join(row['offers']) or 'nothing'}",
    ]
    return "\n".join(lines)
