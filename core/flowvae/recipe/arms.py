"""The arms of an ablation: the baseline, and one change each."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve, field, frozen

from flowvae.catalogue import Catalogue
from flowvae.errors import Fault, RecipeError
from flowvae.recipe.content import by_content
from flowvae.recipe.identity import OUTSIDE
from flowvae.recipe.layering import set_path
from flowvae.recipe.measuring import blind, idle
from flowvae.recipe.node import Dropped, Node, Source, component_name, node_at
from flowvae.recipe.resolve import faults_of_values, resolve
from flowvae.recipe.tables import Recipe
from flowvae.recipe.values import NONE
from flowvae.text import toml_like

MAX_ARMS = 1000


@frozen(eq=False)
class Arm:
    """One variant: a complete recipe, and how it came to be."""

    name: str
    recipe: Recipe
    changes: dict[str, str]
    """Key path to the alternative as the recipe writes it; empty for the baseline."""


@frozen(eq=False, repr=False)
class AblationPlan:
    """The arms, the baseline first. A recipe without an ablation has one arm."""

    recipe: Recipe
    arms: tuple[Arm, ...]
    factors: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """Where several axes are crossed, the alternatives of each by key path, as the recipe writes them."""

    def __repr__(self) -> str:
        return f"{self.recipe.name}: arms {', '.join(arm.name for arm in self.arms)}; {len(self.seeds)} seeds"

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of every arm."""
        ablation, first = self.recipe.ablation, self.recipe.seed
        return tuple(range(first, first + (ablation.seeds if ablation else 1)))


def plan_ablation(source: Source, catalogue: Catalogue) -> AblationPlan:
    """Resolves every arm; RecipeError with the faults of all of them."""
    axes = _axes(source)
    if axes is None:
        recipe = resolve(source, catalogue)
        return AblationPlan(recipe, (Arm(recipe.name, recipe, {}),))
    arms: list[Arm] = []
    faults = [*_overridden(source, axes), *_without_effect(axes), *_misspelt_under(source, axes, catalogue)]
    names = _names(axes)
    for choice in _choices(axes, cross=_crossed(source)):
        try:
            recipe = resolve(_varied(source, axes, choice), catalogue)
        except RecipeError as error:
            faults += error.faults
            continue
        changes = {path: _said(axes[path][i]) for path, i in choice.items() if i}
        arms.append(Arm(_arm_name(names, choice), recipe, changes))
    faults += _faults_between(arms, source)
    faults += [] if faults else _faults_of_pairs(arms, source, catalogue)
    if not faults:
        ablation, recipes = source.root.value["ablation"].value, [arm.recipe for arm in arms]
        faults += blind(recipes, ablation["metric"].place, catalogue)
        faults += idle(recipes, ablation["vary"].key_place)
    if faults:
        unique = {(f.place, f.path, f.what): f for f in faults}
        raise RecipeError(list(unique.values()), recipe=source.name)
    crossed = _crossed(source) and len(axes) > 1
    factors = {path: tuple(map(_said, nodes)) for path, nodes in axes.items()} if crossed else {}
    return AblationPlan(arms[0].recipe, tuple(arms), factors)


def _axes(source: Source) -> dict[str, list[Node]] | None:
    ablation = source.root.value.get("ablation")
    vary = ablation.value.get("vary") if ablation and isinstance(ablation.value, dict) else None
    if vary is None or not isinstance(vary.value, dict) or not vary.value:
        return None
    lists = {
        path: node.value for path, node in vary.value.items() if isinstance(node.value, list) and node.value
    }
    return lists if len(lists) == len(vary.value) else None


def _overridden(source: Source, axes: dict[str, list[Node]]) -> Iterator[Fault]:
    """A setting of the command line that every arm replaces would be silently without effect."""
    for path in axes:
        node = node_at(source.root, path)
        if node is not None and node.place.line == 0:
            yield Fault(
                f"has no effect: the ablation varies {path}",
                node.place,
                path,
                accepted=f"--set 'ablation.vary={{ \"{path}\" = [ ... ] }}' changes what is varied",
            )


