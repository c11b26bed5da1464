"""Reads a recipe file with its bases, and lays them over each other."""

import bisect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli
from attrs import frozen

from flowvae.errors import Fault, Place, RecipeError, shown
from flowvae.recipe.layering import apply_setting, apply_table, lay_over
from flowvae.recipe.node import Dropped, Node, Source
from flowvae.recipe.positions import KeyPath, Span, spans
from flowvae.recipe.shipped import find_recipe, shipped_folder, shipped_recipes

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_LAYERS = 16


def read_recipe(name: str, settings: tuple[str, ...] = (), tables: Mapping[str, Any] | None = None) -> Source:
    """Reads a recipe file, or a shipped recipe by name, with its bases.

    `settings` are "path=value" strings, `tables` values of Python by key path; both are laid over it.
    """
    file = find_recipe(name, Path.cwd())
    if file is None:
        raise RecipeError([_unknown_recipe(name)], recipe=name)
    layers = [*_layers(file).values()]
    dropped: list[Dropped] = []
    root = layers[0]
    for layer in layers[1:]:
        root = lay_over(root, layer, "", dropped)
    for setting in settings:
        root = apply_setting(root, setting, dropped)
    for path, content in (tables or {}).items():
        root = apply_table(root, path, content, dropped)
    # A link is called as its user calls it, although its content lies elsewhere: two links are two recipes.
    given = Path(name).expanduser()
    return Source((given if given.is_file() else file).stem, file, root, dropped)


def _unknown_recipe(name: str, place: Place | None = None) -> Fault:
    from flowvae.catalogue import Catalogue  # noqa: PLC0415 - only for the suggestion

    known = sorted(shipped_recipes())
    near = Catalogue.suggest(name.removesuffix(".toml"), known)
    return Fault(
        f'there is no recipe "{name}"',
        place=place,
        path="extends" if place else "",
        accepted=f"a file, or one of the shipped recipes: {', '.join(known)}",
        suggestions=near,
    )


def files_of(file: Path) -> list[Path]:
    """The files that a recipe is made of: the outermost base first, itself last."""
    return [*_layers(file)]


def _layers(file: Path) -> dict[Path, Node]:
    """The recipe and its bases by their files, the outermost base first."""
    layers: dict[Path, Node] = {}
    seen: list[Path] = []
    while True:
        seen.append(file)
        layer = parse_file(file)
        base = layer.value.pop("extends", None)
        layers = {file: layer, **layers}
        if base is None:
            return layers
        if not isinstance(base.value, str):
            raise RecipeError([Fault("extends takes a string", base.place, "extends")], recipe=shown(seen[0]))
        found = find_recipe(base.value, file.parent)
        if found is None:
            raise RecipeError([_unknown_recipe(base.value, base.place)], recipe=shown(seen[0]))
        if found.suffix != ".toml":  # what else lies on this machine is not a recipe's to show
            raise RecipeError(
                [Fault("extends takes a file that ends in .toml", base.place, "extends")],
                recipe=shown(seen[0]),
            )
        if found in seen or len(seen) == MAX_LAYERS:
            chain = " -> ".join(shown(f) for f in [*seen, found])
            fault = Fault(f"the recipes extend each other in a circle: {chain}", base.place, "extends")
            raise RecipeError([fault], recipe=shown(seen[0]))
        file = found


def parse_file(file: Path) -> Node:
    """One file as a tree; RecipeError where it is no TOML, with the place."""
    label = shown(file)
    try:
        if not file.is_file():
            raise RecipeError([Fault("is not a regular file", Place(label))], recipe=label)
        if file.stat().st_size > MAX_BYTES:
            raise RecipeError(
                [Fault("is larger than 1 MiB, too large for a recipe", Place(label))], recipe=label
            )
        data = file.read_bytes()
    except OSError as error:
        raise RecipeError([Fault(f"cannot be read: {error.strerror}", Place(label))], recipe=label) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        what = f"is not UTF-8: byte 0x{data[error.start]:02x}"
        raise RecipeError([Fault(what, Place(label, line, column))], recipe=label) from error
    # A shipped recipe lies in no place of the user's: what it points to is sought where they stand.
    folder = Path.cwd() if file.parent == shipped_folder().resolve() else file.parent
    return parse_text(text, label, folder)


def parse_text(text: str, label: str, folder: Path) -> Node:
    """TOML as a tree; `label` is how messages call the text."""
    text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    try:
        data = tomli.loads(text)
        found = spans(text)
    except tomli.TOMLDecodeError as error:
        line = lines[error.lineno - 1] if error.lineno <= len(lines) else ""
        place = Place(label, error.lineno, error.colno, 1, line)
        raise RecipeError([Fault(f"is not TOML: {error.msg}", place)], recipe=label) from error
    except (RecursionError, ValueError) as error:
        raise RecipeError(
            [Fault(f"is not a recipe: {_first_line(error)}", Place(label))], recipe=label
        ) from error
    return _Planter(label, folder, lines, _starts(lines), found).plant(data, ())


def _first_line(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).partition("\n")[0]


def _starts(lines: list[str]) -> list[int]:
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    return starts


@frozen(eq=False, repr=False)
class _Planter:
    label: str
    folder: Path
    lines: list[str]
    starts: list[int]
    found: dict[KeyPath, Span]

    def plant(self, data: Any, path: KeyPath) -> Node:
        if len(path) > MAX_DEPTH:
            raise RecipeError(
                [Fault("is nested more than 32 levels deep", Place(self.label))], recipe=self.label
            )
        span = self.found.get(path)
        place = self._place(span.value) if span else Place(self.label)
        key_place = self._place(span.key) if span else Place(self.label)
        value: Any = data
        if isinstance(data, dict):
            value = {key: self.plant(child, (*path, key)) for key, child in data.items()}
        elif isinstance(data, list):
            value = [self.plant(child, (*path, index)) for index, child in enumerate(data)]
        return Node(value, place, key_place, self.folder)

    def _place(self, span: tuple[int, int]) -> Place:
        row = bisect.bisect_right(self.starts, span[0]) - 1
        line = self.lines[row]
        column = span[0] - self.starts[row]
        length = min(span[1] - span[0], len(line) - column)
        return Place(self.label, row + 1, column + 1, length, line)
