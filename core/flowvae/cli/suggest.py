"""`flowvae suggest RECIPE`: what of a recipe nobody has compared yet."""

import argparse
import json
from typing import Any

from flowvae.cli.plugins_option import catalogue_of
from flowvae.recipe.family import Family, Question, questions
from flowvae.recipe.values import NONE
from flowvae.text import toml_like

SEVERAL = 2
"""Paths that are named before the rest is counted."""


def suggest(options: argparse.Namespace) -> int:
    """The slots of a recipe that no ablation of its family has compared yet."""
    found, family = questions(options.recipe, catalogue_of(options))
    open_ones = [q for q in found if q.left]
    open_ones.sort(key=lambda q: bool(q.compared))
    if options.json:
        print(json.dumps([_fields(q) for q in open_ones], indent=1))
        return 0
    never = [q for q in open_ones if not q.compared]
    print(
        f"{options.recipe}: {len(family.ablations)} ablations share a base with it; of what fills its slots, "
        f"{len(never)} of {len(found)} choices were never compared, {len(open_ones) - len(never)} with a part of what is on offer"
    )
    for question in open_ones:
        print(_line(question))
    slots = [question for question in open_ones if question.left != (NONE,) and family.judge(question.key)]
    if slots:
        print(_example(family, slots[0]))
    for line in family.broken:
        print(f"left out: {line}")
    return 0


def _line(question: Question) -> str:
    paths = ", ".join(question.paths[:SEVERAL])
    more = len(question.paths) - SEVERAL
    where = paths + (f" and {more} more" if more > 0 else "")
    lines = [f"  {question.kind}: {question.now}  ({where})", f"    not compared: {', '.join(question.left)}"]
    if question.compared:
        by = dict.fromkeys(name for names in question.compared.values() for name in names)
        lines.append(f"    compared: {', '.join(sorted(question.compared))} in {', '.join(by)}")
    return "\n".join(lines)


def _example(family: Family, question: Question) -> str:
    arms = toml_like([question.now, question.left[0]])
    metric = family.judge(question.key)
    return (
        f'\nTo ask the first, a file beside it: extends = "{family.base.name}", and\n'
        f'  [ablation]\n  metric = "{metric}"\n  [ablation.vary]\n  "{question.key}" = {arms}'
    )


def _fields(question: Question) -> dict[str, Any]:
    return {
        "kind": question.kind,
        "paths": question.paths,
        "now": question.now,
        "compared": question.compared,
        "left": question.left,
        "vary": question.key,
    }
