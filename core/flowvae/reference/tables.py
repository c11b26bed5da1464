"""What the resolver takes, table by table in the order of a recipe: told once, for pages and for the schema."""

from collections.abc import Iterator, Mapping

import attrs
from attrs import frozen

from flowvae.catalogue import Parameter
from flowvae.recipe.resolve import TOP_SECTIONS, TOP_SLOTS, TOP_VALUES
from flowvae.recipe.sections import parameters

ORDER = (
    "data",
    "augmentations",
    "model",
    "losses",
    "regularizer",
    "train",
    "evaluation",
    "ablation",
    "execution",
)
"""The tables as one reads a recipe; one that is not named here comes last."""

TOP_KEYS: Mapping[str, Parameter] = {
    "extends": Parameter(
        "extends",
        str,
        None,
        "",
        "the recipe that this one is laid over: a file beside it, or the name of a shipped one",
    ),
    **TOP_VALUES,
}
"""Keys that stand outside every table. The one that lays recipes over each other is gone when the resolver begins."""

DEFAULTS = "What fills every slot of a kind that does not say otherwise: kind = component."


@frozen
class Key:
    """A key of a table with the limits of its value."""

    parameter: Parameter
    least: float | None = None
    most: float | None = None
    extras: tuple[Parameter, ...] = ()
    """Keys of flowvae's own in the table of the component that stands here."""


@frozen
class Section:
    """A table whose keys belong to flowvae."""

    name: str
    summary: str
    keys: tuple[Key, ...]


def tables() -> Iterator[Section | Key]:
    """Every table: a section, or a key whose slot the whole table fills."""
    for name in sorted({*TOP_SLOTS, *TOP_SECTIONS}, key=lambda n: (*ORDER, n).index(n)):
        if name in TOP_SECTIONS:
            yield _section(name, TOP_SECTIONS[name])
        else:
            slot, extras, default = TOP_SLOTS[name]
            yield Key(Parameter(name, None, slot, default), extras=extras)


def _section(name: str, section: type) -> Section:
    limits = {field.name: field.metadata for field in attrs.fields(section)}
    keys = [
        Key(p, limits[p.name].get("least"), limits[p.name].get("most"), limits[p.name].get("extras", ()))
        for p in parameters(section).values()
    ]
    return Section(name, " ".join((section.__doc__ or "").split()), tuple(keys))
