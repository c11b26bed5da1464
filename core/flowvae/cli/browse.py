"""The verbs that show what is on offer: list and doctor. They need neither torch nor a recipe."""

import argparse
import json
import sys
from collections import defaultdict
from importlib.machinery import PathFinder
from typing import Any

from flowvae.building.allocator import allocator_advice
from flowvae.catalogue import Catalogue, Component, Plugin
from flowvae.catalogue.source import SourceError
from flowvae.cli.plugins_option import catalogue_of
from flowvae.cli.strangers_text import in_a_line
from flowvae.errors import PluginError, UsageError, shown
from flowvae.text import printable, shortened

RECIPES = "recipes"
"""What list calls the recipes that come with flowvae, beside the kinds."""


def listing(options: argparse.Namespace) -> int:
    """Kinds and components with their owners, or the recipes that come with flowvae."""
    if options.kind == RECIPES:
        from flowvae.cli.recipes import recipe_lines, recipes_json  # noqa: PLC0415 - reads TOML; other lists do not

        print(json.dumps(recipes_json(), indent=1) if options.json else "\n".join([RECIPES, *recipe_lines()]))
        return 0
    catalogue = catalogue_of(options)
    if options.kind and options.kind not in catalogue.kinds:
        near = catalogue.suggest(options.kind, catalogue.kinds)
        raise UsageError(
            f'there is no kind "{options.kind}"',
            do=f"kinds: {', '.join(near or sorted(catalogue.kinds))}; or {RECIPES}",
        )
    kinds = [options.kind] if options.kind else sorted(catalogue.kinds)
    rows = [(kind, c) for kind in kinds for c in catalogue.of_kind(kind)]
    if options.json:
        print(json.dumps([summary_json(c) for _, c in rows], indent=1))
        return 0
    width = max((len(c.name) for _, c in rows), default=0)
    owner = max((len(c.plugin.owner) for _, c in rows), default=0)
    for kind in kinds:
        print(kind)
        for component in catalogue.of_kind(kind):
            line = f"  {component.name:{width}}  {component.plugin.owner:{owner}}  {_summary(component)}"
            print(printable(line.rstrip()))
    if not options.kind:
        print(f"{RECIPES}: flowvae list {RECIPES}")
    for plugin in catalogue.broken():
        print(printable(f"broken: {plugin.owner} (entry point {plugin.name}): {shortened(plugin.problem)}"))
    return 0


def _summary(component: Component) -> str:
    try:
        return in_a_line(component.source.summary)
    except SourceError as error:
        return in_a_line(f"broken: {error}")


def summary_json(component: Component) -> dict[str, Any]:
    """A component in a line, for programs."""
    return {
        "kind": component.kind,
        "name": component.name,
        "distribution": component.plugin.distribution,
        "version": component.plugin.version,
        "summary": _summary(component),
    }


def doctor(options: argparse.Namespace) -> int:
    """Every plugin: its state, its import time, what it offers."""
    catalogue = catalogue_of(options, silent_too=True)
    offered = defaultdict[Plugin, list[Component]](list)
    for found in catalogue.components.values():
        for component in found:
            offered[component.plugin].append(component)
    rows = [_diagnosis(plugin, catalogue, offered[plugin]) for plugin in catalogue.plugins]
    if options.report is not None:
        from flowvae.cli.bug_report import write_report  # noqa: PLC0415 - asks for versions, which takes longer than the rest

        write_report(options.report, rows)
        print(
            f"report: {shown(options.report)}; without paths, but read it before you send it", file=sys.stderr
        )
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
        "place": place_of(plugin),
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


def place_of(plugin: Plugin) -> str:
    """The file that its module would be imported from; nothing where there is none. Nothing is imported for it."""
    top = plugin.module_name.partition(".")[0]
    found = PathFinder.find_spec(top) if top else None
    return (found and found.origin) or ""


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
        *([f"  from {row['place']}"] if row["place"] else []),
        *(f"  {in_a_line(said)}" for said in [row["problem"], *row["unreadable"], *row["notes"]] if said),
        f"  offers {', '.join(row['offers']) or 'nothing'}",
    ]
    return "\n".join(map(printable, lines))