def _without_effect(axes: dict[str, list[Node]]) -> Iterator[Fault]:
    """What no result depends on cannot be compared: its arms would be one run, trained twice."""
    for path, nodes in axes.items():
        if path == "seed" or f"{path}.".startswith(OUTSIDE) or path.startswith(OUTSIDE):
            what = f"no result depends on {path}, so its arms would be the same"
            yield Fault(what, nodes[0].place, "ablation.vary")


def _misspelt_under(source: Source, axes: dict[str, list[Node]], catalogue: Catalogue) -> list[Fault]:
    """Faults of the values that the alternatives stand over: no arm reads them, their author still meant something."""
    faults = faults_of_values(source, catalogue)
    return [f for f in faults if any(f"{f.path}.".startswith(f"{path}.") for path in axes)]


def _crossed(source: Source) -> bool:
    cross = source.root.value["ablation"].value.get("cross")
    return bool(cross and cross.value is True)


def _choices(axes: dict[str, list[Node]], *, cross: bool) -> list[dict[str, int]]:
    if cross:
        count = 1
        for alternatives in axes.values():
            count *= len(alternatives)
        if count > MAX_ARMS:
            raise RecipeError(
                [Fault(f"asks for {count} arms; at most {MAX_ARMS} are run", path="ablation.vary")]
            )
        ranges = [range(len(alternatives)) for alternatives in axes.values()]
        return [dict(zip(axes, indices, strict=True)) for indices in itertools.product(*ranges)]
    baseline = dict.fromkeys(axes, 0)
    single = [{**baseline, path: i} for path, nodes in axes.items() for i in range(1, len(nodes))]
    return [baseline, *single]


def _varied(source: Source, axes: dict[str, list[Node]], choice: dict[str, int]) -> Source:
    root, dropped = source.root, list[Dropped](source.dropped)
    for path, index in choice.items():
        # Absence is one of the alternatives: where there is nothing to take out, it is there already.
        node = axes[path][index]
        root = set_path(root, path, evolve(node, takes_out=True) if node.value is False else node, dropped)
    return evolve(source, root=root, dropped=dropped)


def _said(node: Node) -> str:
    value = node.plain()
    return value if isinstance(value, str) else toml_like(value)


def _names(axes: dict[str, list[Node]]) -> dict[str, list[str]]:
    """A short name for every alternative: the component's, or key and value; told apart where they collide."""
    names: dict[str, list[str]] = {}
    for path, nodes in axes.items():
        key = path.rpartition(".")[2]
        called = _by_a_key_of_all(nodes) or [_called(node, key) for node in nodes]
        short = [
            f"without-{key}"
            if node.value is False and _names_parts(nodes)
            else name or f"{key}-{_slug(_said(node))}"
            for name, node in zip(called, nodes, strict=True)
        ]
        if len(set(short)) < len(short):
            short = _by_difference(nodes, short)
        names[path] = [_slug(name) for name in short]
    # One word on two axes, such as a flow on the prior and one on the posterior, says which by the axis's last key.
    counts = Counter(name for short in names.values() for name in set(short[1:]))
    return {
        path: [
            _slug(f"{path.rpartition('.')[2]}-{name}") if counts[name] > 1 and len(names) > 1 else name
            for name in short
        ]
        for path, short in names.items()
    }


def _called(node: Node, key: str) -> str | None:
    """What an alternative goes by: its component, the components of its list, or what the one key of its table goes by."""
    name = component_name(node)
    if name is not None:
        return name if name != NONE else None  # alone, it would not say what is left out
    if isinstance(node.value, list):
        names = [component_name(child) for child in node.value if isinstance(child.value, dict)]
        if not node.value:
            return f"no-{key}"
        return "-".join(map(str, names)) if len(names) == len(node.value) and None not in names else None
    if isinstance(node.value, dict) and len(node.value) == 1:
        [(inner, child)] = node.value.items()
        return _called(child, inner)
    return None


