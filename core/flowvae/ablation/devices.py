"""Where the runs compute: what the recipe's word for a device means on this machine."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from flowvae.ablation.runs import Run
from flowvae.errors import MachineError
from flowvae.folder.device_records import Devices
from flowvae.folder.run_records import Order
from flowvae.folder.status import read_status


@frozen
class Placement:
    """The kind of device that a run computes on, and which of them it may be given."""

    kind: str
    names: tuple[str, ...] = ()
    """As CUDA_VISIBLE_DEVICES takes them; none for the CPU."""


CPU = Placement("cpu")


def wanted(runs: Iterable[Run]) -> list[str]:
    """The words for devices that only a process with torch understands."""
    return sorted({run.arm.recipe.execution.device for run in runs} - {"cpu"})


def place(
    runs: Sequence[Run], waiting: Sequence[Run], folder: Path, say: Callable[[str], None]
) -> dict[str, Placement]:
    """Where each waiting run computes, by what the probe wrote of this machine into the folder.

    "auto" means for all runs of a folder what it meant for those that have begun: runs on different devices could
    not be compared. MachineError where that device is not here.
    """
    placements = {"cpu": CPU}
    if wanted(waiting):
        found = Devices.read(folder).places
        placements |= {word: Placement(device.kind, device.names) for word, device in found.items()}
    if "auto" in placements:
        placements["auto"] = _as_begun(runs, placements["auto"], say)
    placed = {run.name: placements[run.arm.recipe.execution.device] for run in waiting}
    if devices := names(placed):
        say(f"devices for the runs: {len(devices)} ({', '.join(devices)})")
    return placed


def _as_begun(runs: Sequence[Run], auto: Placement, say: Callable[[str], None]) -> Placement:
    begun = next(filter(None, (begun_on(run) for run in runs)), auto.kind)
    if begun == auto.kind:
        return auto
    if begun == CPU.kind:
        say(
            f"computing on the CPU, as the runs of this folder began; --set execution.device={auto.kind} changes it"
        )
        return CPU
    raise MachineError(
        f'the runs of this folder began on the device "{begun}", and there is none here',
        do="go on where there is one, or --set execution.device=cpu",
    )


def begun_on(run: Run) -> str | None:
    """The kind of device that a run has computed on under "auto"."""
    if run.arm.recipe.execution.device != "auto" or read_status(run.folder).state == "waiting":
        return None
    order = Order.read_if_there(run.folder)
    return order.device if order and order.device != "auto" else None


def names(placements: Mapping[str, Placement]) -> tuple[str, ...]:
    """Every device that a run may be given, once."""
    return tuple(dict.fromkeys(name for placement in placements.values() for name in placement.names))
