"""The plan of an ablation: what is compared with what, by which figure, written before the first step."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from flowvae.ablation.ledger import entered
from flowvae.ablation.looks import at_the_look, looks_ahead
from flowvae.ablation.one_factor import second_factors
from flowvae.data.sounds import Sounds
from flowvae.errors import RunFolderError, shown
from flowvae.folder.matched import Matched
from flowvae.folder.plan_records import (
    Change,
    Direction,
    Plan,
    PlannedArm,
    PlannedData,
    PlannedMetric,
    Provenance,
)
from flowvae.folder.probe_records import Probed
from flowvae.recipe import AblationPlan, Arm, Recipe
from flowvae.recipe.density import price_of
from flowvae.recipe.identity import components
from flowvae.recipe.reasons import reason_for


def write_plan(
    folder: Path,
    plan: AblationPlan,
    probed: Mapping[str, Probed],
    sounds: Sounds,
    finished: int,
    *,
    matches: Mapping[str, Matched],
) -> Plan:
    """Writes the plan; where there is one already, what differs is entered in its ledger."""
    content = at_the_look(
        entered(planned(plan, probed, sounds, matches), Plan.read_if_there(folder), finished)
    )
    content.write(folder)
    return content


def planned(
    plan: AblationPlan, probed: Mapping[str, Probed], sounds: Sounds, matches: Mapping[str, Matched]
) -> Plan:
    """The plan as the report reads it; nothing of it says where on this machine things lie."""
    recipe, ablation = plan.recipe, plan.recipe.ablation
    metrics = tuple(_metrics(recipe))
    return Plan(
        name=recipe.name,
        description=recipe.description,
        question=ablation.question if ablation else "",
        metric=ablation.metric if ablation else metrics[0].name,
        worthwhile_difference=ablation.worthwhile_difference if ablation else None,
        metrics=metrics,
        axes=axes_of(plan),
        seeds=plan.seeds,
        arms=tuple(_arm(plan, arm, probed, matches.get(arm.name)) for arm in plan.arms),
        data=PlannedData(
            description=recipe.data.said(paths=False),
            used=len(sounds.clips.info),
            noted=sounds.noted,
            skipped=sounds.skipped,
            held_out=len(sounds.clips.rows(held_out=True)),
            held_out_groups=tuple(sounds.clips.held_out_groups()),
            split=sounds.clips.told,
            fingerprint=sounds.clips.fingerprint,
            sample_rate=recipe.model.sample_rate,
            seconds=recipe.model.n_samples / recipe.model.sample_rate,
        ),
        steps=recipe.train.steps,
        batch_size=recipe.train.batch_size,
        ledger=(),
        pairs=plan.pairs,
        factors=plan.factors,
        across=plan.across,
        looks=looks_ahead(plan),
    )


def refuse_another(folder: Path, plan: AblationPlan) -> None:
    """A folder belongs to one ablation: RunFolderError where this is another one, with the name of a free folder.

    The metric, the wording of the question, seeds and arms may change; the ledger tells. What is varied, and the
    baseline, make it that ablation; and so does the question once arms are gone with it.
    """
    before = Plan.read_if_there(folder)
    if before is None:
        return
    ablation = plan.recipe.ablation
    question, names = ablation.question if ablation else "", [arm.name for arm in plan.arms]
    missing = [arm.name for arm in before.arms if arm.name not in names]
    first = before.arms[0].name
    problem = ""
    if not {*before.axes} <= {*axes_of(plan)}:
        problem = f"it varies {_listed(before.axes)}, and this recipe {_listed(axes_of(plan))}"
    elif first != names[0]:
        problem = f"its baseline is {first}, and this recipe's {names[0]}"
    elif before.question != question and missing:
        problem = f'it asks "{before.question}" of {_listed(missing)}, and this recipe "{question}"'
    if problem:
        free = free_folder(folder)
        raise RunFolderError(
            f"{shown(folder)} belongs to another ablation ({before.name}): {problem}",
            do=f"--out {shown(free)}, which is free; or remove the folder",
        )


def axes_of(plan: AblationPlan) -> tuple[str, ...]:
    """The key paths that are varied."""
    return (*plan.recipe.ablation.vary, *plan.across) if plan.recipe.ablation else ()


def free_folder(folder: Path) -> Path:
    """A name beside a folder that nothing has yet."""
    number = 2
    while (free := folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    return free


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names) or "nothing"


def _metrics(recipe: Recipe) -> Iterator[PlannedMetric]:
    for name, part in recipe.evaluation.metrics.items():
        signature = part.component.signature
        constants = signature.constants
        said = {key: str(value) for key, value in constants.items()}
        direction: Direction = "none"
        if said.get("direction") in {"lower", "higher"}:
            direction = cast("Direction", said["direction"])
        least, most = cast("tuple[float | None, float | None]", constants.get("limits", (None, None)))
        family = said.get("family") or "quality"
        yield PlannedMetric(name, direction, said.get("unit", ""), family, least, most, signature.summary)


def _arm(plan: AblationPlan, arm: Arm, probed: Mapping[str, Probed], matched: Matched | None) -> PlannedArm:
    own, by = probed[arm.name], (matched.path,) if matched else ()
    return PlannedArm(
        name=arm.name,
        is_baseline=arm is plan.baseline_of(arm),
        changes=arm.changes,
        difference=tuple(Change(**entry, is_matched=entry["path"] in by) for entry in plan.difference(arm)),
        flags=second_factors(plan, arm, probed[plan.before(arm).name], own, matched),
        components={name: Provenance(**of) for name, of in components(arm.recipe).items()},
        parameters=own.parameters,
        macs_per_second=own.macs_per_second,
        receptive_field=own.receptive_field,
        price=price_of(arm.recipe.regularizer.component),
        reason=reason_for(plan.recipe, arm.name),
        steps=arm.recipe.train.steps,
        variant=arm.variant if plan.across else "",
        at=arm.at,
        matched=matched,
    )