def _by_a_key_of_all(nodes: list[Node]) -> list[str | None] | None:
    """Names for alternatives that are tables of several keys, by the first key that tells all of them apart."""
    tables = [node.value for node in nodes if isinstance(node.value, dict) and "use" not in node.value]
    if len(tables) < len(nodes) or max(map(len, tables)) < 2:
        return None
    for key in tables[0]:
        said = [_said(table[key]) if key in table else "" for table in tables]
        if all(said) and len(set(said)) == len(said):
            return [f"{key}-{name}" for name in said]
    return None


def _by_difference(nodes: list[Node], short: list[str]) -> list[str]:
    """Names for alternatives that share a component: by the keys in which they differ."""
    tables = [dict(node.leaves()) if isinstance(node.value, dict) else {} for node in nodes]
    keys = dict.fromkeys(key for table in tables for key in table)
    values = {key: [table[key].value if key in table else None for table in tables] for key in keys}
    telling = [key for key in keys if len({repr(v) for v in values[key]}) > 1 and not key.endswith("use")]
    names = [
        "-".join(f"{key}-{table[key].value}" for key in telling if key in table) or name
        for table, name in zip(tables, short, strict=True)
    ]
    return names if len(set(names)) == len(names) else [_slug(_said(node)) for node in nodes]


def _names_parts(nodes: list[Node]) -> bool:
    """Whether the alternatives are a part and its absence, and no true and false."""
    return any(isinstance(node.value, dict | str) for node in nodes)


def _arm_name(names: dict[str, list[str]], choice: dict[str, int]) -> str:
    if len(names) == 1:
        [(path, index)] = choice.items()
        return names[path][index]
    changed = [names[path][index] for path, index in choice.items() if index]
    return "-".join(changed) or "baseline"


def _slug(text: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_.") else "-" for c in text.lower())
    return "-".join(filter(None, kept.split("-")))[:64] or "arm"


def _faults_of_pairs(arms: list[Arm], source: Source, catalogue: Catalogue) -> list[Fault]:
    """Pairs are of arms that there are, and of two alternatives: each is compared with the baseline anyway."""
    node = source.root.value["ablation"].value.get("pairs")
    ablation = arms[0].recipe.ablation
    if node is None or ablation is None:
        return []
    names = [arm.name for arm in arms]
    faults = []
    for pair in ablation.pairs:
        for name in pair:
            if name not in names:
                near = catalogue.suggest(name, names)
                faults.append(
                    Fault(
                        f"there is no arm {name}",
                        node.place,
                        "ablation.pairs",
                        accepted=", ".join(names),
                        suggestions=near,
                    )
                )
        if pair[0] == pair[1]:
            faults.append(Fault(f"{pair[0]} is compared with itself", node.place, "ablation.pairs"))
        elif names[0] in pair:
            what = f"{names[0]} is the baseline, with which every arm is compared anyway"
            faults.append(Fault(what, node.place, "ablation.pairs"))
    return faults


def _faults_between(arms: list[Arm], source: Source) -> list[Fault]:
    place = source.root.value["ablation"].value["vary"].key_place
    faults = []
    seen: dict[str, Any] = {}
    names: set[str] = set()
    for arm in arms:
        key = repr(sorted((path, by_content(value)) for path, value in arm.recipe.leaves().items()))
        if key in seen:
            faults.append(Fault(f"{arm.name} is the same recipe as {seen[key]}", place, "ablation.vary"))
        seen.setdefault(key, arm.name)
        if arm.name in names:
            faults.append(Fault(f"two arms would be called {arm.name}", place, "ablation.vary"))
        names.add(arm.name)
    return faults
