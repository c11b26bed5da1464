"""How one recipe lies over another, and a setting of the command line over both."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli
from attrs import evolve

from flowvae.errors import Fault, Place, RecipeError
from flowvae.recipe.node import Dropped, Node, bare_name, by_name, component_name
from flowvae.recipe.tables import named_slots, slots_with_own_keys
from flowvae.recipe.values import NONE

NAMED = frozenset(named_slots())
"""Key paths whose tables hold parts by name: there, a part that says no `use` is the component of its name."""
OWN_KEYS = dict(slots_with_own_keys())
"""Key path of a slot to the keys of flowvae's own in its tables."""


def lay_over(base: Node, over: Node, path: str, dropped: list[Dropped]) -> Node:
    """One tree over another: tables merge, everything else is replaced, and so is a swapped component."""
    if path in {"ablation.vary", "ablation.across"}:
        return over  # what is varied is one decision: an axis of the base would be one more, unasked for
    if over.value is False:
        return evolve(over, takes_out=over.takes_out or base.value is not False)
    old, new = _component_under(base, path), component_name(over)
    if old is not None and new is not None and bare_name(old) != bare_name(new):
        return _swapped(base, over, path, dropped)
    base_table, over_table = _as_table(base, over, path), _as_table(over, base, path)
    if base_table is None or over_table is None or isinstance(over.value, list):
        return over
    if isinstance(base.value, str) and isinstance(over.value, str):
        return over
    merged = dict(base_table)
    for key, child in over_table.items():
        here = f"{path}.{key}" if path else key
        merged[key] = lay_over(merged[key], child, here, dropped) if key in merged else child
    return evolve(over if isinstance(over.value, dict) else base, value=merged)


def _component_under(node: Node, path: str) -> str | None:
    """The component that a table or a string names, if only by its own name."""
    parent, _, name = path.rpartition(".")
    return component_name(node) or (name if isinstance(node.value, dict) and parent in NAMED else None)


def _swapped(base: Node, over: Node, path: str, dropped: list[Dropped]) -> Node:
    """Another component in the place of one: its keys go with it, and flowvae's own, such as a weight, stay."""
    old, new = _component_under(base, path) or "", component_name(over) or ""
    own = OWN_KEYS.get(path, OWN_KEYS.get(path.rpartition(".")[0], frozenset()))
    table = base.value if isinstance(base.value, dict) else {}
    kept = {key: child for key, child in table.items() if key in own}
    for key, child in table.items():
        if key not in own and key != "use":
            dropped += [Dropped(leaf, node.place, old, new) for leaf, node in child.leaves(f"{path}.{key}")]
    if not kept or over.value == NONE:
        return over
    mine = over.value if isinstance(over.value, dict) else {"use": over}
    return evolve(over, value={**kept, **mine})


def _as_table(node: Node, other: Node, path: str) -> dict[str, Node] | None:
    """A component's name as a table, and a list of components as a table of their names where it meets one."""
    if isinstance(node.value, dict):
        return node.value
    if isinstance(node.value, str):
        return {"use": node}
    return _named(node, other, path) if isinstance(other.value, dict) else None


def _named(node: Node, other: Node, path: str) -> dict[str, Node] | None:
    named = by_name(node)
    if named is None and isinstance(node.value, list) and all(map(component_name, node.value)):
        what = "stands over a list that has one component twice, so their names do not tell them apart"
        fault = Fault(what, other.key_place, path, accepted=how_to_name(path, node))
        raise RecipeError([fault], recipe=other.key_place.label)
    return named


def how_to_name(path: str, node: Node) -> str:
    """How a list that has one component twice is written instead."""
    names = [name for child in node.value if (name := component_name(child))]
    twice = next((name for name in names if names.count(name) > 1), "NAME")
    return f'tables with names of their own: [{path}.first] use = "{twice}", [{path}.second] use = "{twice}"'


