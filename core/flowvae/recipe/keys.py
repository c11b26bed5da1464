"""How the class of a table says its keys: each is a field with its meaning, limits, slot or table."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args, get_origin

import attrs
from attrs import frozen

from flowvae.catalogue.signature import REQUIRED, Parameter, Slot
from flowvae.recipe.part import WRITTEN, written


def key(
    meaning: str,
    default: Any = attrs.NOTHING,
    *,
    least: float | None = None,
    most: float | None = None,
    formerly: str = "",
    written: str = "",
) -> Any:
    """A field that holds a value.

    `formerly` is a name that it had, for those who still write it; `written` its name in a recipe, where Python keeps that
    word for itself.
    """
    said = {"meaning": meaning, "least": least, "most": most, "formerly": formerly, WRITTEN: written}
    return attrs.field(default=default, metadata=said)


def slot(
    kind: str,
    meaning: str,
    default: Any = attrs.NOTHING,
    *,
    many: bool = False,
    own_keys: tuple[Parameter, ...] = (),
) -> Any:
    """A field that holds a component, or with `many` several by name; `own_keys` stand in its table and belong to flowvae."""
    said = {"meaning": meaning, "slot": Slot(kind, many, default is None, own_keys)}
    return attrs.field(default=default, metadata=said)


def table(section: type, default: Any = attrs.NOTHING) -> Any:
    """A field that holds a table of its own."""
    return attrs.field(default=default, metadata={"meaning": summary(section), "section": section})


def summary(section: type) -> str:
    """What a table is for: the docstring of its class on one line."""
    return " ".join((section.__doc__ or "").split())


@frozen
class Entry:
    """What stands under one name in a table."""

    parameter: Parameter
    """Name, type or slot, default, meaning, limits."""
    section: type | None = None
    """The class of a table that stands here."""
    formerly: str = ""
    """A name that the key had."""

    @property
    def table_instead(self) -> type | None:
        """The class of a table that may stand here in the place of a value."""
        return next(filter(attrs.has, get_args(self.parameter.type)), None)

    @property
    def is_free(self) -> bool:
        """Whether it is a table whose keys are the user's: what an ablation varies, or what it calls its arms."""
        return self.parameter.slot is None and get_origin(self.parameter.type) is Mapping

    @property
    def holds_words(self) -> bool:
        """Whether the values of such a table are words."""
        return self.is_free and get_args(self.parameter.type)[-1] is str


@cache
def entries(section: type) -> Mapping[str, Entry]:
    """The fields of a table by name."""
    found = {}
    for field in attrs.fields(section):
        said = field.metadata
        if "meaning" not in said:
            continue  # what only flowvae knows of a recipe: its name, its origins
        default = REQUIRED if field.default is attrs.NOTHING else field.default
        default = {} if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]  # a class to attrs
        kind = None if "slot" in said or "section" in said else field.type
        parameter = Parameter(
            written(field),
            kind,
            said.get("slot"),
            default,
            said["meaning"],
            said.get("least"),
            said.get("most"),
        )
        found[parameter.name] = Entry(parameter, said.get("section"), said.get("formerly", ""))
    return found


def parameters(section: type) -> tuple[Parameter, ...]:
    """The fields of a table as keys that stand in another one."""
    return tuple(entry.parameter for entry in entries(section).values())


def entry_at(section: type, path: str) -> Entry | None:
    """What stands at a key path of a table, in the tables inside it, or in the table of a slot's component."""
    name, _, rest = path.partition(".")
    entry = entries(section).get(name)
    while entry is not None and rest:
        name, _, rest = rest.partition(".")
        slot_ = entry.parameter.slot
        inside = entries(entry.section) if entry.section else {}
        own = {parameter.name: Entry(parameter) for parameter in (slot_.own_keys if slot_ else ())}
        entry = {**inside, **own}.get(name)
    return entry


def paths_called(section: type, name: str) -> Iterator[str]:
    """The key paths in the tables of a table whose last key has this name."""
    for table_, entry in entries(section).items():
        if entry.section and name in entries(entry.section):
            yield f"{table_}.{name}"


def slots_of(section: type) -> Iterator[tuple[str, Slot]]:
    """Every slot of a table and of the tables in it, by key path."""
    for name, entry in entries(section).items():
        inner = entry.section and slots_of(entry.section)
        for path, slot_ in inner or _with_own_slots(entry.parameter):
            yield (f"{name}.{path}" if path else name), slot_


def _with_own_slots(parameter: Parameter) -> Iterator[tuple[str, Slot]]:
    if parameter.slot:
        yield "", parameter.slot
        for own in parameter.slot.own_keys:
            yield from ((f"{own.name}.{path}".rstrip("."), slot_) for path, slot_ in _with_own_slots(own))
