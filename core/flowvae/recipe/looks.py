"""What can be wrong with looks that a recipe plans, beyond the limits of each number."""

from collections.abc import Iterator

from flowvae.errors import Fault
from flowvae.recipe.node import Node, node_at

PATH = "ablation.seeds"


def faults_of_looks(root: Node) -> Iterator[Fault]:
    """The looks need different numbers of seeds, from the first to the most."""
    nodes = [node_at(root, f"{PATH}.{key}") for key in ("first", "most", "looks")]
    numbers = [node.value for node in nodes if node is not None and type(node.value) is int]
    if len(numbers) < len(nodes):
        return  # told by then
    first, most, looks = numbers
    _, of_most, of_looks = (node for node in nodes if node is not None)
    if most <= first:
        what = f"{most} is no more than first = {first}, so no seeds could be added"
        yield Fault(what, of_most.place, f"{PATH}.most", accepted=f"seeds = {most}, or more than {first}")
    elif looks > most - first + 1:
        what = f"from {first} to {most} seeds there are no {looks} looks at different numbers"
        yield Fault(what, of_looks.place, f"{PATH}.looks", accepted=f"at most {most - first + 1}")
