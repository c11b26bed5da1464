"""Which slots of a recipe were compared already: by the ablations that lie over the same bases."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from flowvae.catalogue import Catalogue, Slot
from flowvae.errors import RecipeError, shown
from flowvae.recipe.arms import plan_ablation
from flowvae.recipe.keys import entries
from flowvae.recipe.measuring import judge_of
from flowvae.recipe.node import node_at
from flowvae.recipe.part import Part, keys_of
from flowvae.recipe.reading import files_of, parse_file, read_recipe
from flowvae.recipe.shipped import shipped_recipes
from flowvae.recipe.tables import Recipe
from flowvae.recipe.values import NONE

ASIDE = frozenset({"evaluation", "execution", "ablation", "data"})
"""Tables that say what is measured, where, and of which sounds: no choice of the model's."""


@frozen
class Question:
    """A component of a recipe, or the lack of one, and what it was not compared with yet."""

    kind: str
    paths: tuple[str, ...]
    """The slots that it fills."""
    now: str
    compared: Mapping[str, tuple[str, ...]]
    """Component to the recipes that compare it with others there."""
    left: tuple[str, ...]
    """What else is on offer; of a part that stands among others by name, only to be without it."""
    key: str
    """What an ablation of it varies: the slot, or the default of the kind that fills it or would fill several."""


@frozen
class Family:
    """The ablations that share a base with a recipe, and the files that could not be read."""

    ablations: Mapping[str, tuple[Mapping[str, Any], ...]]
    """Name to the leaves of each of its arms."""
    broken: tuple[str, ...]
    base: Path
    """What another ablation would extend: the recipe, or what it extends where it is an ablation itself."""
    recipe: Recipe

    def judge(self, path: str) -> str:
        """A metric of the recipe that can decide on what fills a slot; nothing where none can."""
        return judge_of(self.recipe.evaluation, path)


def questions(name: str, catalogue: Catalogue) -> tuple[list[Question], Family]:
    """What could be compared in a recipe, and the family that was asked."""
    source = read_recipe(name)
    recipe = plan_ablation(source, catalogue).recipe
    family = _family(source.file, recipe, catalogue)
    found: dict[tuple[str, str, str], list[str]] = {}
    for path, slot, now in _places(recipe):
        # Several of a kind under one table stand in each other's place; one among others by name has its own.
        found.setdefault((slot.kind, now, path if slot.many else ""), []).append(path)
    asked = []
    for (kind, now, name_of_many), paths in found.items():
        offered = [NONE] if name_of_many else [component.name for component in catalogue.of_kind(kind)]
        default = len(paths) > 1 or node_at(source.root, f"defaults.{kind}") is not None
        key = f"defaults.{kind}" if default and not name_of_many else paths[0]
        compared = _compared(paths, family)
        left = [name for name in dict.fromkeys(offered) if name not in compared and name != now]
        asked.append(Question(kind, tuple(paths), now, compared, tuple(left), key))
    return asked, family


def _compared(paths: list[str], family: Family) -> dict[str, tuple[str, ...]]:
    """What stood in some slots in different arms of one ablation, with the ablations in which it did."""
    compared: dict[str, tuple[str, ...]] = {}
    for ablation, arms in family.ablations.items():
        for path in paths:
            stood = {str(arm.get(f"{path}.use", NONE)) for arm in arms}
            for component in stood if len(stood) > 1 else ():
                compared[component] = tuple(dict.fromkeys((*compared.get(component, ()), ablation)))
    return compared


def _family(file: Path, recipe: Recipe, catalogue: Catalogue) -> Family:
    layers = files_of(file)
    bases = set(layers)
    plain = [layer for layer in layers if "ablation" not in parse_file(layer).value]
    candidates = {*shipped_recipes().values(), *file.parent.glob("*.toml")}
    ablations: dict[str, tuple[Mapping[str, Any], ...]] = {}
    broken = []
    for candidate in sorted(candidates):
        try:
            if bases.isdisjoint(files_of(candidate)):
                continue
            plan = plan_ablation(read_recipe(str(candidate)), catalogue)
        except RecipeError as error:
            fault = error.faults[0]
            broken.append(f"{shown(candidate)}: {fault.path}: {fault.what}".replace(": : ", ": "))
            continue
        if len(plan.arms) > 1:
            ablations[candidate.stem] = tuple(arm.recipe.leaves() for arm in plan.arms)
    return Family(ablations, tuple(broken), plain[-1] if plain else file, recipe)


def _places(recipe: Recipe) -> Iterator[tuple[str, Slot, str]]:
    """Every slot that decides what a model becomes, with what stands in it."""
    for name, entry in entries(Recipe).items():
        content = getattr(recipe, name, None)
        if name in ASIDE or not (entry.section or entry.parameter.slot):
            continue
        if entry.section:
            keys = {} if content is None else keys_of(content)
            for key, inner in entries(entry.section).items():
                if inner.parameter.slot and key in keys:
                    yield from _in_slot(f"{name}.{key}", inner.parameter.slot, keys[key])
        elif entry.parameter.slot:
            yield from _in_slot(name, entry.parameter.slot, content)


def _in_slot(path: str, slot: Slot, content: Any) -> Iterator[tuple[str, Slot, str]]:
    if isinstance(content, Mapping):
        for name, part in content.items():
            yield f"{path}.{name}", slot, part.name
            yield from _in_part(f"{path}.{name}", part)
        return
    yield path, slot, content.name if isinstance(content, Part) else NONE
    if isinstance(content, Part):
        yield from _in_part(path, content)


def _in_part(path: str, part: Part) -> Iterator[tuple[str, Slot, str]]:
    for name, parameter in part.component.signature.parameters.items():
        if parameter.slot:
            yield from _in_slot(f"{path}.{name}", parameter.slot, part.values[name])
    for name, value in part.extras.items():
        if isinstance(value, Part):
            yield f"{path}.{name}", Slot(value.component.kind), value.name
            yield from _in_part(f"{path}.{name}", value)
