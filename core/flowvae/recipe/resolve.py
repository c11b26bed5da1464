"""Resolution: from the tree that the user wrote to a complete recipe, or every fault at once."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import define

from flowvae.catalogue import REQUIRED, Catalogue, Slot
from flowvae.errors import Fault, RecipeError, shown
from flowvae.recipe.across import faults_of_across
from flowvae.recipe.content import is_there
from flowvae.recipe.density import Densities
from flowvae.recipe.filling import Filler
from flowvae.recipe.inert import SecondPlayer, inert_clips, inert_fit, inert_losses
from flowvae.recipe.keys import entries, paths_called
from flowvae.recipe.looks import faults_of_looks
from flowvae.recipe.measuring import too_few
from flowvae.recipe.node import Node, Source
from flowvae.recipe.part import Part, from_keys, leaves
from flowvae.recipe.reading import parse_text
from flowvae.recipe.requirements import missing_requirement
from flowvae.recipe.tables import AblationSection, AdversarialKeys, EvaluationSection, Recipe


def resolve(source: Source, catalogue: Catalogue) -> Recipe:
    """A complete recipe; RecipeError with all faults where it cannot be one."""
    fill = Filler(catalogue)
    recipe = _Resolver(catalogue, fill).recipe(source)
    if recipe is None:
        raise RecipeError(_in_order(fill.faults), recipe=source.name)
    return recipe


def faults_of_values(source: Source, catalogue: Catalogue) -> list[Fault]:
    """What is wrong with the values of a recipe that no arm may read, whatever its components need of each other."""
    fill = Filler(catalogue)
    _Resolver(catalogue, fill).values(source)
    return _in_order(fill.faults)


def resolve_part(kind: str, text: str, catalogue: Catalogue, defaults: str = "") -> Part:
    """One component from a string or an inline table, outside any recipe; `defaults` is the text of such a table."""
    root = parse_text(f"part = {text}\n[defaults]\n{defaults}\n", kind, Path.cwd())
    fill = Filler(catalogue)
    fill.take_defaults(root.value["defaults"])
    part = fill.part(Slot(kind), root.value["part"], kind)
    if part is None or fill.faults:
        raise RecipeError(_in_order(fill.faults), recipe=kind)
    return part


def _in_order(faults: Iterable[Fault]) -> list[Fault]:
    unique = {(f.place, f.path, f.what): f for f in faults}
    return sorted(
        unique.values(),
        key=lambda f: (f.place.label, f.place.line, f.place.column) if f.place else ("", 0, 0),
    )


@define(eq=False, repr=False)
class _Resolver:
    catalogue: Catalogue
    fill: Filler

    def recipe(self, source: Source) -> Recipe | None:
        values = self.values(source)
        if not self.fill.faults:
            model, metrics = values["model"], values["evaluation"].metrics
            self.fill.faults += Densities(model, values["regularizer"], metrics, source.root).faults()
        if self.fill.faults:
            return None
        return Recipe(name=source.name, origins=self.fill.origins, dropped=tuple(source.dropped), **values)

    def values(self, source: Source) -> dict[str, Any]:
        """All that is written, checked but for what components need of each other."""
        root = dict(source.root.value)
        self._check_requirements(root.get("requires"))
        self.fill.take_defaults(root.pop("defaults", None))
        values = self._table(Recipe, root, "", source.root)
        elsewhere = {name: tuple(paths_called(Recipe, name)) for name in root}
        self.fill.unknown(root, [*entries(Recipe), "defaults", "extends"], "", "", elsewhere)
        self._inert_defaults(values["may_be_unused"] or ())
        self.fill.faults += [*faults_of_looks(source.root), *faults_of_across(source.root)]
        self._check_ablation(values["ablation"], values["evaluation"], source)
        self._check_effects(values, source.root)
        self._check_paths(values)
        return values

    def _table(self, section: type, table: dict[str, Node], path: str, around: Node) -> dict[str, Any]:
        """The values of a table's keys, which are taken out of it."""
        values: dict[str, Any] = {}
        for name, entry in entries(section).items():
            here, parameter = f"{path}.{name}" if path else name, entry.parameter
            child = self._take(table, name, entry.formerly, here)
            if entry.section:
                values[name] = self._section(entry.section, child, here, around, parameter.default)
            elif entry.table_instead and child is not None and isinstance(child.value, dict):
                values[name] = self._section(entry.table_instead, child, here, around, REQUIRED)
            elif entry.holds_words:
                values[name] = self._words(child, here)
            elif entry.is_free:
                values[name] = self._axes(child, here, around, parameter.default)
            elif parameter.slot:
                values[name] = self.fill.slot(parameter.slot, child, here, around, parameter.default)
            else:
                values[name] = self.fill.value(parameter, child, here, around)
        return values

    def _take(self, table: dict[str, Node], name: str, formerly: str, path: str) -> Node | None:
        old = table.pop(formerly, None) if formerly else None
        if old is not None:
            before = f"{path.rpartition('.')[0]}.{formerly}"
            self.fill.fault(
                f"{formerly} is called {name} now", old.key_place, before, accepted=f"{name} = ..."
            )
        return table.pop(name, old)

    def _section(self, section: type, node: Node | None, path: str, around: Node, default: Any) -> Any:
        if default is not REQUIRED and (node is None or self.fill.is_taken_out(node, path)):
            return default
        table = self.fill.table(node, path) if node else {}
        if table is None:
            return None
        values = self._table(section, table, path, node or around)
        self.fill.unknown(table, list(entries(section)), path, "")
        return None if self.fill.faults else from_keys(section, values)

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

    def _check_effects(self, values: Mapping[str, Any], root: Node) -> None:
        if self.fill.faults:  # what could not be read may be what gives the rest its effect
            return
        self.fill.faults += inert_losses(values["losses"], values["model"].n_samples, root)
        keys, train, fit = None, values["train"], values["prior_fit"]
        self.fill.faults += too_few(values["evaluation"], root)
        if (adversarial := values["adversarial"]) is not None:
            keys = AdversarialKeys(**adversarial.extras)
            self.fill.faults += SecondPlayer(keys, train, fit, values["model"].n_samples, root).faults()
        self.fill.faults += inert_clips({"train": train, "adversarial": keys, "prior_fit": fit}, root)
        if fit is not None:
            self.fill.faults += inert_fit(fit, train, keys, values["start"], root)

    def _check_paths(self, values: Mapping[str, Any]) -> None:
        """What a path points to is part of the recipe, but for the sounds: their data set tells what is wrong with them."""
        told = set()  # a default stands in many slots, and its path was written once
        # Where the run to start from lies depends on the seed: who plans the runs looks for it.
        for path, value in () if self.fill.faults else leaves({**values, "data": {}, "start": {}}):
            for file in value if isinstance(value, tuple) else (value,):
                if (
                    isinstance(file, Path)
                    and not is_there(file)
                    and (place := self.fill.places[path]) not in told
                ):
                    told.add(place)
                    self.fill.fault(f"there is no file or folder {shown(file)}", place, path)

    def _words(self, node: Node | None, path: str) -> Mapping[str, str]:
        table = self.fill.table(node, path) or {} if node else {}
        for key, child in table.items():
            if not isinstance(child.value, str):
                self.fill.fault("takes words", child.place, f"{path}.{key}", accepted='"..."')
        return {key: str(child.value) for key, child in table.items()}

    def _axes(self, node: Node | None, here: str, around: Node, default: Any) -> Mapping[str, Any]:
        if node is None:
            if default is REQUIRED:
                key = here.rpartition(".")[2]
                self.fill.missing(key, here, around, "a table from key path to alternatives")
            return {}
        table = self.fill.table(node, here) or {}
        for path, alternatives in table.items():
            if not isinstance(alternatives.value, list) or len(alternatives.value) < 2:
                self.fill.fault(
                    "takes an array of at least two alternatives, the baseline first",
                    alternatives.place,
                    f'{here}."{path}"',
                    accepted='a key path in quotes: "losses.long.weight" = [1.0, 3.0]'
                    if isinstance(alternatives.value, dict)
                    else "",
                )
        if not table and default is REQUIRED:
            self.fill.fault("names nothing to vary", node.place, here)
        return {path: alternatives.plain() for path, alternatives in table.items()}

    def _check_ablation(
        self, ablation: AblationSection | None, evaluation: EvaluationSection | None, source: Source
    ) -> None:
        if ablation is None or evaluation is None:
            return
        measured = evaluation.metrics or {}
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
