"""Has the width found at which each arm costs what the baseline does, and lays it over the plan."""

import shutil
from collections.abc import Mapping
from functools import cache

from attrs import evolve, frozen

from flowvae.ablation.probing import Prober, hand_on, write_recipes
from flowvae.catalogue import Catalogue
from flowvae.folder.matched import Matched, Matching
from flowvae.folder.probe_records import Arms
from flowvae.folder.starts import begun, last_checkpoint
from flowvae.processes.program import program
from flowvae.recipe import AblationPlan, Recipe
from flowvae.recipe.identity import identity
from flowvae.recipe.matching import at_width
from flowvae.recipe.requirements import owners
from flowvae.recipe.tables import MatchSection

SCRATCH = "matching"
"""The folder of what the search is asked; it is gone once it has answered."""


def matched_plan(prober: Prober, catalogue: Catalogue) -> tuple[AblationPlan, Mapping[str, Matched]]:
    """The plan at the widths that the recipe asks for, and what each of them is; found once for a folder."""
    plan, ablation = prober.plan, prober.plan.recipe.ablation
    if ablation is None or ablation.match is None:
        return plan, {}
    matches = _Matcher(prober, ablation.match).matches()
    arms = [
        at_width(arm, ablation.match.by, matches[arm.name].width, catalogue) if arm.name in matches else arm
        for arm in plan.arms
    ]
    return evolve(plan, arms=tuple(arms)), matches


@frozen
class _Matcher:
    prober: Prober
    match: MatchSection

    def matches(self) -> dict[str, Matched]:
        """Those that the folder knows, and those that are sought now."""
        plan, known = self.prober.plan, Arms.read_if_there(self.prober.folder)
        keys = self._keys()
        found = {
            name: arm.matched
            for name, arm in (known.arms.items() if known else ())
            if arm.matched and arm.matched.key == keys.get(name)
        }
        if missing := {name: key for name, key in keys.items() if name not in found}:
            found |= self._sought(missing)
        return {arm.name: found[arm.name] for arm in plan.arms[1:]}

    def _keys(self) -> dict[str, str]:
        """By arm, all that the width depends on."""
        first, *others = self.prober.plan.arms
        baseline = identity(first.recipe, 0, "")
        asked = f"{self.match.what} by {self.match.by}"
        return {arm.name: f"{asked}: {identity(arm.recipe, 0, '')} {baseline}" for arm in others}

    def _sought(self, missing: Mapping[str, str]) -> Mapping[str, Matched]:
        plan, folder = self.prober.plan, self.prober.folder / SCRATCH
        self.prober.say(
            f"seeking {self.match.by} for {len(missing)} {'arm' if len(missing) == 1 else 'arms'}"
        )
        last = cache(last_checkpoint)
        recipes: dict[str, Recipe] = {
            arm.name: begun(arm.recipe, plan.seeds[0], last)
            for arm in plan.arms
            if arm.name in missing or arm is plan.arms[0]
        }
        plugins = sorted({owner for recipe in recipes.values() for owner in owners(recipe)})
        try:
            write_recipes(recipes, self.prober.folder, folder)
            asked = Matching(self.match.by, self.match.what, plan.arms[0].name, dict(missing), tuple(plugins))
            asked.write(folder)
            done = self.prober.call(program("flowvae.probe.matching", str(folder)))
            if done.exit_status:
                hand_on(plan, done)
            return Matching.read(folder).found
        finally:
            shutil.rmtree(folder, ignore_errors=True)
