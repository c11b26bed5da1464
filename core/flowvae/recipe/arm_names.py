"""What the arms of an ablation are called: by what makes them different."""

from collections import Counter
from collections.abc import Mapping

from flowvae.recipe.node import Node, component_name
from flowvae.recipe.values import NONE
from flowvae.text import toml_like


def names_of(axes: Mapping[str, list[Node]]) -> dict[str, list[str]]:
    """A short name for every alternative: the component's, or key and value; told apart where they collide."""
    names: dict[str, list[str]] = {}
    for path, nodes in axes.items():
        key = path.rpartition(".")[2]
        called = _by_a_key_of_all(nodes) or [_called(node, key) for node in nodes]
        short = [
            f"without-{key}"
            if node.value is False and _names_parts(nodes)
            else name or f"{key}-{slug(written_as(node))}"
            for name, node in zip(called, nodes, strict=True)
        ]
        if len(set(short)) < len(short):
            short = _by_difference(nodes, short)
        names[path] = [slug(name) for name in short]
    # One word on two axes, such as a flow on the prior and one on the posterior, says which by the axis's last key.
    counts = Counter(name for short in names.values() for name in set(short[1:]))
    return {
        path: [
            slug(f"{path.rpartition('.')[2]}-{name}") if counts[name] > 1 and len(names) > 1 else name
            for name in short
        ]
        for path, short in names.items()
    }


def _called(node: Node, key: str) -> str | None:
    """What an alternative goes by: its component, the components of its list, or what the one key of its table goes by."""
    name = component_name(node)
    if name is not None:
        return name if name != NONE else None  # alone, it would not say what is left out
    if isinstance(node.value, list):
        names = [component_name(child) for child in node.value if isinstance(child.value, dict)]
        if not node.value:
            return f"no-{key}"
        return "-".join(map(str, names)) if len(names) == len(node.value) and None not in names else None
    if isinstance(node.value, dict) and len(node.value) == 1:
        [(inner, child)] = node.value.items()
        return _called(child, inner)
    return None


def _by_a_key_of_all(nodes: list[Node]) -> list[str | None] | None:
    """Names for alternatives that are tables of several keys, by the first key that tells all of them apart."""
    tables = [node.value for node in nodes if isinstance(node.value, dict) and "use" not in node.value]
    if len(tables) < len(nodes) or max(map(len, tables)) < 2:
        return None
    for key in tables[0]:
        said = [written_as(table[key]) if key in table else "" for table in tables]
        if all(said) and len(set(said)) == len(said):
            return [f"{key}-{name}" for name in said]
    return None


def _by_difference(nodes: list[Node], short: list[str]) -> list[str]:
    """Names for alternatives that share a component: by the keys in which they differ."""
    tables = [dict(node.leaves()) if isinstance(node.value, dict) else {} for node in nodes]
    keys = dict.fromkeys(key for table in tables for key in table)
    values = {key: [table[key].value if key in table else None for table in tables] for key in keys}
    telling = [key for key in keys if len({repr(v) for v in values[key]}) > 1 and not key.endswith("use")]
    names = [
        "-".join(f"{key}-{table[key].value}" for key in telling if key in table) or name
        for table, name in zip(tables, short, strict=True)
    ]
    return names if len(set(names)) == len(names) else [slug(written_as(node)) for node in nodes]


def _names_parts(nodes: list[Node]) -> bool:
    """Whether the alternatives are a part and its absence, and no true and false."""
    return any(isinstance(node.value, dict | str) for node in nodes)


def arm_name(names: dict[str, list[str]], choice: dict[str, int]) -> str:
    """Of the alternatives that are not the baseline's."""
    if len(names) == 1:
        [(path, index)] = choice.items()
        return names[path][index]
    changed = [names[path][index] for path, index in choice.items() if index]
    return "-".join(changed) or "baseline"


def slug(text: str) -> str:
    """A name that every file system takes."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_.") else "-" for c in text.lower())
    return "-".join(filter(None, kept.split("-")))[:64] or "arm"


def written_as(node: Node) -> str:
    """An alternative as the recipe writes it."""
    value = node.plain()
    return value if isinstance(value, str) else toml_like(value)
