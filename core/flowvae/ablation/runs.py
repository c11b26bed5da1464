"""The runs of an ablation: one arm with one seed each, in a folder of its own."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from attrs import frozen

from flowvae.ablation.environment import describe_environment
from flowvae.ablation.kept_files import KeptFiles
from flowvae.building.allocator import ALLOCATOR
from flowvae.catalogue import Catalogue
from flowvae.contracts import Job
from flowvae.data.sounds import Sounds
from flowvae.errors import CheckpointError
from flowvae.folder.files import as_json, drop_unless_regular, write_bytes
from flowvae.folder.run_records import Order, Result
from flowvae.folder.starts import begun, last_checkpoint, other_run
from flowvae.folder.status import read_status
from flowvae.processes.cores import n_cores
from flowvae.processes.program import program
from flowvae.recipe import AblationPlan, Arm, Recipe
from flowvae.recipe.content import content_digest
from flowvae.recipe.identity import identity
from flowvae.recipe.requirements import owners
from flowvae.recipe.writing import write_recipe

BF16_ON_CPU = {
    # On processors with AMX, oneDNN computes some narrow strided convolutions in bf16 wrongly (torch 2.12).
    "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16",
}


@frozen(eq=False)
class Run:
    """One arm with one seed."""

    arm: Arm
    seed: int
    recipe: Recipe
    """The arm's, with what is this seed's alone."""
    folder: Path
    identity: str
    sounds: Sounds

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.arm.name} seed {self.seed}"

    def done(self) -> bool:
        """Whether its result is there: an exit status of 0 is not enough."""
        if read_status(self.folder).state != "done":
            return False
        try:
            result = Result.read_if_there(self.folder)
        except CheckpointError:
            return False  # it is made again, from the last checkpoint
        return result is not None and result.is_measured


def all_runs(plan: AblationPlan, sounds: Mapping[str, Sounds], folder: Path) -> list[Run]:
    """Seed by seed, so that the first finished runs are pairs."""
    digest, last = cache(content_digest), cache(last_checkpoint)  # what many runs point to is read once
    return [
        Run(
            arm,
            seed,
            recipe,
            folder / arm.name / f"seed-{seed}",
            identity(recipe, seed, sounds[arm.name].clips.fingerprint, digest),
            sounds[arm.name],
        )
        for seed in plan.seeds
        for arm in plan.arms
        for recipe in [begun(arm.recipe, seed, last)]
    ]


def folders_of(folder: Path) -> Iterator[Path]:
    """The folders that an ablation makes, those that it will find there."""
    yield from (folder / name for name in ("data", "arms", "files", "runs"))
    for pattern in (
        "data/*",
        "files/*",
        "runs/*",
        "runs/*/*",
        "runs/*/*/checkpoints",
        "runs/*/*/audio",
        "runs/*/*/audio/*",
    ):
        yield from folder.glob(pattern)


def n_finished(folder: Path) -> int:
    """How many runs of a folder have been seen to their end, whether they are planned still or not."""
    return sum(read_status(run).state == "done" for run in folder.glob("*/seed-*"))


def prepare_run(
    run: Run, catalogue: Catalogue, files: KeptFiles, device: str, *, alone: bool, compiled: bool = False
) -> None:
    """Writes what the run's process reads; a run that was begun keeps its number of threads."""
    run.folder.mkdir(parents=True, exist_ok=True)
    drop_unless_regular(run.folder / "log.txt")
    before = Order.read_if_there(run.folder)
    order = Order(
        identity=run.identity,
        arm=run.arm.name,
        seed=run.seed,
        threads=n_threads(run.recipe, run.folder, alone=alone),
        device=device,
        plugins=tuple(owners(run.recipe)),
        data=Path(os.path.relpath(run.sounds.folder, run.folder)).as_posix(),
        begins_with=other_run(run.recipe),
        compiled=compiled,
    )
    files.keep(run.recipe)
    text = write_recipe(run.recipe, files.paths_from(run.folder))
    _put(run.folder / "recipe.toml", text.encode())
    _put(run.folder / "environment.json", as_json(describe_environment(run.recipe, catalogue)))
    if order != before:
        order.write(run.folder)


def _put(path: Path, content: bytes) -> None:
    """Writes a file that is not there already: of a thousand runs that wait, each start would flush each to the disk."""
    if path.is_symlink() or not path.is_file() or path.read_bytes() != content:
        write_bytes(path, content)


def n_threads(recipe: Recipe, folder: Path, *, alone: bool) -> int:
    """How many a run has; one that was begun keeps its number, for another would change the last bits."""
    begun = Order.read_if_there(folder)
    return recipe.execution.threads or (begun.threads if begun else n_cores() if alone else 1)


def environment_of(recipe: Recipe, threads: int) -> dict[str, str]:
    """The variables that a run's process starts with."""
    environment = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), **ALLOCATOR}
    # By itself the compiler takes all cores, also those of other runs.
    environment["TORCHINDUCTOR_COMPILE_THREADS"] = str(threads)
    return environment | BF16_ON_CPU if recipe.train.precision == "bf16" else environment


def job_of(run: Run, devices: Sequence[str] = (), memory: int | None = None) -> Job:
    """The run as a command line; `devices` are those that it may be given, none where it computes on the CPU.

    `memory` is what training takes where it computes.
    """
    threads = Order.read(run.folder).threads
    environment = environment_of(run.arm.recipe, threads)
    if len(devices) == 1:
        environment["CUDA_VISIBLE_DEVICES"] = devices[0]
    command = program("flowvae.worker", str(run.folder.absolute()))
    log = run.folder / "log.txt"
    needs = {"devices": 1} if devices else {"memory": memory}
    return Job(run.name, command, environment, log, cores=threads, **needs)
