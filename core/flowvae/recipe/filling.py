"""Fills slots and keys: from nodes of a recipe to parts and values, with every fault on the way."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import Factory, define, evolve

from flowvae.catalogue import REQUIRED, Catalogue, Component, Parameter, Slot
from flowvae.errors import Fault, Place, PluginError
from flowvae.recipe.layering import how_to_name
from flowvae.recipe.lookup import look_up
from flowvae.recipe.node import Node, by_name
from flowvae.recipe.node_value import culprit, value_of
from flowvae.recipe.part import Part
from flowvae.recipe.values import NONE, not_text
from flowvae.text import toml_like

MOST = 100_000_000
"""The largest whole number that a component is given: a slip of the finger must not be built."""


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""Of a part: no dot, which would be a key path, and no number, which would be a place in a list."""


@define(eq=False, repr=False)
class Filler:
    """Reads parts and values against the catalogue; keeps where each came from, and what was wrong."""

    catalogue: Catalogue
    faults: list[Fault] = Factory(list)
    origins: dict[str, str] = Factory(dict)
    """Key path to where the value comes from."""
    places: dict[str, Place] = Factory(dict)
    """Key path to the place of a value that was written down."""
    defaults: dict[str, Node] = Factory(dict)
    """What fills the slots of a kind that do not say otherwise."""
    defaults_used: set[str] = Factory(set)
    unmet: list[str] = Factory(list)
    """Requirements of the recipe that are not met: they may be why a name is unknown."""
    standing_for: list[tuple[str, str]] = Factory(list)
    """Path of a slot and of the default that is being read for it."""

    def take_defaults(self, node: Node | None) -> None:
        """Reads the table of defaults."""
        if node is None:
            return
        if not isinstance(node.value, dict):
            self.fault("defaults is a table from kind to component", node.place, "defaults")
            return
        for kind, default in node.value.items():
            if kind in self.catalogue.kinds:
                self.defaults[kind] = default
            else:
                near = self.catalogue.suggest(kind, self.catalogue.kinds)
                self.fault(
                    f'there is no kind "{kind}"', default.key_place, f"defaults.{kind}", suggestions=near
                )

    def slot(self, slot: Slot, node: Node | None, path: str, around: Node, default: Any) -> Any:
        """What stands in a slot: a part, several, or nothing."""
        if slot.many:
            return self._slots(slot, node, path, around, default)
        if node is None and slot.kind in self.defaults:
            return self._from_defaults(slot, path)
        if node is None:
            if default is not REQUIRED:
                self.origins[path] = "default"
                return default
            self.missing(path.rpartition(".")[2], path, around, f"a component of kind {slot.kind}", slot.kind)
            return None
        absent = node.value == NONE and not self.catalogue.find(slot.kind, NONE)
        if slot.optional and (absent or self.is_taken_out(node, path)):
            self.origins[path] = str(node.place)
            return None
        return self.part(slot, node, path)

    def _from_defaults(self, slot: Slot, path: str) -> Part | None:
        self.defaults_used.add(slot.kind)
        if (here := f"defaults.{slot.kind}") in [default for _, default in self.standing_for]:
            inner = path.rpartition(".")[2]
            accepted = f"{inner} = ..., written inside it: another component of kind {slot}"
            self.fault(f"{here} stands in itself", self.defaults[slot.kind].place, path, accepted)
            return None
        # A fault of the default is one fault, in however many slots the default stands.
        self.standing_for.append((path, here))
        part = self.part(slot, self.defaults[slot.kind], path)
        self.standing_for.pop()
        return part

    def _slots(self, slot: Slot, node: Node | None, path: str, around: Node, default: Any) -> Any:
        if node is None:
            if default is REQUIRED:
                self.missing(path, path, around, f"components of kind {slot.kind} by name", slot.kind)
                return None
            return dict(default or {})
        named = by_name(node) if isinstance(node.value, list) else node.value
        if not isinstance(named, dict):
            return self._no_names(slot, node, path)
        found = {
            name: self._named(slot, name, child, f"{path}.{name}")
            for name, child in named.items()
            if not self.is_taken_out(child, f"{path}.{name}")
        }
        if not found and default is REQUIRED:
            self.fault(f"needs at least one {slot.kind}", node.place, path)
        return found

    def _no_names(self, slot: Slot, node: Node, path: str) -> None:
        """A fault for what stands in the place of parts with names."""
        accepted = f"[{path}.NAME] tables, or an array of components of kind {slot.kind}"
        if not isinstance(node.value, list):
            self.fault("takes components by name", node.place, path, accepted=accepted)
            return
        before = len(self.faults)
        for index, child in enumerate(node.value):
            self.part(slot, child, f"{path}.{index}")
        if len(self.faults) == before:
            self.fault("has one component twice", node.place, path, accepted=how_to_name(path, node))

    def is_taken_out(self, node: Node, path: str) -> bool:
        """Whether `false` stands where something may be absent; a fault where nothing is there to take out."""
        if node.value is not False:
            return False
        if not node.takes_out:
            self.fault("takes out nothing: the recipe has no such part without it", node.place, path)
        return True

    def _named(self, slot: Slot, name: str, node: Node, path: str) -> Part | None:
        """A part under its name, which is the component's where the table says no other."""
        if name == "use" or not _NAME.fullmatch(name):
            what = f'a part cannot be called "{name}"'
            accepted = f"letters, digits, - and _, a letter first; [{path[: -len(name) - 1]}.NAME]"
            self.fault(what, node.key_place, path, accepted=accepted)
            return None
        if isinstance(node.value, dict) and "use" not in node.value:
            named = evolve(node, value=name, place=node.key_place)
            node = evolve(node, value={"use": named, **node.value})
        return self.part(slot, node, path)

    def part(self, slot: Slot, node: Node, path: str) -> Part | None:
        """One component with its values, or None with the fault kept."""
        if isinstance(node.value, str):
            name, name_node, table = node.value, node, {}
        elif isinstance(node.value, dict):
            table = dict(node.value)
            use = table.pop("use", None)
            if use is None:
                self.missing(
                    "use", f"{path}.use", node, f"the name of a component of kind {slot.kind}", slot.kind
                )
                return None
            if not isinstance(use.value, str):
                self.fault("takes the name of a component", use.place, f"{path}.use")
                return None
            name, name_node = use.value, use
        else:
            self.fault(
                f"takes a component of kind {slot.kind}", node.place, path, accepted="a name, or a table"
            )
            return None
        component = self._component(slot.kind, name, name_node.place, path)
        if component is None:
            return None
        try:
            parameters = component.signature.parameters
        except PluginError as error:
            self.fault(error.what, name_node.place, path)
            return None
        self.origins[f"{path}.use"] = str(name_node.place)
        values = {
            p.name: self._any(p, table.pop(p.name, None), path, node, component) for p in parameters.values()
        }
        more = {p.name: self._any(p, table.pop(p.name, None), path, node, component) for p in slot.own_keys}
        self.unknown(table, [*parameters, *(p.name for p in slot.own_keys)], path, str(component))
        return Part(component, values, more)

    def _any(
        self, parameter: Parameter, node: Node | None, path: str, around: Node, component: Component
    ) -> Any:
        here = f"{path}.{parameter.name}"
        if parameter.slot:
            return self.slot(parameter.slot, node, here, around, parameter.default)
        return self.value(parameter, node, here, around, component)

    def _component(self, kind: str, name: str, place: Place, path: str) -> Component | None:
        found = look_up(self.catalogue, kind, name, self.unmet)
        if isinstance(found, Component):
            return found
        self.fault(found.what, place, path, accepted=found.accepted, suggestions=found.suggestions)
        return None

    def value(
        self,
        parameter: Parameter,
        node: Node | None,
        path: str,
        around: Node,
        component: Component | None = None,
    ) -> Any:
        """A value of the right type, or None with the fault kept."""
        owner = str(component) if component else ""
        if node is None:
            if parameter.default is REQUIRED:
                self.missing(parameter.name, path, around, parameter.accepted(), component=owner)
                return None
            self.origins[path] = f"default of {component}" if component else "default"
            return parameter.default
        self.origins[path], self.places[path] = str(node.place), node.place
        try:
            value = value_of(node, parameter.type)
        except (TypeError, ValueError) as error:
            place = culprit(node, parameter.type).place
            self.fault(str(error), place, path, accepted=parameter.accepted(), component=owner)
            return None
        if not parameter.admits(value):
            self.fault(
                f"{toml_like(node.plain())} is out of range",
                node.place,
                path,
                accepted=parameter.accepted(),
                component=owner,
            )
        if component and any(
            type(v) is int and abs(v) > MOST for v in (value if isinstance(value, tuple) else (value,))
        ):
            self.fault(f"is more than any count can be ({MOST:,})", node.place, path, component=owner)
        return self._located(value, node, path)

    def _located(self, value: Any, node: Node, path: str) -> Any:
        """Paths are meant relative to the file that says them."""
        if isinstance(value, tuple):
            return tuple(self._located(v, node, path) for v in value)
        if not isinstance(value, Path):
            return value
        try:
            located = node.folder / value.expanduser()
        except RuntimeError:
            self.fault(f"there is no user {value.parts[0].removeprefix('~')}", node.place, path)
            return None
        if fault := not_text(str(located)):
            self.fault(f"{toml_like(str(located))} {fault}", node.place, path)
        return located

    def table(self, node: Node, path: str) -> dict[str, Node] | None:
        """The keys of a table; a fault where it is none."""
        if isinstance(node.value, dict):
            return dict(node.value)
        self.fault("is a table", node.place, path)
        return None

    def unknown(
        self,
        table: Mapping[str, Node],
        known: list[str],
        path: str,
        component: str,
        elsewhere: Mapping[str, tuple[str, ...]] = {},
    ) -> None:
        """A fault for each key that nobody knows here; `elsewhere` are the key paths at which one would be known."""
        for name, node in table.items():
            self.fault(
                f'there is no key "{name}"',
                node.key_place,
                f"{path}.{name}" if path else name,
                accepted=", ".join(known) or "no keys",
                suggestions=(*elsewhere.get(name, ()), *self.catalogue.suggest(name, known))[:3],
                component=component,
            )

    def missing(
        self, name: str, path: str, around: Node, accepted: str, kind: str = "", component: str = ""
    ) -> None:
        """A fault for a key that must be there."""
        hint = f"; [defaults] {kind} = ... fills every {kind} slot" if kind else ""
        self.fault(f"{name} is missing", around.place, path, accepted=accepted + hint, component=component)

    def fault(
        self,
        what: str,
        place: Place,
        path: str,
        accepted: str = "",
        suggestions: tuple[str, ...] = (),
        component: str = "",
    ) -> None:
        """Keeps a fault; one of a default is told of the default, in however many slots it stands."""
        for slot_path, default_path in self.standing_for:
            if path.startswith(slot_path):
                path = default_path + path.removeprefix(slot_path)
        self.faults.append(Fault(what, place, path, component, accepted, suggestions))
