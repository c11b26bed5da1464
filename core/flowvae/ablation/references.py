"""Has what the recipe names beside the arms measured, once, before the first step."""

from collections.abc import Callable
from pathlib import Path

from flowvae.ablation.probing import Call, hand_on
from flowvae.data.sounds import Sounds
from flowvae.errors import CheckpointError
from flowvae.folder.run_records import MeasuredReferences
from flowvae.processes.program import program
from flowvae.recipe import AblationPlan
from flowvae.recipe.identity import references_identity


def measure_references(
    plan: AblationPlan, folder: Path, sounds: Sounds, say: Callable[[str], None], call: Call
) -> None:
    """Writes the folder's references.json, where it does not hold these figures already; RecipeError, PluginError."""
    names = plan.recipe.evaluation.references
    if not names:
        (folder / MeasuredReferences.file).unlink(missing_ok=True)
        return
    wanted = references_identity(plan.recipe, sounds.clips.fingerprint)
    if _measured(folder) == wanted:
        return
    say(f"measuring what is not trained: {', '.join(names)}")
    done = call(program("flowvae.references", str(folder), plan.arms[0].name, str(sounds.folder), wanted))
    if done.exit_status:
        hand_on(plan, done)


def _measured(folder: Path) -> str:
    try:
        found = MeasuredReferences.read_if_there(folder)
    except CheckpointError:  # it is made again
        return ""
    return found.identity if found else ""
