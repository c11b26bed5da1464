"""Writes a resolved recipe as TOML, every value with its origin; reading it back gives the same recipe."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from flowvae.recipe.part import Part, keys_of
from flowvae.recipe.requirements import requirements
from flowvae.recipe.tables import Recipe
from flowvae.recipe.values import NONE
from flowvae.text import printable, toml_like

SayPath = Callable[[str, Path], str]
"""From a key path and its value to what is written."""


def write_recipe(recipe: Recipe, say_path: SayPath | None = None) -> str:
    """The complete recipe as text; without `say_path`, paths are written as they are."""
    lines = [f"# The complete recipe {printable(recipe.name)}: every value, and where it comes from.", ""]
    origins = {path: _movable(o) for path, o in recipe.origins.items()} if say_path else recipe.origins
    lines += [_line("description", recipe.description, origins, "description")] if recipe.description else []
    lines.append(_line("seed", recipe.seed, origins, "seed"))
    if needed := requirements(recipe):
        lines.append(f"requires = {toml_like(needed)}")
    writer = _Writer(origins, say_path)
    for name, table in recipe.tables():
        lines += writer.table(name, table)
    return "\n".join(lines) + "\n"


def _line(key: str, value: Any, origins: Mapping[str, str], path: str) -> str:
    text = NONE if value is None else value
    origin = origins.get(path, "")
    return f"{key} = {toml_like(text)}" + (f"  # {printable(origin)}" if origin else "")


@attrs.frozen
class _Writer:
    origins: Mapping[str, str]
    say_path: SayPath | None

    def table(self, path: str, value: Any) -> Iterator[str]:
        """A table with its values first and the tables inside it after them."""
        yield ""
        yield f"[{path}]"
        inner: list[tuple[str, Any]] = []
        for key, child in self._items(value):
            here = f"{path}.{key}"
            if isinstance(child, Part | Mapping):
                inner.append((here, child))
            else:
                yield _line(key, self._said(here, child), self.origins, here)
        for here, child in inner:
            yield from self.table(here, child)

    def _said(self, path: str, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._said(path, v) for v in value)
        if isinstance(value, Path):
            return self.say_path(path, value) if self.say_path else str(value)
        return value

    def _items(self, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, Part):
            yield "use", value.component.qualified if self._clashes(value) else value.name
            yield from value.values.items()
            yield from value.extras.items()
        elif isinstance(value, Mapping):
            yield from value.items()
        else:
            yield from keys_of(value).items()

    @staticmethod
    def _clashes(part: Part) -> bool:
        return len(part.component.catalogue.find(part.component.kind, part.name)) > 1


def _movable(origin: str) -> str:
    """An origin that does not say where on this machine things lie: a file by its name, a setting by its key.

    >>> _movable("/home/me/drums.toml:3:7"), _movable('--set data.path="/home/me/drums"')
    ('drums.toml:3:7', '--set data.path')
    """
    file, *rest = origin.rsplit(":", 2)
    if len(rest) == 2 and all(number.isdecimal() for number in rest):
        return ":".join([file.rpartition("/")[2], *rest])
    return origin.partition("=")[0]
