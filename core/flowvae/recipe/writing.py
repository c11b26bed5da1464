"""Writes a resolved recipe as TOML, every value with its origin; reading it back gives the same recipe."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from flowvae.recipe.requirements import requirements
from flowvae.recipe.resolved import Part, Recipe
from flowvae.recipe.values import NONE
from flowvae.text import printable, toml_like


def write_recipe(recipe: Recipe, *, paths: bool = True) -> str:
    """The complete recipe as text; without `paths`, a path keeps only its last part."""
    lines = [f"# The complete recipe {recipe.name}: every value, and where it comes from.", ""]
    lines += (
        [_line("description", recipe.description, recipe.origins, "description")]
        if recipe.description
        else []
    )
    lines.append(_line("seed", recipe.seed, recipe.origins, "seed"))
    if needed := requirements(recipe):
        lines.append(f"requires = {toml_like(needed)}")
    writer = _Writer(recipe.origins, paths)
    for name, table in recipe.tables():
        if isinstance(table, tuple):
            for index, part in enumerate(table):
                lines += writer.table(f"[[{name}]]", name, f"{name}.{index}", part)
            if not table:
                lines.insert(2, f"{name} = []")
        else:
            lines += writer.table(f"[{name}]", name, name, table)
    return "\n".join(lines) + "\n"


def _line(key: str, value: Any, origins: Mapping[str, str], path: str) -> str:
    text = NONE if value is None else value
    origin = origins.get(path, "")
    return f"{key} = {toml_like(text)}" + (f"  # {printable(origin)}" if origin else "")


@attrs.frozen
class _Writer:
    origins: Mapping[str, str]
    paths: bool

    def table(self, header: str, name: str, path: str, value: Any) -> Iterator[str]:
        """A table with its values first and the tables inside it after them."""
        yield ""
        yield header
        inner: list[tuple[str, Any]] = []
        for key, child in self._items(value):
            if isinstance(child, Part) or (isinstance(child, tuple) and child and isinstance(child[0], Part)):
                inner.append((key, child))
            elif isinstance(child, Path):
                yield _line(
                    key,
                    str(child) if self.paths else child.name,
                    self.origins,
                    f"{path}.{key}" if self.paths else "",
                )
            else:
                yield _line(key, child, self.origins, f"{path}.{key}")
        for key, child in inner:
            if isinstance(child, Part):
                yield from self.table(f"[{name}.{key}]", f"{name}.{key}", f"{path}.{key}", child)
            else:
                for index, part in enumerate(child):
                    yield from self.table(f"[[{name}.{key}]]", f"{name}.{key}", f"{path}.{key}.{index}", part)

    def _items(self, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, Part):
            yield "use", value.component.qualified if self._clashes(value) else value.name
            yield from value.values.items()
            yield from value.extras.items()
        else:
            yield from attrs.asdict(value, recurse=False).items()

    @staticmethod
    def _clashes(part: Part) -> bool:
        return len(part.component.catalogue.find(part.component.kind, part.name)) > 1
