"""What the resolver takes, table by table in the order of a recipe: told once, for pages and for the schema."""

from collections.abc import Iterator, Mapping
from typing import get_origin

import attrs
from attrs import frozen

from flowvae.catalogue import Parameter
from flowvae.recipe.resolve import TOP_SECTIONS, TOP_SLOTS
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

EXTENDS = "The recipe that this one is laid over: a file beside it, or the name of a shipped one."
"""Gone when the resolver begins, so it is none of its values."""

DEFAULTS = "What fills every slot of a kind that does not say otherwise: kind = component."


@frozen
class Key:
    """A key of a table."""

    parameter: Parameter
    extras: tuple[Parameter, ...] = ()
    """Keys of flowvae's own in the table of the component that stands here."""

    @property
    def free(self) -> bool:
        """Whether it is a table whose keys are the user's: what an ablation varies."""
        return get_origin(self.parameter.type) is Mapping


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
    extras = {field.name: field.metadata.get("extras", ()) for field in attrs.fields(section)}
    keys = [Key(p, extras[p.name]) for p in parameters(section).values()]
    return Section(name, " ".join((section.__doc__ or "").split()), tuple(keys))


def own_keys(kind: str) -> tuple[Parameter, ...]:
    """The keys that flowvae adds to the tables of a kind's components, such as the weight of a loss."""
    keys = (key for table in tables() for key in (table.keys if isinstance(table, Section) else (table,)))
    found = [e for key in keys if key.parameter.slot and key.parameter.slot.kind == kind for e in key.extras]
    return tuple(found)
