"""A recipe as a tree whose every value knows where it was written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from flowvae.errors import Place


@define(eq=False)
class Node:
    """A value of a recipe, its place, and the folder that relative paths start from."""

    value: Any
    """A dict or a list of nodes, or a scalar."""
    place: Place
    key_place: Place
    folder: Path = field(repr=False)
    takes_out: bool = False
    """Whether it is a `false` that stands over something."""
    words: str = ""
    """Of a setting of the command line, the text as it was typed: 2024 may be a number or the name of a folder."""

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
    dropped: list[Dropped]


def component_name(node: Node) -> str | None:
    """The component that a table or a string names."""
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, dict) and "use" in node.value and isinstance(node.value["use"].value, str):
        return str(node.value["use"].value)
    return None


def node_at(node: Node, path: str) -> Node | None:
    """The value at a key path, where there is one; of a list of components, by name."""
    for key in path.split("."):
        table = by_name(node) if isinstance(node.value, list) else node.value
        if not isinstance(table, dict) or key not in table:
            return None
        node = table[key]
    return node


def nearest(root: Node, path: str) -> Node:
    """The value at a key path, or what is around it: a default has no place of its own."""
    while path:
        if (found := node_at(root, path)) is not None:
            return found
        path = path.rpartition(".")[0]
    return root


def by_name(node: Node) -> dict[str, Node] | None:
    """The elements of a list under the names of their components; None where they have none, or one has it twice."""
    if not isinstance(node.value, list):
        return None
    names = [component_name(child) for child in node.value]
    found = {bare_name(name): child for name, child in zip(names, node.value, strict=True) if name}
    return found if len(found) == len(node.value) else None


def bare_name(component: str) -> str:
    """A component's name without the distribution that it may be qualified by.

    >>> bare_name("drum-extras:snake")
    'snake'
    """
    return component.rpartition(":")[2]
