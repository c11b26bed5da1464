"""Arms that cost the same: a width that an ablation scales in each alternative, as far as a recipe alone can tell."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import evolve

from flowvae.catalogue import Catalogue
from flowvae.errors import Fault, Place
from flowvae.recipe.arm import Arm
from flowvae.recipe.layering import set_path
from flowvae.recipe.node import Dropped, Node, Source
from flowvae.recipe.resolve import resolve
from flowvae.recipe.tables import MatchSection

BY = "ablation.match.by"
ORIGIN = "matched to the baseline"
COSTS = {
    "parameters": "as many weights as",
    "multiply_adds": "as many multiply-adds as",
    "seconds": "as much processor time a step as",
}


def faults_of_match(
    arms: Sequence[Arm], axes: Sequence[str], source: Source, catalogue: Catalogue
) -> Iterator[Fault]:
    """What is matched is a whole number of a part of the model, which every arm has and none says for itself."""
    ablation = arms[0].recipe.ablation
    if ablation is None or ablation.match is None:
        return
    path, place = ablation.match.by, source.root.value["ablation"].value["match"].value["by"].place
    leaves = arms[0].recipe.leaves()
    widths = [name for name, value in leaves.items() if type(value) is int and _shapes_a_part(name)]
    if path in widths and path not in axes:
        for arm in arms:
            if type(arm.recipe.leaves().get(path)) is not int:
                what = f"the arm {arm.name} has no such key, or no whole number there"
                yield Fault(f"{path}: {what}", place, BY, accepted="a key that every arm has")
        return
    if path in axes:
        what = "is varied itself, so it cannot be what makes the arms cost the same"
    elif path not in leaves:
        what = "the baseline has no such key"
    elif path in widths or type(leaves[path]) is int:
        what = "is no key of a part of the model"
    else:
        what = "is no whole number"
    others = [name for name in widths if name not in axes]
    near = catalogue.suggest(path, others)
    yield Fault(f"{path} {what}", place, BY, accepted=", ".join(others), suggestions=near)


def at_width(arm: Arm, path: str, width: int, catalogue: Catalogue) -> Arm:
    """The arm with another width; RecipeError where the component's limits refuse it."""
    place = Place(ORIGIN)
    dropped: list[Dropped] = list(arm.source.dropped)
    root = set_path(arm.source.root, path, Node(width, place, place, Path.cwd()), dropped)
    source = evolve(arm.source, root=root, dropped=dropped)
    return evolve(arm, recipe=resolve(source, catalogue), source=source)


def will_be_matched(match: MatchSection, baseline: str) -> str:
    """What can be said before a model is built."""
    return f"{match.by} of each alternative will be matched: {COSTS[match.what]} {baseline}"


def _shapes_a_part(path: str) -> bool:
    # What stands in [model] itself, such as the length of a clip, all arms must share: the sounds are cut by it.
    return path.startswith("model.") and path.count(".") > 1
