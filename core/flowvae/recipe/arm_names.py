"""What the arms of an ablation are called: by what makes them different."""

import itertools
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from flowvae.recipe.node import Node, component_name
from flowvae.recipe.values import NONE
from flowvae.text import toml_like

LONGEST = 64
"""Characters of a name."""
MOST_BYTES = 192
"""So that a name of four bytes a letter leaves room for an ending."""
_SIGN = re.compile(r"(?<![\w.])-(?=\d)")
"""Of a number, which would be lost among the hyphens."""


def names_of(axes: Mapping[str, list[Node]]) -> dict[str, list[str]]:
    """A short name for every alternative: the component's, or key and value; told apart where they collide."""
    names: dict[str, list[str]] = {}
    for path, nodes in axes.items():
        key = path.rpartition(".")[2]
        called = _by_a_key_of_all(nodes) or [_called(node, key) for node in nodes]
        short = [
            f"without-{key}"
            if node.value is False and _names_parts(nodes)
            else name
            if name and _whole_slug(name)
            else f"{key}-{_worded(node)}"
            for name, node in zip(called, nodes, strict=True)
        ]
        if len(set(short)) < len(short):
            short = _by_difference(nodes, short)
        names[path] = told_apart(short)
    # One word on two axes, such as a flow on the prior and one on the posterior, says which by the axis's last key.
    counts = Counter(name for short in names.values() for name in set(short[1:]))
    return {
        path: [
            _cut(f"{path.rpartition('.')[2]}-{name}") if counts[name] > 1 and len(names) > 1 else name
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
        said = [_worded(table[key]) if key in table else "" for table in tables]
        if all(said) and len(set(said)) == len(said):
            return [f"{key}-{name}" for name in said]
    return None


def _by_difference(nodes: list[Node], short: list[str]) -> list[str]:
    """Names for alternatives that share a component: by the keys in which they differ."""
    tables = [dict(node.leaves()) if isinstance(node.value, dict) else {} for node in nodes]
    keys = dict.fromkeys(key for table in tables for key in table)
    values = {key: [_worded(table[key]) if key in table else None for table in tables] for key in keys}
    telling = [key for key in keys if len({repr(v) for v in values[key]}) > 1 and not key.endswith("use")]
    names = [
        "-".join(f"{key}-{_worded(table[key])}" for key in telling if key in table) or name
        for table, name in zip(tables, short, strict=True)
    ]
    return names if len(set(names)) == len(names) else [_worded(node) for node in nodes]


def _names_parts(nodes: list[Node]) -> bool:
    """Whether the alternatives are a part and its absence, and no true and false."""
    return any(isinstance(node.value, dict | str) for node in nodes)


def variant_names(axes: Mapping[str, list[Node]], choices: Sequence[Mapping[str, int]]) -> list[str]:
    """What the arm of each choice of alternatives is called; choices that differ outside of the axes share a name."""
    names = names_of(axes)
    chosen = [{path: choice[path] for path in axes} for choice in choices]
    keys = [tuple(choice.values()) for choice in chosen]
    short = {key: _arm_name(names, choice) for key, choice in zip(keys, chosen, strict=True)}
    called = dict(zip(short, told_apart([*short.values()]), strict=True))
    return [called[key] for key in keys]


def _arm_name(names: Mapping[str, list[str]], choice: Mapping[str, int]) -> str:
    """Of the alternatives that are not the baseline's."""
    if len(names) == 1:
        [(path, index)] = choice.items()
        return names[path][index]
    changed = [names[path][index] for path, index in choice.items() if index]
    return "-".join(changed) or "baseline"


def slug(text: str) -> str:
    """A name that every file system takes: letters and digits of any script, small where they have a case.

    >>> slug("Kits/808 (old)"), slug("\u9f13"), slug("../..")
    ('kits-808-old', '\u9f13', 'arm')
    """
    return _cut(_whole_slug(text)) or "arm"


def _cut(name: str) -> str:
    return name[:LONGEST].encode()[:MOST_BYTES].decode(errors="ignore").strip(".-")


def _whole_slug(text: str) -> str:
    # Small letters first: what two names differ in must not be taken away afterwards.
    small = unicodedata.normalize("NFC", text.casefold())
    kept = "".join(c if c in "_." or unicodedata.category(c)[0] in "LMN" else "-" for c in small)
    return "-".join(filter(None, (part.strip(".") for part in kept.split("-"))))


def told_apart(texts: Sequence[str]) -> list[str]:
    """A slug for each of several texts, all different: alike ones by the end in which they differ, or by a number.

    >>> told_apart(["Kits", "kits", "snake"]), told_apart(["a" * 70 + "/old", "a" * 70 + "/new"])
    (['kits', 'kits-2', 'snake'], ['old', 'new'])
    """
    names = [slug(text) for text in texts]
    if len(set(names)) < len(names):
        whole = [_whole_slug(text) for text in texts]
        shared = len(os.path.commonprefix(whole).rpartition("-")[0])  # noqa: RUF071 - names, no paths
        ends = [slug(text[shared:]) for text in whole]
        names = ends if shared > LONGEST // 2 and len(set(ends)) == len(ends) else names
    taken: list[str] = []
    for name in names:
        numbered = (f"{name[: LONGEST - 5]}-{n}" for n in itertools.count(2))
        taken.append(next(one for one in itertools.chain([name], numbered) if one not in {*taken}))
    return taken


def _worded(node: Node) -> str:
    """An alternative as a part of a name, in which 1e16 and 1e-16, 2 and -2 are not one."""
    text = written_as(node)
    return text if isinstance(node.value, str) else _SIGN.sub("minus-", text.replace("e+", "e"))


def written_as(node: Node) -> str:
    """An alternative as the recipe writes it."""
    value = node.plain()
    return value if isinstance(value, str) else toml_like(value)
