"""What a crossed ablation says of its factors: main effects and interactions, not a list of cells beside one."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from attrs import frozen

from flowvae.folder.plan_records import Plan, PlannedArm, PlannedMetric
from flowvae.report.answers import Finding
from flowvae.report.censoring import censored
from flowvae.report.comparison import all_comparable, joints, values_by_seed
from flowvae.report.number_format import count, plain, probability, span, with_unit
from flowvae.report.reading import Folder
from flowvae.statistics.joint import Joint
from flowvae.statistics.paired import Paired, pair
from flowvae.statistics.verdict import Verdict, judge

Level = tuple[str, str]
"""A key path, and the alternative that it has."""
Cell = frozenset[Level]


@frozen
class Effect:
    """What one alternative does on average over the other factors, or how that depends on another alternative."""

    levels: tuple[Level, ...]
    """One, or the two that act together."""
    instead: tuple[Level, ...]
    """What they are compared with: the first alternatives of the same factors."""
    paired: Paired | None
    """Seed by seed."""
    joint: Joint | None
    verdict: Verdict

    @property
    def is_interaction(self) -> bool:
        """Whether it is about two factors."""
        return len(self.levels) > 1

    @property
    def name(self) -> str:
        """In a few words."""
        if self.is_interaction:
            return " with ".join(level for _, level in self.levels)
        return f"{self.levels[0][1]} instead of {self.instead[0][1]}"

    @property
    def is_shown(self) -> bool:
        """Whether it is told apart from nothing."""
        return self.verdict.word in {"better", "worse"}


def effects(folder: Folder) -> tuple[Effect, ...]:
    """All main effects, then all interactions of two, tested as one family; none where the plan is not crossed.

    Formula: a main effect is, for each seed, the mean over all settings of the other factors of the figure with this
        alternative less the figure with the first one. An interaction of two is the mean over the rest of the difference
        that one makes with the other, less the difference that it makes without.
    """
    metric = folder.plan.primary
    wanted = list(_wanted(folder.plan))
    if metric is None or not wanted:
        return ()
    cells = {
        _cell(folder.plan, arm): values_by_seed(folder.of(arm.name), metric.name) for arm in folder.plan.arms
    }
    pairs = [_contrast(cells, levels, instead) for levels, instead in wanted]
    obstacle = all_comparable(folder)
    family = joints(folder, [None if obstacle else paired for paired in pairs])
    found = []
    for (levels, instead), paired, joint in zip(wanted, pairs, family, strict=True):
        verdict = obstacle or _verdict(folder, metric, paired, joint)
        found.append(Effect(levels, instead, paired, joint, verdict))
    return tuple(found)


def _wanted(plan: Plan) -> Iterator[tuple[tuple[Level, ...], tuple[Level, ...]]]:
    factors = {path: said for path, said in plan.factors.items() if said}
    changed = {path: [(path, level) for level in said[1:]] for path, said in factors.items()}
    first = {path: (path, said[0]) for path, said in factors.items()}
    for path, alternatives in changed.items():
        yield from (((level,), (first[path],)) for level in alternatives)
    for one, other in itertools.combinations(changed, 2):
        for levels in itertools.product(changed[one], changed[other]):
            yield levels, (first[one], first[other])


def _cell(plan: Plan, arm: PlannedArm) -> Cell:
    return frozenset(
        (path, arm.changes.get(path, levels[0])) for path, levels in plan.factors.items() if levels
    )


def _contrast(
    cells: Mapping[Cell, Mapping[int, float]], levels: Sequence[Level], instead: Sequence[Level]
) -> Paired | None:
    """Seed by seed; a seed counts where every cell has a figure of it."""
    seeds = set.intersection(*(set(values) for values in cells.values()))
    if not seeds:
        return None
    # Each factor in question is there with its alternative, which counts up, or with the first one, which counts down.
    signs = list(itertools.product([1.0, -1.0], repeat=len(levels)))
    found = {}
    for seed in sorted(seeds):
        terms = []
        for chosen in signs:
            here = [
                level if sign > 0 else first
                for sign, level, first in zip(chosen, levels, instead, strict=True)
            ]
            mean = np.mean([values[seed] for cell, values in cells.items() if cell.issuperset(here)])
            terms.append(float(np.prod(chosen) * mean))
        found[seed] = sum(terms)
    return pair(dict.fromkeys(found, 0.0), found)


def _verdict(folder: Folder, metric: PlannedMetric, paired: Paired | None, joint: Joint | None) -> Verdict:
    if paired is None or joint is None:
        return Verdict("not shown", "no seed has a figure in every arm")
    plan = folder.plan
    if said := censored(folder, [arm.name for arm in plan.arms], metric):
        return Verdict("not shown", said)
    return judge(paired, joint, metric.direction, plan.worthwhile_difference, plan.n_looks)


def effect_findings(folder: Folder, found: Sequence[Effect]) -> list[Finding]:
    """A sentence for each effect."""
    metric = folder.plan.primary
    return [Finding("answer", _said(effect, metric)) for effect in found] if metric else []


def _said(effect: Effect, metric: PlannedMetric) -> str:
    paired = effect.paired
    if paired is None:
        return f"Nothing can be said of {effect.name}: {effect.verdict.reason}."
    side = "lower" if paired.mean < 0 else "higher"
    size = f"{with_unit(plain(abs(paired.mean)), metric.unit)} {side} over {count(len(paired.seeds), 'seed')}"
    size += f" (95 % interval {span(paired.interval)}, joint p {probability(effect.joint.p if effect.joint else None)})"
    if effect.is_interaction:
        (_, one), (_, other) = effect.levels
        (_, first), (_, second) = effect.instead
        if effect.is_shown:
            what = f"What {one} does instead of {first} depends on the other factor: with {other} instead of {second}"
            return f"{what}, its difference in {metric.name} is {size}."
        return f"That {one} and {other} act together is not shown: {effect.verdict.reason}. Seen: {size}."
    if effect.is_shown:
        less = ", but by less than is worth it" if effect.verdict.is_small else ""
        return f"{effect.name} is {effect.verdict.word} on average over the other factors{less}: {metric.name} is {size}."
    if effect.verdict.word == "equivalent":
        return f"{effect.name} makes less difference than is worth it: {metric.name} is {size}."
    return f"No difference is shown for {effect.name}: {effect.verdict.reason}. Seen: {metric.name} {size}."


def effect_headline(folder: Folder, found: Sequence[Effect]) -> str:
    """The shortest true answer of a crossed ablation."""
    shown = [effect for effect in found if effect.is_shown]
    main = [f"{effect.name} is {effect.verdict.word}" for effect in shown if not effect.is_interaction]
    together = [f"{effect.name} act together" for effect in shown if effect.is_interaction]
    said = "; ".join([*main, *together])
    return f"{said}, on {folder.plan.metric}." if said else "No effect of any factor has been shown."
