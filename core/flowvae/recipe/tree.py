"""A recipe as a tree whose every value knows where it was written; and how one recipe lies over another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomli
from attrs import define, evolve, field, frozen

from flowvae.errors import Fault, Place, RecipeError, shown
from flowvae.recipe.positions import KeyPath, Span, spans
from flowvae.recipe.shipped import find_recipe

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_LAYERS = 16


@define(eq=False)
class Node:
    """A value of a recipe, its place, and the folder that relative paths start from."""

    value: Any
    """A dict or a list of nodes, or a scalar."""
    place: Place
    key_place: Place
    folder: Path = field(repr=False)

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def leaves(self, path: str = "") -> Iterator[tuple[str, "Node"]]:
        """Every scalar with its key path."""
        children = (
            self.value.items()
            if isinstance(self.value, dict)
            else enumerate(self.value)
            if isinstance(self.value, list)
            else ()
        )
        if not isinstance(self.value, dict | list):
            yield path, self
        for key, child in children:
            yield from child.leaves(f"{path}.{key}" if path else str(key))


@frozen
class Dropped:
    """A value of a base recipe that belonged to a component which was replaced."""

    path: str
    place: Place
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path} ({self.place}) was for {self.old}; {self.new} replaces it"


@define
class Source:
    """A recipe with its bases laid under it, before it is checked."""

    name: str
    file: Path
    root: Node
    files: tuple[Path, ...]
    dropped: list[Dropped]


def read_recipe(name: str, settings: tuple[str, ...] = ()) -> Source:
    """Reads a recipe file, or a shipped recipe by name, with its bases; `settings` are "path=value" strings."""
    file = find_recipe(name, Path.cwd())
    if file is None:
        raise RecipeError([_unknown_recipe(name)], recipe=name)
    layers = _layers(file)
    dropped: list[Dropped] = []
    root = layers[0]
    for layer in layers[1:]:
        root = lay_over(root, layer, "", dropped)
    for setting in settings:
        root = apply_setting(root, setting, dropped)
    files = tuple(dict.fromkeys(layer.folder / Path(layer.place.label).name for layer in layers))
    return Source(file.stem, file, root, files, dropped)


def _unknown_recipe(name: str, place: Place | None = None) -> Fault:
    from flowvae.catalogue import Catalogue  # noqa: PLC0415 - only for the suggestion
    from flowvae.recipe.shipped import shipped_recipes  # noqa: PLC0415

    known = sorted(shipped_recipes())
    near = Catalogue.suggest(name.removesuffix(".toml"), known)
    return Fault(
        f'there is no recipe "{name}"',
        place=place,
        path="extends" if place else "",
        accepted=f"a file, or one of the shipped recipes: {', '.join(known)}",
        suggestions=near,
    )


def _layers(file: Path) -> list[Node]:
    """The recipe and its bases, the outermost base first."""
    layers: list[Node] = []
    seen: list[Path] = []
    while True:
        seen.append(file)
        layer = parse_file(file)
        base = layer.value.pop("extends", None)
        layers.insert(0, layer)
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
    return parse_text(text, label, file.parent)


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


@frozen
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
        import bisect  # noqa: PLC0415 - faults are rare

        row = bisect.bisect_right(self.starts, span[0]) - 1
        line = self.lines[row]
        column = span[0] - self.starts[row]
        length = min(span[1] - span[0], len(line) - column)
        return Place(self.label, row + 1, column + 1, length, line)


def lay_over(base: Node, over: Node, path: str, dropped: list[Dropped]) -> Node:
    """One tree over another: tables merge, everything else is replaced, and so is a swapped component."""
    if path == "ablation.vary":
        return over  # what is varied is one decision: an axis of the base would be one more, unasked for
    old, new = component_name(base), component_name(over)
    if old is not None and new is not None and old != new:
        dropped += [
            Dropped(leaf, node.place, old, new)
            for leaf, node in base.leaves(path)
            if isinstance(base.value, dict) and not leaf.endswith(".use")
        ]
        return over
    base_table, over_table = _as_table(base), _as_table(over)
    if (
        base_table is None
        or over_table is None
        or (isinstance(base.value, str) and new is None and old is None)
    ):
        return over
    if isinstance(base.value, str) and isinstance(over.value, str):
        return over
    merged = dict(base_table)
    for key, child in over_table.items():
        here = f"{path}.{key}" if path else key
        merged[key] = lay_over(merged[key], child, here, dropped) if key in merged else child
    return evolve(over if isinstance(over.value, dict) else base, value=merged)


def component_name(node: Node) -> str | None:
    """The component that a table or a string names."""
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, dict) and "use" in node.value and isinstance(node.value["use"].value, str):
        return str(node.value["use"].value)
    return None


def _as_table(node: Node) -> dict[str, Node] | None:
    if isinstance(node.value, dict):
        return node.value
    if isinstance(node.value, str):
        return {"use": node}
    return None


def apply_setting(root: Node, setting: str, dropped: list[Dropped]) -> Node:
    """Lays "path=value" over a tree."""
    path, equals, text = setting.partition("=")
    label = f"--set {setting}"
    if not equals or not path.strip():
        place = Place(label, 0, 1, len(setting), setting)
        raise RecipeError([Fault("--set takes PATH=VALUE", place)], recipe="the command line")
    node = _setting_value(text.strip(), label, setting, len(path) + 2)
    if path.strip() == "extends":
        fault = Fault(
            "--set cannot change what a recipe extends: name the other recipe instead", node.key_place
        )
        raise RecipeError([fault], recipe="the command line")
    return set_path(root, path.strip(), node, dropped)


def _setting_value(text: str, label: str, setting: str, column: int) -> Node:
    place = Place(label, 0, column, max(1, len(text)), setting)
    key_place = Place(label, 0, 1, max(1, column - 2), setting)
    try:
        plain = tomli.loads(f"x = {text}")["x"]
    except (tomli.TOMLDecodeError, RecursionError, ValueError):
        plain = text  # a bare word: the shell has taken the quotes
    return _settle(plain, place, key_place)


def _settle(plain: Any, place: Place, key_place: Place) -> Node:
    value: Any = plain
    if isinstance(plain, dict):
        value = {key: _settle(child, place, key_place) for key, child in plain.items()}
    elif isinstance(plain, list):
        value = [_settle(child, place, key_place) for child in plain]
    return Node(value, place, key_place, Path.cwd())


def node_at(node: Node, path: str) -> Node | None:
    """The value at a key path, where there is one."""
    for key in path.split("."):
        children = dict(enumerate(node.value)) if isinstance(node.value, list) else node.value
        name = int(key) if isinstance(node.value, list) and key.isdigit() else key
        if not isinstance(children, dict) or name not in children:
            return None
        node = children[name]
    return node


def set_path(root: Node, path: str, node: Node, dropped: list[Dropped]) -> Node:
    """Lays a value over a tree at a key path such as model.decoder.width or losses.0.weight."""
    return _set_keys(root, path.split("."), path, node, dropped)


def _set_keys(here: Node, keys: list[str], path: str, node: Node, dropped: list[Dropped]) -> Node:
    if not keys:
        return lay_over(here, node, path, dropped)
    key, *rest = keys
    if isinstance(here.value, list):
        if not key.isdigit() or int(key) >= len(here.value):
            fault = Fault(f'"{key}" is no element of an array of {len(here.value)}', node.key_place, path)
            raise RecipeError([fault], recipe=node.key_place.label)
        children = list(here.value)
        children[int(key)] = _set_keys(children[int(key)], rest, path, node, dropped)
        return evolve(here, value=children)
    if not isinstance(here.value, dict):
        # Whatever is wrong with the table is the doing of the setting that made it one.
        here = Node(_as_table(here) or {}, node.place, node.key_place, node.folder)
    table = dict(here.value)
    if key in table:
        table[key] = _set_keys(table[key], rest, path, node, dropped)
    else:
        for inner in reversed(rest):
            node = evolve(node, value={inner: node})
        table[key] = node
    return evolve(here, value=table)
