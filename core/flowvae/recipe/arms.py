"""The arms of an ablation: the baseline, and one change each."""

import itertools
import math
from collections.abc import Iterator, Mapping
from functools import cache

from attrs import evolve, field, frozen

from flowvae.catalogue import Catalogue
from flowvae.errors import Fault, RecipeError
from flowvae.recipe.across import PATH, Axis, axis_across
from flowvae.recipe.arm import Arm, faults_of_pairs, renamed
from flowvae.recipe.arm_names import names_of, variant_names, written_as
from flowvae.recipe.content import by_content, content_digest
from flowvae.recipe.difference import effective_difference, undeclared
from flowvae.recipe.identity import OUTSIDE
from flowvae.recipe.layering import set_path
from flowvae.recipe.leaving_out import with_parts_left_out
from flowvae.recipe.matching import faults_of_match
from flowvae.recipe.measuring import blind, idle
from flowvae.recipe.node import Dropped, Node, Source, node_at
from flowvae.recipe.reasons import faults_of_reasons
from flowvae.recipe.resolve import faults_of_values, resolve
from flowvae.recipe.tables import Recipe

MAX_ARMS = 1000


@frozen(eq=False, repr=False)
class AblationPlan:
    """The arms, the baseline first. A recipe without an ablation has one arm."""

    recipe: Recipe
    arms: tuple[Arm, ...]
    factors: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """Where several axes are crossed, the alternatives of each by key path, as the recipe writes them."""
    across: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """Where the ablation is run across some values, these by their key path, as the recipe writes them."""

    def __repr__(self) -> str:
        return f"{self.recipe.name}: arms {', '.join(arm.name for arm in self.arms)}; {self.said_seeds}"

    def baseline_of(self, arm: Arm) -> Arm:
        """What an arm is compared with: the first arm, or the first at the same value."""
        return next(one for one in self.arms if one.at == arm.at)

    def difference(self, arm: Arm) -> list[dict[str, str]]:
        """What an arm really changes of its baseline; of the baseline of another value, what it changes of the first."""
        return effective_difference(self.before(arm).recipe, arm.recipe)

    def flags(self, arm: Arm, matched: tuple[str, ...] = ()) -> list[str]:
        """What it changes besides what the recipe says, and what was matched."""
        ablation = self.recipe.ablation
        declared = ablation.vary if ablation and arm is not self.baseline_of(arm) else self.across
        return undeclared(self.difference(arm), (*declared, *matched))

    def before(self, arm: Arm) -> Arm:
        """Whose differences are told: its baseline, or for a baseline of another value the first."""
        own = self.baseline_of(arm)
        return self.arms[0] if arm is own else own

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of arms that are asked for besides, at each value."""
        ablation = self.recipe.ablation
        named = {(arm.variant, arm.at): arm.name for arm in self.arms}
        return tuple(
            (named[one, at], named[other, at])
            for at in dict.fromkeys(arm.at for arm in self.arms)
            for one, other in (ablation.pairs if ablation else ())
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of every arm; where looks are planned, all that may be needed."""
        return self.looks[-1]

    @property
    def looks(self) -> tuple[tuple[int, ...], ...]:
        """The seeds until each look at the runs; there is one, at the end, where the recipe plans no more."""
        ablation, first = self.recipe.ablation, self.recipe.seed
        return tuple(tuple(range(first, first + n)) for n in (ablation.counts if ablation else (1,)))

    @property
    def said_seeds(self) -> str:
        """The number of seeds in words."""
        least = f"{len(self.looks[0])} to " if len(self.looks) > 1 else ""
        return f"{least}{len(self.seeds)} {'seed' if len(self.seeds) == 1 else 'seeds'}"


def plan_ablation(source: Source, catalogue: Catalogue) -> AblationPlan:
    """Resolves every arm; RecipeError with the faults of all of them."""
    source = with_parts_left_out(source)
    axes = _axes(source)
    across = axis_across(source.root)
    if axes is None or across is None:
        recipe = resolve(source, catalogue)
        return AblationPlan(recipe, (Arm(recipe.name, recipe, {}, source, recipe.name),))
    every = {**axes, **across}
    choices = _choices(axes, across, cross=_crossed(source))
    faults = [
        *_overridden(source, axes, across),
        *_without_effect(axes, "ablation.vary"),
        *_without_effect(across, PATH),
        *_misspelt_under(source, every, catalogue),
    ]
    arms: list[Arm] = []
    values = [*names_of(across).items()]
    for variant, choice in zip(variant_names(axes, choices), choices, strict=True):
        one = _varied(source, every, choice)
        try:
            recipe = resolve(one, catalogue)
        except RecipeError as error:
            faults += error.faults
            continue
        changes = {path: written_as(every[path][i]) for path, i in choice.items() if i}
        name = "-".join([variant, *(names[choice[path]] for path, names in values)])
        at = "".join(written_as(nodes[choice[path]]) for path, nodes in across.items())
        arms.append(Arm(name, recipe, changes, one, variant, at))
    if not faults:
        arms, faults = renamed(arms, source, catalogue)
    faults += _faults_between(arms, source)
    faults += [] if faults else faults_of_pairs(arms, source, catalogue)
    faults += [] if faults else faults_of_reasons(arms, source, catalogue)
    faults += [] if faults else faults_of_match(arms, tuple(axes), source, catalogue)
    if not faults:
        faults += _faults_of_questions(arms, source, catalogue)
    if faults:
        unique = {(f.place, f.path, f.what): f for f in faults}
        raise RecipeError(list(unique.values()), recipe=source.name)
    crossed = _crossed(source) and len(axes) > 1
    factors = {path: tuple(map(written_as, nodes)) for path, nodes in axes.items()} if crossed else {}
    at_values = {path: tuple(map(written_as, nodes)) for path, nodes in across.items()}
    return AblationPlan(arms[0].recipe, tuple(arms), factors, at_values)


