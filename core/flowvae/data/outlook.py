"""What the sounds of a recipe will be like, before they are read: from their names, and from the first two."""

from collections.abc import Sequence
from typing import Any

from attrs import asdict, frozen

from flowvae.contracts import BuiltNamedDataset, Skipped, Sound
from flowvae.data.kits import Member
from flowvae.data.prepare import split_of
from flowvae.data.reading import refuse_too_few
from flowvae.data.sounds import source_of, what_is_heard
from flowvae.data.verdict import refuse_unmeasurable, told
from flowvae.errors import DataError, PluginError
from flowvae.recipe import Arm, Recipe
from flowvae.recipe.part import leaves

ENOUGH = 2
"""Usable sounds that a run needs: one to train on, one to hold out."""


@frozen
class Outlook:
    """How a recipe's sounds will be split if every one of them can be used."""

    sounds: int
    held_out: int
    told: tuple[str, ...]

    def fields(self, arms: Sequence[str]) -> dict[str, Any]:
        """The same for a program, with the arms that hear these sounds."""
        return {"arms": list(arms), **asdict(self)}


def outlooks(arms: Sequence[Arm]) -> dict[Outlook, list[str]]:
    """The sounds that can be foretold, each with the arms that hear them; mostly all arms hear the same."""
    known: dict[str, Outlook | None] = {}
    found: dict[Outlook, list[str]] = {}
    for arm in arms:
        recipe = arm.recipe
        key = what_is_heard(recipe) + repr([*leaves(recipe.evaluation)])
        if key not in known:
            known[key] = look_ahead(recipe)
        if outlook := known[key]:
            found.setdefault(outlook, []).append(arm.name)
    return found


def look_ahead(recipe: Recipe) -> Outlook | None:
    """DataError where no run is possible; None where the data set knows its sounds only once it has read them."""
    source = source_of(recipe)
    if not isinstance(source, BuiltNamedDataset):
        return None
    try:
        members = [Member(*row) for row in source.names()]
        heard = _first_usable(source)
    except OSError as error:
        raise DataError(
            f"the sounds cannot be read: {error}", do="check what [data] says, or --data"
        ) from error
    if len(members) < ENOUGH:
        if any(sound.whole for sound in heard):
            return None  # how many hits a recording holds is known once it is read
        raise PluginError(f"{recipe.data.component} names {len(members)} sounds and reads more")
    split = split_of(source, recipe.data, members)
    refuse_unmeasurable(recipe, sum(split.held))
    return Outlook(len(members), sum(split.held), tuple(told(split)))


def _first_usable(source: Any) -> list[Sound]:
    """Reads until there are as many usable sounds as a run needs: mostly the first two."""
    sounds: list[Sound] = []
    skipped: list[Skipped] = []
    for item in source.read():
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            sounds.append(item)
        if len(sounds) == ENOUGH:
            return sounds
    refuse_too_few(len(sounds), skipped, strict=False)
    return sounds