def apply_setting(root: Node, setting: str, dropped: list[Dropped]) -> Node:
    """Lays "path=value" over a tree."""
    path, equals, text = setting.partition("=")
    label = f"--set {setting}"
    if not equals or not path.strip():
        place = Place(label, 0, 1, len(setting), setting)
        raise RecipeError([Fault("a setting is PATH=VALUE", place)], recipe="the command line")
    node = _setting_value(text.strip(), label, setting, len(path) + 2)
    if path.strip() == "extends":
        fault = Fault(
            "--set cannot change what a recipe extends: name the other recipe instead", node.key_place
        )
        raise RecipeError([fault], recipe="the command line")
    return set_path(root, path.strip(), node, dropped)


def apply_table(root: Node, path: str, content: Any, dropped: list[Dropped]) -> Node:
    """Lays values of Python over a tree, as `apply_setting` does with text."""
    text = f"{path}={content!r}"
    place = Place(text, 0, 1, len(path), text)
    if path == "extends":
        fault = Fault("nothing can be laid over what a recipe extends: name the other recipe instead", place)
        raise RecipeError([fault], recipe="what was laid over it")
    return set_path(root, path, _settle(_plain(content, path), place, place), dropped)


def _plain(content: Any, path: str) -> Any:
    """A value of Python in the words of a recipe."""
    if isinstance(content, Mapping):
        return {str(key): _plain(child, f"{path}.{key}") for key, child in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(child, path) for child in content]
    if content is None:
        return NONE
    if isinstance(content, Path):
        return str(content)
    if isinstance(content, bool | int | float | str):
        return content
    fault = Fault(f"a {type(content).__name__} is no value of a recipe", path=path)
    raise RecipeError([fault], recipe="what was laid over it")


def _setting_value(text: str, label: str, setting: str, column: int) -> Node:
    place = Place(label, 0, column, max(1, len(text)), setting)
    key_place = Place(label, 0, 1, max(1, column - 2), setting)
    try:
        plain = tomli.loads(f"x = {text}")["x"]
    except (tomli.TOMLDecodeError, RecursionError, ValueError):
        plain = text  # a bare word: the shell has taken the quotes
    return evolve(_settle(plain, place, key_place), words=text)


def _settle(plain: Any, place: Place, key_place: Place) -> Node:
    value: Any = plain
    if isinstance(plain, dict):
        value = {key: _settle(child, place, key_place) for key, child in plain.items()}
    elif isinstance(plain, list):
        value = [_settle(child, place, key_place) for child in plain]
    return Node(value, place, key_place, Path.cwd())


def set_path(root: Node, path: str, node: Node, dropped: list[Dropped]) -> Node:
    """Lays a value over a tree at a key path such as model.decoder.width or losses.multi_scale_mel.weight."""
    return _set_keys(root, path.split("."), "", node, dropped)


def _set_keys(here: Node, keys: list[str], path: str, node: Node, dropped: list[Dropped]) -> Node:
    if not keys:
        return lay_over(here, node, path, dropped)
    key, *rest = keys
    below = f"{path}.{key}" if path else key
    if isinstance(here.value, list) and key.isdigit():
        return evolve(here, value=_set_element(here, keys, below, node, dropped))
    table = _named(here, node, path) if isinstance(here.value, list) else here.value
    if not isinstance(table, dict):
        # Whatever is wrong with the table is the doing of the setting that made it one.
        here = Node({}, node.place, node.key_place, node.folder)
        table = {"use": evolve(here, value=table)} if isinstance(table, str) else {}
    table = dict(table)
    if key in table:
        table[key] = _set_keys(table[key], rest, below, node, dropped)
    else:
        for inner in reversed(rest):
            node = evolve(node, value={inner: node})
        table[key] = node
    return evolve(here, value=table)


def _set_element(here: Node, keys: list[str], below: str, node: Node, dropped: list[Dropped]) -> list[Node]:
    key, *rest = keys
    names = by_name(here)
    if int(key) >= len(here.value) or names:
        what = f'"{key}" is no element of an array of {len(here.value)}'
        if names:
            what = f"parts go by their names and not by a number: {', '.join(names)}"
        raise RecipeError([Fault(what, node.key_place, below)], recipe=node.key_place.label)
    children = list(here.value)
    children[int(key)] = _set_keys(children[int(key)], rest, below, node, dropped)
    return children
