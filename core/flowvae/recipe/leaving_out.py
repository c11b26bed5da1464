"""Leave one out: an arm for each part of a table, which lacks that part alone."""

from attrs import evolve

from flowvae.errors import Fault, RecipeError
from flowvae.recipe.node import Node, Source, by_name, node_at

HERE = "ablation.leave_one_out"


def with_parts_left_out(source: Source) -> Source:
    """The recipe with an axis for each part of the table that it names: as it is, or not there.

    RecipeError where there is no such table, or fewer than two parts in it.
    """
    ablation = source.root.value.get("ablation")
    if ablation is None or not isinstance(ablation.value, dict):
        return source
    wanted = ablation.value.get("leave_one_out")
    if wanted is None or not isinstance(wanted.value, str) or not wanted.value:
        return source
    parts = _parts(source, wanted)
    absent = evolve(wanted, value=False)
    vary = ablation.value.get("vary") or Node({}, wanted.place, wanted.key_place, wanted.folder)
    known = vary.value if isinstance(vary.value, dict) else {}
    axes = {f"{wanted.value}.{name}": evolve(wanted, value=[part, absent]) for name, part in parts.items()}
    table = {**ablation.value, "vary": evolve(vary, value={**axes, **known})}
    root = {**source.root.value, "ablation": evolve(ablation, value=table)}
    return evolve(source, root=evolve(source.root, value=root))


def _parts(source: Source, wanted: Node) -> dict[str, Node]:
    table = node_at(source.root, wanted.value)
    found = by_name(table) if table and isinstance(table.value, list) else table.value if table else None
    # What is false is not there, so it cannot be left out.
    parts = (
        {name: part for name, part in found.items() if part.value is not False}
        if isinstance(found, dict)
        else {}
    )
    if len(parts) < 2:
        what = (
            f"{wanted.value} holds {len(parts)} parts" if table else f"the recipe has no table {wanted.value}"
        )
        likely = "augmentations, losses, adversarial.discriminators: one that holds two parts or more"
        raise RecipeError([Fault(what, wanted.place, HERE, accepted=likely)], recipe=source.name)
    return parts
