"""Resolution: from the tree that the user wrote to a complete recipe, or every fault at once."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import Factory, define

from flowvae.catalogue import REQUIRED, Catalogue, Component, Parameter, Slot
from flowvae.errors import Fault, Place, PluginError, RecipeError
from flowvae.recipe import sections
from flowvae.recipe.requirements import missing_requirement
from flowvae.recipe.resolved import Part, Recipe
from flowvae.recipe.tree import Node, Source, parse_text
from flowvae.recipe.values import NONE, structure

TOP_SLOTS: Mapping[str, tuple[Slot, tuple[Parameter, ...], Any]] = {
    "data": (Slot("dataset"), sections.DATA_KEYS, REQUIRED),
    "augmentations": (Slot("augmentation", many=True), (), ()),
    "losses": (Slot("loss", many=True), sections.LOSS_KEYS, REQUIRED),
    "regularizer": (Slot("regularizer"), (), REQUIRED),
}
TOP_SECTIONS: Mapping[str, type] = {
    "model": sections.ModelSection,
    "train": sections.TrainSection,
    "evaluation": sections.EvaluationSection,
    "execution": sections.ExecutionSection,
    "ablation": sections.AblationSection,
}
TOP_VALUES: Mapping[str, Parameter] = {
    "seed": Parameter("seed", int, None, 0, "of a single run; an ablation counts its seeds from here"),
    "description": Parameter("description", str, None, "", "what the recipe is for"),
    "requires": Parameter(
        "requires", tuple[str, ...], None, (), 'plugins that the recipe needs, as in "drumkit-extras>=1.0"'
    ),
    "may_be_unused": Parameter(
        "may_be_unused", tuple[str, ...], None, (), "key paths that may have no effect"
    ),
}


def resolve(source: Source, catalogue: Catalogue) -> Recipe:
    """A complete recipe; RecipeError with all faults where it cannot be one."""
    resolver = _Resolver(catalogue)
    recipe = resolver.recipe(source)
    if recipe is None:
        raise RecipeError(_in_order(resolver.faults), recipe=source.name)
    return recipe


def resolve_part(kind: str, text: str, catalogue: Catalogue, defaults: str = "") -> Part:
    """One component from a string or an inline table, outside any recipe; `defaults` is the text of such a table."""
    root = parse_text(f"part = {text}\n[defaults]\n{defaults}\n", kind, Path.cwd())
    resolver = _Resolver(catalogue)
    resolver._take_defaults(root.value["defaults"])  # noqa: SLF001 - the same module
    part = resolver._part(Slot(kind), root.value["part"], kind, ())  # noqa: SLF001
    if part is None or resolver.faults:
        raise RecipeError(_in_order(resolver.faults), recipe=kind)
    return part


def _in_order(faults: Iterable[Fault]) -> list[Fault]:
    unique = {(f.place, f.path, f.what): f for f in faults}
    return sorted(
        unique.values(),
        key=lambda f: (f.place.label, f.place.line, f.place.column) if f.place else ("", 0, 0),
    )


@define
class _Resolver:
    catalogue: Catalogue
    faults: list[Fault] = Factory(list)
    origins: dict[str, str] = Factory(dict)
    defaults: dict[str, Node] = Factory(dict)
    defaults_used: set[str] = Factory(set)
    missing: list[str] = Factory(list)
    """Requirements of the recipe that are not met."""
    standing_for: list[tuple[str, str]] = Factory(list)
    """Path of a slot and of the default that is being read for it."""

    def recipe(self, source: Source) -> Recipe | None:
        root = dict(source.root.value)
        self._check_requirements(root.get("requires"))
        self._take_defaults(root.pop("defaults", None))
        values: dict[str, Any] = {}
        for name, (slot, extras, default) in TOP_SLOTS.items():
            values[name] = self._slot(slot, root.pop(name, None), name, source.root, default, extras)
        for name, section in TOP_SECTIONS.items():
            node = root.pop(name, None)
            values[name] = (
                self._section(section, node, name, source.root) if node or name != "ablation" else None
            )
        for name, parameter in TOP_VALUES.items():
            values[name] = self._value(parameter, root.pop(name, None), name, source.root)
        self._unknown(root, [*TOP_SLOTS, *TOP_SECTIONS, *TOP_VALUES, "defaults", "extends"], "", "")
        self._inert_defaults(values.pop("may_be_unused") or ())
        values["requires"] = values["requires"] or ()
        self._check_ablation(values, source)
        self._inert_losses(values["losses"] or (), source.root.value.get("losses"))
        if self.faults:
            return None
        return Recipe(name=source.name, origins=self.origins, dropped=tuple(source.dropped), **values)

    def _check_requirements(self, node: Node | None) -> None:
        for wanted in node.value if node is not None and isinstance(node.value, list) else ():
            problem = missing_requirement(wanted.value) if isinstance(wanted.value, str) else ""
            if problem:
                self.missing.append(problem)
                self._fault(problem, wanted.place, "requires", accepted=f"pip install '{wanted.value}'")

    def _take_defaults(self, node: Node | None) -> None:
        if node is None:
            return
        if not isinstance(node.value, dict):
            self._fault("defaults is a table from kind to component", node.place, "defaults")
            return
        for kind, default in node.value.items():
            if kind in self.catalogue.kinds:
                self.defaults[kind] = default
            else:
                near = self.catalogue.suggest(kind, self.catalogue.kinds)
                self._fault(
                    f'there is no kind "{kind}"', default.key_place, f"defaults.{kind}", suggestions=near
                )

    def _inert_defaults(self, allowed: tuple[str, ...]) -> None:
        if self.faults:  # a part that could not be resolved may be the one that uses it
            return
        for kind, node in self.defaults.items():
            if kind not in self.defaults_used and f"defaults.{kind}" not in allowed:
                self._fault(
                    f"no {kind} slot of this recipe takes its component from here",
                    node.key_place,
                    f"defaults.{kind}",
                    accepted=f'leave it out, or say may_be_unused = ["defaults.{kind}"]',
                )

    def _inert_losses(self, losses: Iterable[Part | None], node: Node | None) -> None:
        for index, loss in enumerate(losses):
            if loss is not None and node is not None and loss.extras["weight"] == 0:
                place = node.value[index].value["weight"].place
                self._fault(
                    "a loss of weight 0 has no effect",
                    place,
                    f"losses.{index}.weight",
                    accepted="leave it out",
                )

    def _section(self, section: type, node: Node | None, path: str, around: Node) -> Any:
        table = self._table(node, path) if node else {}
        if table is None:
            return None
        values = {}
        for field in attrs.fields(section):
            here = f"{path}.{field.name}"
            child = table.pop(field.name, None)
            parameter = sections.parameters(section)[field.name]
            if field.name == "vary":
                values["vary"] = self._vary(child, node or around)
            elif parameter.slot:
                extras = field.metadata["extras"]
                values[field.name] = self._slot(
                    parameter.slot, child, here, node or around, parameter.default, extras
                )
            else:
                value = self._value(parameter, child, here, node or around)
                self._within(value, field.metadata, child, here)
                values[field.name] = value
        self._unknown(table, [f.name for f in attrs.fields(section)], path, "")
        return None if self.faults else section(**values)

    def _within(self, value: Any, metadata: Mapping[str, Any], node: Node | None, path: str) -> None:
        least, most = metadata["least"], metadata["most"]
        if node is None or not isinstance(value, int | float):
            return
        if (least is not None and value < least) or (most is not None and value > most):
            limits = " and ".join(
                f"{word} {limit:g}"
                for word, limit in (("at least", least), ("at most", most))
                if limit is not None
            )
            self._fault(f"{value} is out of range", node.place, path, accepted=limits)

    def _vary(self, node: Node | None, around: Node) -> Mapping[str, Any]:
        if node is None:
            self._missing("vary", "ablation.vary", around, "a table from key path to alternatives")
            return {}
        table = self._table(node, "ablation.vary") or {}
        for path, alternatives in table.items():
            if not isinstance(alternatives.value, list) or len(alternatives.value) < 2:
                self._fault(
                    "takes an array of at least two alternatives, the baseline first",
                    alternatives.place,
                    f'ablation.vary."{path}"',
                )
        if not table:
            self._fault("names nothing to vary", node.place, "ablation.vary")
        return {path: alternatives.plain() for path, alternatives in table.items()}

    def _check_ablation(self, values: Mapping[str, Any], source: Source) -> None:
        ablation, evaluation = values["ablation"], values["evaluation"]
        if ablation is None or evaluation is None:
            return
        measured = {part.name: part for part in evaluation.metrics or ()}
        node = source.root.value["ablation"].value["metric"]
        if ablation.metric not in measured:
            self._fault(
                f'"{ablation.metric}" is not among evaluation.metrics',
                node.place,
                "ablation.metric",
                accepted=", ".join(measured),
                suggestions=self.catalogue.suggest(ablation.metric, measured),
            )
        elif measured[ablation.metric].component.signature.constants.get("direction") not in {
            "lower",
            "higher",
        }:
            self._fault(
                f"{ablation.metric} has no direction, so no arm could be better by it",
                node.place,
                "ablation.metric",
            )

    def _slot(
        self,
        slot: Slot,
        node: Node | None,
        path: str,
        around: Node,
        default: Any,
        extras: tuple[Parameter, ...] = (),
    ) -> Any:
        if slot.many:
            return self._slots(slot, node, path, around, default, extras)
        if node is None and slot.kind in self.defaults:
            return self._from_defaults(slot, path, extras)
        if node is None:
            if default is not REQUIRED:
                self.origins[path] = "default"
                return default
            self._missing(
                path.rpartition(".")[2], path, around, f"a component of kind {slot.kind}", slot.kind
            )
            return None
        if slot.optional and node.value == NONE and not self.catalogue.find(slot.kind, NONE):
            self.origins[path] = str(node.place)
            return None
        return self._part(slot, node, path, extras)

    def _from_defaults(self, slot: Slot, path: str, extras: tuple[Parameter, ...]) -> Part | None:
        self.defaults_used.add(slot.kind)
        # A fault of the default is one fault, in however many slots the default stands.
        self.standing_for.append((path, f"defaults.{slot.kind}"))
        part = self._part(slot, self.defaults[slot.kind], path, extras)
        self.standing_for.pop()
        return part

    def _slots(
        self,
        slot: Slot,
        node: Node | None,
        path: str,
        around: Node,
        default: Any,
        extras: tuple[Parameter, ...],
    ) -> Any:
        if node is None:
            if default is REQUIRED:
                self._missing(path, path, around, f"an array of components of kind {slot.kind}", slot.kind)
                return None
            return default
        if not isinstance(node.value, list):
            self._fault(
                "takes an array of components", node.place, path, accepted=f"[[{path}]] tables, or strings"
            )
            return None
        if not node.value and default is REQUIRED:
            self._fault(f"needs at least one {slot.kind}", node.place, path)
        return tuple(self._part(slot, child, f"{path}.{i}", extras) for i, child in enumerate(node.value))

    def _part(self, slot: Slot, node: Node, path: str, extras: tuple[Parameter, ...]) -> Part | None:
        if isinstance(node.value, str):
            name, name_node, table = node.value, node, {}
        elif isinstance(node.value, dict):
            table = dict(node.value)
            use = table.pop("use", None)
            if use is None:
                self._missing(
                    "use", f"{path}.use", node, f"the name of a component of kind {slot.kind}", slot.kind
                )
                return None
            if not isinstance(use.value, str):
                self._fault("takes the name of a component", use.place, f"{path}.use")
                return None
            name, name_node = use.value, use
        else:
            self._fault(
                f"takes a component of kind {slot.kind}", node.place, path, accepted="a name, or a table"
            )
            return None
        component = self._component(slot.kind, name, name_node.place, path)
        if component is None:
            return None
        try:
            parameters = component.signature.parameters
        except PluginError as error:
            self._fault(error.what, name_node.place, path)
            return None
        self.origins[f"{path}.use"] = str(name_node.place)
        values = {
            p.name: self._any(p, table.pop(p.name, None), path, node, component) for p in parameters.values()
        }
        more = {p.name: self._any(p, table.pop(p.name, None), path, node, component) for p in extras}
        self._unknown(table, [*parameters, *(p.name for p in extras)], path, str(component))
        return Part(component, values, more)

    def _any(
        self, parameter: Parameter, node: Node | None, path: str, around: Node, component: Component
    ) -> Any:
        here = f"{path}.{parameter.name}"
        if parameter.slot:
            return self._slot(parameter.slot, node, here, around, parameter.default)
        return self._value(parameter, node, here, around, component)

    def _component(self, kind: str, name: str, place: Place, path: str) -> Component | None:
        found = self.catalogue.find(kind, name)
        if len(found) == 1:
            return found[0]
        if found:
            owners = " and ".join(c.plugin.owner for c in found)
            self._fault(
                f'"{name}" is offered by {owners}',
                place,
                path,
                accepted=" or ".join(f'"{c.qualified}"' for c in found),
            )
            return None
        elsewhere = self.catalogue.elsewhere(kind, name)
        if elsewhere:
            what = f"{name} is {_article(elsewhere[0].kind)}; this slot takes {_article(kind)}"
        else:
            what = f'there is no {kind} called "{name}"'
        known = [c.name for c in self.catalogue.of_kind(kind)]
        near = self.catalogue.suggest(name, known)
        owned = [str(c) for n in near for c in self.catalogue.find(kind, n)]
        broken = [f"{p.distribution} {p.version} did not load ({p.problem})" for p in self.catalogue.broken()]
        distribution, colon, _ = name.rpartition(":")
        if colon and distribution not in {plugin.distribution for plugin in self.catalogue.plugins}:
            broken.append(f'no plugin called "{distribution}" is installed')
        accepted = "; ".join([", ".join(known), *broken, *self.missing])
        self._fault(what, place, path, accepted=accepted, suggestions=tuple(owned[:3]))
        return None

    def _value(
        self,
        parameter: Parameter,
        node: Node | None,
        path: str,
        around: Node,
        component: Component | None = None,
    ) -> Any:
        owner = str(component) if component else ""
        if node is None:
            if parameter.default is REQUIRED:
                self._missing(parameter.name, path, around, parameter.accepted(), component=owner)
                return None
            self.origins[path] = f"default of {component}" if component else "default"
            return parameter.default
        self.origins[path] = str(node.place)
        try:
            value = structure(node.plain(), parameter.type)
        except (TypeError, ValueError) as error:
            place = _culprit(node, parameter.type).place
            self._fault(str(error), place, path, accepted=parameter.accepted(), component=owner)
            return None
        if isinstance(value, Path):
            return node.folder / value.expanduser()
        return value

    def _table(self, node: Node, path: str) -> dict[str, Node] | None:
        if isinstance(node.value, dict):
            return dict(node.value)
        self._fault("is a table", node.place, path)
        return None

    def _unknown(self, table: Mapping[str, Node], known: list[str], path: str, component: str) -> None:
        for name, node in table.items():
            self._fault(
                f'there is no key "{name}"',
                node.key_place,
                f"{path}.{name}" if path else name,
                accepted=", ".join(known) or "no keys",
                suggestions=self.catalogue.suggest(name, known),
                component=component,
            )

    def _missing(
        self, name: str, path: str, around: Node, accepted: str, kind: str = "", component: str = ""
    ) -> None:
        hint = f"; [defaults] {kind} = ... fills every {kind} slot" if kind else ""
        what = f"{name} is missing"
        self._fault(what, around.place, path, accepted=accepted + hint, component=component)

    def _fault(
        self,
        what: str,
        place: Place,
        path: str,
        accepted: str = "",
        suggestions: tuple[str, ...] = (),
        component: str = "",
    ) -> None:
        for slot_path, default_path in self.standing_for:
            if path.startswith(slot_path):
                path = default_path + path.removeprefix(slot_path)
        self.faults.append(Fault(what, place, path, component, accepted, suggestions))


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _culprit(node: Node, kind: Any) -> Node:
    """The innermost value that is at fault: an element of an array has its own place."""
    if isinstance(node.value, list) and getattr(kind, "__args__", None):
        inner = kind.__args__[0]
        for child in node.value:
            try:
                structure(child.plain(), inner)
            except (TypeError, ValueError):
                return _culprit(child, inner)
    return node
