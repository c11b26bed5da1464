"""The verbs that look at recipes without running them: check, resolve, diff. None of them needs torch."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict

from flowvae.building.installation import require_torch
from flowvae.catalogue import Catalogue
from flowvae.cli.plugins_option import catalogue_of
from flowvae.recipe import AblationPlan, Arm, Recipe, plan_ablation, read_recipe
from flowvae.recipe.datasets import data_setting
from flowvae.recipe.difference import effective_difference
from flowvae.recipe.matching import will_be_matched
from flowvae.recipe.reasons import reason_for, said_of
from flowvae.recipe.requirements import unsaid
from flowvae.statistics.spending import PlannedLook, planned_looks
from flowvae.text import toml_like

if TYPE_CHECKING:
    from flowvae.data.outlook import Outlook


def _plan(options: argparse.Namespace) -> AblationPlan:
    catalogue, settings = catalogue_of(options), list(options.settings)
    if options.data is not None:
        settings.insert(0, data_setting(catalogue, options.data))
    return plan_ablation(read_recipe(options.recipe, tuple(settings)), catalogue)


def check(options: argparse.Namespace) -> int:
    """Every fault of a recipe, or what it would run."""
    plan = _plan(options)
    _check_starts(plan)
    arms, match = [_row(plan, arm) for arm in plan.arms], plan.recipe.ablation and plan.recipe.ablation.match
    requires = unsaid(arm.recipe for arm in plan.arms)
    ahead, looks = _look_ahead(plan), _looks(plan)
    if options.json:
        content: dict[str, Any] = {"recipe": plan.recipe.name, "seeds": plan.seeds, "arms": arms}
        content |= {"unsaid_requires": requires, "across": plan.across}
        content["data"] = [outlook.fields(names) for outlook, names in ahead.items()]
        content["match"] = asdict(match) if match else None
        content["looks"] = [{**asdict(look), "can_claim": look.can_claim} for look in looks]
        print(json.dumps(content, indent=1))
        return 0
    across = "".join(f", across {path} = {', '.join(values)}" for path, values in plan.across.items())
    n_arms = f"{len(arms)} {'arms' if len(arms) > 1 else 'arm'}"
    print(f"{plan.recipe.name}: in order; {n_arms} x {plan.said_seeds}{across}")
    for number, look in enumerate(looks, 1):
        print(f"  look {number} of {len(looks)}: {look}")
    if match:
        print(f"  {will_be_matched(match, plan.arms[0].name)}")
    for dropped in plan.recipe.dropped:
        print(f"  dropped: {dropped}")
    for arm, row in zip(plan.arms, arms, strict=True):
        _print_arm(row, _role(plan, arm))
    for outlook, names in ahead.items():
        whose = f" of {', '.join(names)}" if len(ahead) > 1 else ""
        print(f"  sounds{whose}, by their names: {outlook.sounds} (copies are sought once they are read)")
        for line in outlook.told:
            print(f"    {line}")
    if requires:
        print(f"  to tell others what they need, say: requires = {toml_like(requires)}")
    return 0


def _row(plan: AblationPlan, arm: Arm) -> dict[str, Any]:
    """An arm for a program; `beside` is whom it is compared with."""
    baseline = plan.baseline_of(arm)
    return {
        "name": arm.name,
        "changes": arm.changes,
        "beside": None if arm is baseline else baseline.name,
        "difference": plan.difference(arm),
        "flags": plan.flags(arm),
        "reason": reason_for(plan.recipe, arm.name),
    }


def _role(plan: AblationPlan, arm: Arm) -> str:
    """Whether it is a baseline, and whose; where there are several, which one it is held against."""
    baseline = plan.baseline_of(arm)
    if plan.recipe.ablation is None:
        return ""
    at = "".join(f" at {path} = {arm.at}" for path in plan.across)
    return f" (baseline{at})" if arm is baseline else f", beside {baseline.name}" if at else ""


def _print_arm(row: Mapping[str, Any], role: str) -> None:
    print(f"  {row['name']}{role}")
    for entry in row["difference"]:
        print(f"    {entry['path']}: {entry['baseline'] or '-'} -> {entry['arm'] or '-'}")
    for flag in row["flags"]:
        print(f"    flagged: it {flag}")
    if row["flags"]:
        print(f"    {said_of(row['name'], row['reason'])}")
    elif row["reason"]:
        print(f"    reason for what the run will flag: {row['reason']}")


def _check_starts(plan: AblationPlan) -> None:
    """RecipeError where an arm begins with a run that is missing."""
    if any(arm.recipe.start for arm in plan.arms):
        from flowvae.folder.starts import check_starts  # noqa: PLC0415 - reads every file of a run; few recipes do

        check_starts(plan)


def _looks(plan: AblationPlan) -> tuple[PlannedLook, ...]:
    """What each look can say, where the recipe plans more than one."""
    return planned_looks([len(seeds) for seeds in plan.looks]) if len(plan.looks) > 1 else ()


def _look_ahead(plan: AblationPlan) -> "Mapping[Outlook, list[str]]":
    """What can be foretold of sounds that lie in a folder, with the arms that hear them."""
    if not any(isinstance(value, Path) for arm in plan.arms for value in arm.recipe.data.values.values()):
        return {}
    from flowvae.data.outlook import outlooks  # noqa: PLC0415 - needs numpy, and recipes alone do not

    return outlooks(plan.arms)


def resolve(options: argparse.Namespace) -> int:
    """The complete recipe, every value with its origin."""
    plan = _plan(options)
    if options.json:
        leaves = plan.recipe.leaves()
        origins = plan.recipe.origins
        rows = {path: {"value": value, "origin": origins.get(path, "")} for path, value in leaves.items()}
        print(json.dumps(rows, indent=1, default=str))
        return 0
    from flowvae.recipe.writing import write_recipe  # noqa: PLC0415 - the other verbs write none

    print(write_recipe(plan.recipe), end="")
    return 0


def diff(options: argparse.Namespace) -> int:
    """What two recipes really differ in, after all defaults."""
    catalogue, settings = catalogue_of(options), tuple(options.settings)
    recipes = [
        plan_ablation(read_recipe(r, settings), catalogue).recipe for r in (options.recipe, options.other)
    ]
    difference = effective_difference(*recipes)
    if options.costs:
        require_torch("--costs")
    costs = [_costs(recipe, catalogue) for recipe in recipes] if options.costs else []
    if options.json:
        print(json.dumps({"difference": difference, "costs": costs} if costs else difference, indent=1))
        return 0
    for entry in difference:
        print(f"{entry['path']}: {entry['baseline'] or '-'} -> {entry['arm'] or '-'}")
    if not difference:
        same = recipes[0].ablation == recipes[1].ablation
        print("no difference" if same else "no difference in what a run is; [ablation] differs")
    for key in costs[0] if costs else ():
        print(f"{key}: {costs[0][key]:,.0f} -> {costs[1][key]:,.0f}")
    return 0


def _costs(recipe: Recipe, catalogue: Catalogue) -> dict[str, float]:
    """What a model takes. Builds it, so this is where torch comes in."""
    # The only verb here that needs torch, and only if asked.
    from flowvae.probe.limits import limited  # noqa: PLC0415
    from flowvae.probe.probe import probe  # noqa: PLC0415

    with limited(recipe):
        probed = probe(recipe, catalogue)
    return {key: getattr(probed, key) for key in ("parameters", "macs_per_second", "receptive_field")}
