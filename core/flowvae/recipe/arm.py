"""One arm of an ablation, what its author calls it, and which pairs of arms are asked for."""

from collections.abc import Sequence

from attrs import evolve, frozen

from flowvae.catalogue import Catalogue
from flowvae.errors import Fault, Place
from flowvae.recipe.arm_names import slug
from flowvae.recipe.node import Node, Source
from flowvae.recipe.tables import Recipe


@frozen(eq=False)
class Arm:
    """One variant: a complete recipe, and how it came to be."""

    name: str
    recipe: Recipe
    changes: dict[str, str]
    """Key path to the alternative as the recipe writes it; empty for the baseline."""
    source: Source
    """What it was resolved from."""
    variant: str
    """Its name without the value that it is run at, where an ablation is run across some."""
    at: str = ""
    """That value; each has a baseline of its own."""


def renamed(arms: Sequence[Arm], source: Source, catalogue: Catalogue) -> tuple[list[Arm], list[Fault]]:
    """The arms under the names that the recipe gives them, and what is wrong with those."""
    node = source.root.value["ablation"].value.get("names")
    given: dict[str, Node] = node.value if node is not None and isinstance(node.value, dict) else {}
    names = list(dict.fromkeys(arm.variant for arm in arms))
    faults = [
        unknown_arm(name, names, child.key_place, "ablation.names", catalogue)
        for name, child in given.items()
        if name not in names
    ]
    for child in given.values():
        if slug(str(child.value)) != child.value:
            what = f"{child.value} names a folder: small letters, digits, -, _ and . will do"
            faults.append(Fault(what, child.place, "ablation.names", accepted=slug(str(child.value))))
    called = [
        evolve(arm, variant=new, name=arm.name.replace(arm.variant, new, 1))
        for arm in arms
        for new in [str(given[arm.variant].value) if arm.variant in given else arm.variant]
    ]
    return called, faults


def faults_of_pairs(arms: Sequence[Arm], source: Source, catalogue: Catalogue) -> list[Fault]:
    """Pairs are of arms that there are, and of two alternatives: each is compared with the baseline anyway."""
    node = source.root.value["ablation"].value.get("pairs")
    ablation = arms[0].recipe.ablation
    if node is None or ablation is None:
        return []
    names = list(dict.fromkeys(arm.variant for arm in arms))
    faults = []
    for pair in ablation.pairs:
        unknown = [name for name in pair if name not in names]
        faults += [unknown_arm(name, names, node.place, "ablation.pairs", catalogue) for name in unknown]
        if pair[0] == pair[1]:
            faults.append(Fault(f"{pair[0]} is compared with itself", node.place, "ablation.pairs"))
        elif names[0] in pair:
            what = f"{names[0]} is the baseline, with which every arm is compared anyway"
            faults.append(Fault(what, node.place, "ablation.pairs"))
    return faults


def unknown_arm(name: str, names: Sequence[str], place: Place, path: str, catalogue: Catalogue) -> Fault:
    """A name of an arm that there is none of, with those that there are."""
    near = catalogue.suggest(name, names)
    return Fault(f"there is no arm {name}", place, path, accepted=", ".join(names), suggestions=near)
