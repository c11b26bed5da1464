"""Resolution: from the tree that the user wrote to a complete recipe, or every fault at once."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import define

from flowvae.catalogue import REQUIRED, Catalogue, Parameter, Slot
from flowvae.errors import Fault, RecipeError
from flowvae.recipe import sections
from flowvae.recipe.filling import Filler
from flowvae.recipe.requirements import missing_requirement
from flowvae.recipe.resolved import Part, Recipe
from flowvae.recipe.tree import Node, Source, node_at, parse_text

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
    fill = Filler(catalogue)
    recipe = _Resolver(catalogue, fill).recipe(source)
    if recipe is None:
        raise RecipeError(_in_order(fill.faults), recipe=source.name)
    return recipe


def resolve_part(kind: str, text: str, catalogue: Catalogue, defaults: str = "") -> Part:
    """One component from a string or an inline table, outside any recipe; `defaults` is the text of such a table."""
    root = parse_text(f"part = {text}\n[defaults]\n{defaults}\n", kind, Path.cwd())
    fill = Filler(catalogue)
    fill.take_defaults(root.value["defaults"])
    part = fill.part(Slot(kind), root.value["part"], kind, ())
    if part is None or fill.faults:
        raise RecipeError(_in_order(fill.faults), recipe=kind)
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
    fill: Filler

    def recipe(self, source: Source) -> Recipe | None:
        root = dict(source.root.value)
        self._check_requirements(root.get("requires"))
        self.fill.take_defaults(root.pop("defaults", None))
        values: dict[str, Any] = {}
        for name, (slot, extras, default) in TOP_SLOTS.items():
            values[name] = self.fill.slot(slot, root.pop(name, None), name, source.root, default, extras)
        for name, section in TOP_SECTIONS.items():
            node = root.pop(name, None)
            values[name] = (
                self._section(section, node, name, source.root) if node or name != "ablation" else None
            )
        for name, parameter in TOP_VALUES.items():
            values[name] = self.fill.value(parameter, root.pop(name, None), name, source.root)
        self.fill.unknown(root, [*TOP_SLOTS, *TOP_SECTIONS, *TOP_VALUES, "defaults", "extends"], "", "")
        self._inert_defaults(values.pop("may_be_unused") or ())
        values["requires"] = values["requires"] or ()
        self._check_ablation(values, source)
        self._inert_losses(values["losses"] or (), source.root.value.get("losses"))
        self._twice_measured(values["evaluation"], node_at(source.root, "evaluation.metrics"))
        if self.fill.faults:
            return None
        return Recipe(name=source.name, origins=self.fill.origins, dropped=tuple(source.dropped), **values)

    def _check_requirements(self, node: Node | None) -> None:
        for wanted in node.value if node is not None and isinstance(node.value, list) else ():
            problem = missing_requirement(wanted.value) if isinstance(wanted.value, str) else ""
            if problem:
                self.fill.unmet.append(problem)
                self.fill.fault(problem, wanted.place, "requires", accepted=f"pip install '{wanted.value}'")

    def _inert_defaults(self, allowed: tuple[str, ...]) -> None:
        if self.fill.faults:  # a part that could not be resolved may be the one that uses it
            return
        for kind, node in self.fill.defaults.items():
            if kind not in self.fill.defaults_used and f"defaults.{kind}" not in allowed:
                self.fill.fault(
                    f"no {kind} slot of this recipe takes its component from here",
                    node.key_place,
                    f"defaults.{kind}",
                    accepted=f'leave it out, or say may_be_unused = ["defaults.{kind}"]',
                )

    def _inert_losses(self, losses: Iterable[Part | None], node: Node | None) -> None:
        for index, loss in enumerate(losses):
            if loss is not None and node is not None and loss.extras["weight"] == 0:
                place = node.value[index].value["weight"].place
                self.fill.fault(
                    "a loss of weight 0 has no effect",
                    place,
                    f"losses.{index}.weight",
                    accepted="leave it out",
                )

    def _twice_measured(self, evaluation: sections.EvaluationSection | None, node: Node | None) -> None:
        """Figures go by the names of their metrics: of two with one name, one would be lost."""
        seen: set[str] = set()
        for index, part in enumerate(evaluation.metrics if evaluation and node else ()):
            if part.name in seen and node:
                path = f"evaluation.metrics.{index}"
                self.fill.fault(f"{part.name} is measured twice", node.value[index].place, path)
            seen.add(part.name)

    def _section(self, section: type, node: Node | None, path: str, around: Node) -> Any:
        table = self.fill.table(node, path) if node else {}
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
                values[field.name] = self.fill.slot(
                    parameter.slot, child, here, node or around, parameter.default, extras
                )
            else:
                values[field.name] = self.fill.value(parameter, child, here, node or around)
        self.fill.unknown(table, [f.name for f in attrs.fields(section)], path, "")
        return None if self.fill.faults else section(**values)

    def _vary(self, node: Node | None, around: Node) -> Mapping[str, Any]:
        if node is None:
            self.fill.missing("vary", "ablation.vary", around, "a table from key path to alternatives")
            return {}
        table = self.fill.table(node, "ablation.vary") or {}
        for path, alternatives in table.items():
            if not isinstance(alternatives.value, list) or len(alternatives.value) < 2:
                self.fill.fault(
                    "takes an array of at least two alternatives, the baseline first",
                    alternatives.place,
                    f'ablation.vary."{path}"',
                )
        if not table:
            self.fill.fault("names nothing to vary", node.place, "ablation.vary")
        return {path: alternatives.plain() for path, alternatives in table.items()}

    def _check_ablation(self, values: Mapping[str, Any], source: Source) -> None:
        ablation, evaluation = values["ablation"], values["evaluation"]
        if ablation is None or evaluation is None:
            return
        measured = {part.name: part for part in evaluation.metrics or ()}
        node = source.root.value["ablation"].value["metric"]
        if ablation.metric not in measured:
            self.fill.fault(
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
            self.fill.fault(
                f"{ablation.metric} has no direction, so no arm could be better by it",
                node.place,
                "ablation.metric",
            )
