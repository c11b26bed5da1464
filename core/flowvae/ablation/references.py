"""Has what the recipe names beside the arms measured, once, before the first step."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from flowvae.ablation.probing import hand_on
from flowvae.data.sounds import Sounds
from flowvae.errors import CheckpointError
from flowvae.folder.run_records import MeasuredReferences
from flowvae.recipe import AblationPlan
from flowvae.recipe.identity import references_identity


def measure_references(plan: AblationPlan, folder: Path, sounds: Sounds, say: Callable[[str], None]) -> None:
    """Writes the folder's references.json, where it does not hold these figures already; RecipeError, PluginError."""
    names = plan.recipe.evaluation.references
    if not names:
        (folder / MeasuredReferences.file).unlink(missing_ok=True)
        return
    wanted = references_identity(plan.recipe, sounds.clips.fingerprint)
    if _measured(folder) == wanted:
        return
    say(f"measuring what is not trained: {', '.join(names)}")
    command = [sys.executable, "-P", "-m", "flowvae.references"]
    command += [str(folder), plan.arms[0].name, str(sounds.folder), wanted]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own module
    if done.returncode:
        hand_on(plan, done.returncode, done.stdout, done.stderr)


def _measured(folder: Path) -> str:
    try:
        found = MeasuredReferences.read_if_there(folder)
    except CheckpointError:  # it is made again
        return ""
    return found.identity if found else ""
