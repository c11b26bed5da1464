"""`python -m flowvae.probe FOLDER DEVICE...` reads FOLDER/arms/*.toml and writes FOLDER/arms.json, and what each word for a
device means here to FOLDER/devices.json.

A process of its own, so that the driver of an ablation never needs torch.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from attrs import evolve

from flowvae.building.device import pick_device, visible_names
from flowvae.catalogue import Catalogue
from flowvae.folder.device_records import Device, Devices
from flowvae.folder.probe_records import Arms, Probed, ProbedArm
from flowvae.folder.stacks import ended_when_stalled
from flowvae.probe.limits import limited
from flowvae.probe.probe import probe
from flowvae.probe.tasks import Task, in_turn, together
from flowvae.processes.outcome import Outcome, outcome_of
from flowvae.processes.signs import sign
from flowvae.recipe import read_recipe, resolve


def main(
    folder: Path, devices: Sequence[str], doing: Callable[[Sequence[Task]], Iterable[Outcome]] = in_turn
) -> int:
    """Probes the machine for devices, and the arms that the folder names."""
    torch.set_num_threads(1)
    arms = dict(Arms.read(folder).arms)
    tasks: dict[str, Task] = {"": lambda _: outcome_of("", partial(_places, devices))}
    for name, arm in arms.items():
        if arm.probed is None:
            tasks[name] = partial(_built, folder, name, arm)
    found = {}
    for name, outcome in zip(tasks, doing(list(tasks.values())), strict=False):
        if outcome.exit_status:
            return outcome.tell()
        found[name] = outcome.found
    Devices(found.pop("")).write(folder)
    Arms({**arms, **{name: evolve(arms[name], probed=probed) for name, probed in found.items()}}).write(
        folder
    )
    return 0


def _places(devices: Sequence[str]) -> Mapping[str, Device]:
    places = {device: pick_device(device) for device in devices}
    return {name: Device(place.type, tuple(visible_names(place))) for name, place in places.items()}


def _built(folder: Path, name: str, arm: ProbedArm, share: int) -> Outcome:
    return outcome_of(name, partial(_probed, folder, name, arm, share))


def _probed(folder: Path, name: str, arm: ProbedArm, share: int) -> Probed:
    catalogue = Catalogue.installed(arm.plugins)
    recipe = resolve(read_recipe(str(folder / "arms" / f"{name}.toml")), catalogue)
    with ended_when_stalled(recipe.execution.stall_timeout, folder), limited(recipe, share):
        sign(f"the first steps of {name}")
        return probe(recipe, catalogue)


if __name__ == "__main__":
    # macOS has os.fork, and libraries that a copy may not use.
    ways = together if sys.platform == "linux" and hasattr(os, "fork") else in_turn
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:], ways))
