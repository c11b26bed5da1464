"""What an ablation is run across: one more key, at each value of which every arm has a baseline of its own."""

from collections.abc import Iterator, Mapping

from flowvae.errors import Fault
from flowvae.recipe.node import Node, node_at
from flowvae.text import toml_like

PATH = "ablation.across"
Axis = Mapping[str, list[Node]]
"""Key path to values; of what an ablation is run across there is one, or none."""


def axis_across(root: Node) -> Axis | None:
    """The key path with its values, nothing where there is none; None where that is not one key path with values."""
    node = node_at(root, PATH)
    if node is None or node.value == {}:
        return {}
    lists = {path: values.value for path, values in _table(node).items() if isinstance(values.value, list)}
    return lists if len(lists) == len(_table(node)) == 1 and all(lists.values()) else None


def _table(node: Node) -> dict[str, Node]:
    return node.value if isinstance(node.value, dict) else {}


def faults_of_across(root: Node) -> Iterator[Fault]:
    """What can be wrong with the axis as a whole: how many there are, what stands twice, what is varied too."""
    node = node_at(root, PATH)
    if node is None or not _table(node):
        return
    if len(node.value) > 1:
        what = f"names {len(node.value)} key paths, and an ablation is run across one at a time"
        yield Fault(what, node.place, PATH, accepted=f"one of {', '.join(node.value)}")
    crossed = node_at(root, "ablation.cross")
    if crossed is not None and crossed.value is True:
        what = "does not go with cross = true: crossed arms are told by factors, which have no baseline at each value"
        first = next(iter(node.value))
        yield Fault(what, node.place, PATH, accepted=f"one of them, such as {first} under ablation.vary")
    yield from _also_varied(root, node)
    for path, values in (axis_across(root) or {}).items():
        seen: list[object] = []
        for value in values:
            if value.plain() in seen:
                what = f"{toml_like(value.plain())} stands there twice"
                yield Fault(what, value.place, f'{PATH}."{path}"')
            seen.append(value.plain())


def _also_varied(root: Node, across: Node) -> Iterator[Fault]:
    """A value of the axis would stand over what an arm changes, and the arms of that value would all be one."""
    vary = node_at(root, "ablation.vary")
    varied = _table(vary) if vary is not None else {}
    for path, values in across.value.items():
        for other in varied:
            if f"{other}.".startswith(f"{path}."):
                yield Fault(
                    f"{other} is varied as well, and {path} would stand over it", values.key_place, PATH
                )
