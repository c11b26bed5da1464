"""plan.json: what is compared with what, by which figure, written before the first step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowvae.data.sounds import Sounds
from flowvae.folder.files import read_record, trusting, write_json
from flowvae.recipe import AblationPlan, Arm
from flowvae.recipe.difference import effective_difference, undeclared
from flowvae.recipe.identity import components

FORMAT = 1


def write_plan(path: Path, plan: AblationPlan, arms: Mapping[str, Any], sounds: Sounds) -> None:
    """Writes the plan; where there is one already, what differs is entered in its ledger."""
    content = plan_content(plan, arms, sounds)
    if path.exists():
        old = read_record(path)
        with trusting(path):
            content["ledger"] = [*old["ledger"], *amendments(old, content)]
    write_json(path, content)


def plan_content(plan: AblationPlan, arms: Mapping[str, Any], sounds: Sounds) -> dict[str, Any]:
    """The plan as the report reads it; nothing of it says where on this machine things lie."""
    recipe, ablation = plan.recipe, plan.recipe.ablation
    constants = ("direction", "unit", "family")
    metrics = {
        part.name: {k: part.component.signature.constants.get(k, "") for k in constants}
        for part in recipe.evaluation.metrics
    }
    return {
        "format": FORMAT,
        "name": recipe.name,
        "description": recipe.description,
        "question": ablation.question if ablation else "",
        "metric": ablation.metric if ablation else recipe.evaluation.metrics[0].name,
        "metrics": metrics,
        "seeds": list(plan.seeds),
        "arms": [_arm_content(plan, arm, arms[arm.name]) for arm in plan.arms],
        "ledger": [],
        "data": {
            "description": recipe.data.said(paths=False),
            "used": len(sounds.clips.info),
            "noted": sounds.noted,
            "skipped": sounds.skipped,
            "held_out": len(sounds.clips.rows(held_out=True)),
            "held_out_groups": sounds.clips.held_out_groups(),
            "split": list(sounds.clips.told),
            "fingerprint": sounds.clips.fingerprint,
            "sample_rate": recipe.model.sample_rate,
            "seconds": recipe.model.n_samples / recipe.model.sample_rate,
        },
        "train": {"steps": recipe.train.steps, "batch": recipe.train.batch},
    }


def _arm_content(plan: AblationPlan, arm: Arm, probed: Mapping[str, Any]) -> dict[str, Any]:
    ablation = plan.recipe.ablation
    difference = effective_difference(plan.recipe, arm.recipe)
    probed_keys = ("identity", "parameters", "macs_per_second", "receptive_field", "coverage")
    return {
        "name": arm.name,
        "baseline": arm is plan.arms[0],
        "changes": arm.changes,
        "difference": difference,
        "flags": undeclared(difference, ablation.vary if ablation else ()),
        "components": components(arm.recipe),
        **{key: probed[key] for key in probed_keys},
    }


def amendments(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was changed after the plan was made; the report shows it."""
    changed = [key for key in ("question", "metric", "seeds") if old[key] != new[key]]
    entries = [{"what": f"{key}: {old[key]} -> {new[key]}"} for key in changed]
    before, after = {a["name"] for a in old["arms"]}, {a["name"] for a in new["arms"]}
    entries += [{"what": f"arm added: {name}"} for name in sorted(after - before)]
    entries += [{"what": f"arm left out: {name}"} for name in sorted(before - after)]
    return entries
