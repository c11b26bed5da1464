"""The value that a node stands for, and which part of it is at fault where it is none."""

from contextlib import suppress
from typing import Any

from flowvae.recipe.node import Node
from flowvae.recipe.values import structure


def value_of(node: Node, kind: Any) -> Any:
    """The value of a node; TypeError or ValueError where it is none.

    What was typed without quotes counts as text where nothing else will do.
    """
    try:
        return structure(node.plain(), kind)
    except (TypeError, ValueError):
        if not node.words or isinstance(node.value, str):
            raise
        with suppress(TypeError, ValueError):
            return structure(node.words, kind)
        raise


def culprit(node: Node, kind: Any) -> Node:
    """The innermost value that is at fault: an element of an array has its own place."""
    if isinstance(node.value, list) and getattr(kind, "__args__", None):
        inner = kind.__args__[0]
        for child in node.value:
            try:
                structure(child.plain(), inner)
            except (TypeError, ValueError):
                return culprit(child, inner)
    return node
