"""What list and explain say of the recipes that come with flowvae. They need no torch."""

from itertools import takewhile
from pathlib import Path
from typing import Any

import tomli

from flowvae.recipe.shipped import shipped_recipes


def recipe_json(name: str) -> dict[str, Any]:
    """A shipped recipe: what it asks or is, what it is laid over, and the remarks at its head.

    >>> recipe_json("rave_v2_small")["extends"]
    'rave_v2.toml'
    """
    words = _words(shipped_recipes()[name])
    table = tomli.loads(words)
    asked = table.get("ablation", {}).get("question", "")
    return {
        "recipe": name,
        "extends": table.get("extends", ""),
        "summary": asked or table.get("description", ""),
        "remarks": "\n".join(_remarks(words)),
    }


def recipes_json() -> list[dict[str, Any]]:
    """All of them, by name."""
    return [recipe_json(name) for name in shipped_recipes()]


def recipe_lines() -> list[str]:
    """A line for each, with its question or description."""
    width = max(map(len, shipped_recipes()))
    return [f"  {said['recipe']:{width}}  {said['summary']}".rstrip() for said in recipes_json()]


def recipe_text(said: dict[str, Any]) -> str:
    """All there is to say of one, and how it is run."""
    base = f", over {said['extends']}" if said["extends"] else ""
    said_of_it = [said["summary"], said["remarks"], f"flowvae-run {said['recipe']}"]
    return "\n\n".join([f"{said['recipe']}, a recipe{base}", *filter(None, said_of_it)])


def _words(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _remarks(words: str) -> list[str]:
    head = takewhile(lambda line: line.startswith("#"), words.splitlines())
    return [line.removeprefix("#").removeprefix(" ") for line in head]
