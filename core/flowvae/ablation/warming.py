"""What the runs of a plan have in common, so that one process can import it for all of them."""

from contextlib import AbstractContextManager
from pathlib import Path

from flowvae.ablation.looks import seeds_to_come
from flowvae.ablation.runs import environment_of, n_threads
from flowvae.catalogue.plugin import OWN
from flowvae.folder.status import read_status
from flowvae.processes.launcher import Launcher, launcher
from flowvae.recipe import AblationPlan

PROGRAMS = ("flowvae.probe", "flowvae.probe.matching", "flowvae.references", "flowvae.worker")
LATER = ("torch._dynamo", "torchaudio.functional")
"""What is imported at work: by the constructors of torch's optimizers, and for mel bands."""


def launched(plan: AblationPlan, folder: Path) -> AbstractContextManager[Launcher]:
    """Starts what a plan needs; while sounds are read, a process imports it already. None where all is done."""
    seeds = seeds_to_come(plan, folder)
    runs = {folder / "runs" / arm.name / f"seed-{seed}": arm.recipe for arm in plan.arms for seed in seeds}
    waiting = [run for run in runs if read_status(run).state != "done"]
    if not waiting:
        return launcher((), (), {})
    recipe = runs[waiting[0]]
    environment = environment_of(recipe, n_threads(recipe, waiting[0], alone=len(runs) == 1))
    return launcher(PROGRAMS, (*LATER, *_modules(plan)), environment)


def _modules(plan: AblationPlan) -> tuple[str, ...]:
    """Where flowvae's own components are. A plugin is imported by the runs that name it, and by nobody else."""
    parts = {part.component for arm in plan.arms for part in arm.recipe.parts()}
    own = (part.target for part in parts if part.plugin.distribution == OWN)
    return tuple(sorted({target.partition(":")[0] for target in own if isinstance(target, str)}))