def _axes(source: Source) -> dict[str, list[Node]] | None:
    ablation = source.root.value.get("ablation")
    vary = ablation.value.get("vary") if ablation and isinstance(ablation.value, dict) else None
    if vary is None or not isinstance(vary.value, dict) or not vary.value:
        return None
    lists = {
        path: node.value for path, node in vary.value.items() if isinstance(node.value, list) and node.value
    }
    return lists if len(lists) == len(vary.value) else None


def _overridden(source: Source, axes: Axis, across: Axis) -> Iterator[Fault]:
    """A setting of the command line that every arm replaces would be silently without effect."""
    said = dict.fromkeys(axes, ("varies", "ablation.vary", "what is varied"))
    said |= dict.fromkeys(across, ("is run across", PATH, "that"))
    for path, (does, table, what) in said.items():
        node = node_at(source.root, path)
        if node is not None and node.place.line == 0:
            yield Fault(
                f"has no effect: the ablation {does} {path}",
                node.place,
                path,
                accepted=f"--set '{table}={{ \"{path}\" = [ ... ] }}' changes {what}",
            )


def _without_effect(axes: Axis, table: str) -> Iterator[Fault]:
    """What no result depends on cannot be compared: its arms would be one run, trained twice."""
    for path, nodes in axes.items():
        if path == "seed" or f"{path}.".startswith(OUTSIDE) or path.startswith(OUTSIDE):
            what = f"no result depends on {path}, so its arms would be the same"
            yield Fault(what, nodes[0].place, table)


def _misspelt_under(source: Source, axes: Axis, catalogue: Catalogue) -> list[Fault]:
    """Faults of the values that the alternatives stand over: no arm reads them, their author still meant something."""
    faults = faults_of_values(source, catalogue)
    return [f for f in faults if any(f"{f.path}.".startswith(f"{path}.") for path in axes)]


def _crossed(source: Source) -> bool:
    cross = source.root.value["ablation"].value.get("cross")
    return bool(cross and cross.value is True)


def _choices(axes: Axis, across: Axis, *, cross: bool) -> list[dict[str, int]]:
    """Which alternative each arm has of each axis: all arms at the first value of what is run across, then at the next."""
    lengths = [len(alternatives) for alternatives in axes.values()]
    n_values = math.prod(map(len, across.values()))
    count = n_values * (math.prod(lengths) if cross else 1 + sum(length - 1 for length in lengths))
    if count > MAX_ARMS:
        raise RecipeError([Fault(f"asks for {count} arms; at most {MAX_ARMS} are run", path="ablation.vary")])
    baseline = dict.fromkeys(axes, 0)
    single = [{**baseline, path: i} for path, nodes in axes.items() for i in range(1, len(nodes))]
    crossed = (dict(zip(axes, indices, strict=True)) for indices in itertools.product(*map(range, lengths)))
    chosen = list(crossed) if cross else [baseline, *single]
    # Across none, there is one value of nothing.
    values = itertools.product(*(range(len(nodes)) for nodes in across.values()))
    return [{**choice, **dict(zip(across, at, strict=True))} for at in values for choice in chosen]


def _varied(source: Source, axes: Axis, choice: dict[str, int]) -> Source:
    root, dropped = source.root, list[Dropped](source.dropped)
    for path, index in choice.items():
        # Absence is one of the alternatives: where there is nothing to take out, it is there already.
        node = axes[path][index]
        root = set_path(root, path, evolve(node, takes_out=True) if node.value is False else node, dropped)
    return evolve(source, root=root, dropped=dropped)


def _faults_of_questions(arms: list[Arm], source: Source, catalogue: Catalogue) -> list[Fault]:
    """At each value, what no metric or no training could tell apart."""
    ablation = source.root.value["ablation"].value
    faults: list[Fault] = []
    for at in dict.fromkeys(arm.at for arm in arms):
        recipes = [arm.recipe for arm in arms if arm.at == at]
        faults += blind(recipes, ablation["metric"].place, catalogue)
        faults += idle(recipes, ablation["vary"].key_place)
    return faults


def _faults_between(arms: list[Arm], source: Source) -> list[Fault]:
    place = source.root.value["ablation"].value["vary"].key_place
    faults = []
    seen: dict[str, str] = {}
    names: set[str] = set()
    for arm, key in zip(arms, _told_apart(arms), strict=True):
        if key in seen:
            faults.append(Fault(f"{arm.name} is the same recipe as {seen[key]}", place, "ablation.vary"))
        seen.setdefault(key, arm.name)
        if arm.name in names:
            faults.append(Fault(f"two arms would be called {arm.name}", place, "ablation.vary"))
        names.add(arm.name)
    return faults


def _told_apart(arms: list[Arm]) -> list[str]:
    """For each arm, the values that are not the same in all of them: only there is it looked at what a path points to.

    The sounds that all arms hear, thousands of files, tell none of them apart.
    """
    leaves = [arm.recipe.leaves() for arm in arms]
    paths = dict.fromkeys(path for one in leaves for path in one)
    varied = [path for path in paths if len({repr(one[path]) if path in one else "" for one in leaves}) > 1]
    digest = cache(content_digest)
    return [repr([(path, by_content(one[path], digest)) for path in varied if path in one]) for one in leaves]
