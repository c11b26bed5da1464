"""Builds what a recipe names: the recipe's values are bound, the parent gives the rest.

Every module is initialised from a stream that belongs to its path, and a parent's own draws are shielded from its
children's: two recipes that differ in one slot start with the same weights everywhere else.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from attrs import Factory, define, frozen

from flowvae.building.construct import construct
from flowvae.contracts import Weighed
from flowvae.errors import PluginError
from flowvae.recipe.part import Part

Seeding = Callable[[str], AbstractContextManager[None]]
"""What makes torch draw the initial weights of a key path from a stream of its own."""


@define(eq=False)
class Builder:
    """Builds parts for one run, and keeps a list of what was put where."""

    seeding: Seeding | None
    """None: modules are initialised by torch's generator as it stands, and what is no module needs no torch."""
    places: list[tuple[str, Part, Any]] = Factory(list)
    """Path, part and result of everything that was built."""

    def factory(self, part: Part, path: str) -> Callable[..., Any]:
        """What a slot's owner calls: it gives the parent's arguments and gets the component."""
        return _Factory(self, part, path)

    def build(self, part: Part, path: str, **given: Any) -> Any:
        """The component at a path, with what its parent gives."""
        values = {name: self._value(value, f"{path}.{name}") for name, value in part.values.items()}
        with self.seeding(path) if self.seeding else nullcontext():
            built = construct(part, path, given, values)
        self.places.append((path, part, built))
        return built

    def _value(self, value: Any, path: str) -> Any:
        if isinstance(value, Part):
            return self.factory(value, path)
        if isinstance(
            value, Mapping
        ):  # a slot that holds several: the component is handed them in their order
            return tuple(self._one_of_several(name, child, f"{path}.{name}") for name, child in value.items())
        return value

    def _one_of_several(self, name: str, part: Part, path: str) -> Any:
        make = self.factory(part, path)
        return Weighed(name, make, **part.extras) if part.extras else make


@frozen(eq=False)
class _Factory:
    builder: Builder
    part: Part
    path: str
    _calls: Counter[str] = Factory(Counter)

    def __call__(self, *args: Any, **given: Any) -> Any:
        component = self.part.component
        names = component.catalogue.kinds[component.kind].gives
        if len(args) > len(names) or set(given) - set(names):
            raise PluginError(
                f"the parent of {self.path} gives {len(args) + len(given)} arguments; "
                f"{component.kind} takes {', '.join(names)}"
            )
        given.update(zip(names, args, strict=False))
        index = self._calls["made"]
        self._calls["made"] += 1
        return self.builder.build(self.part, f"{self.path}[{index}]", **given)
