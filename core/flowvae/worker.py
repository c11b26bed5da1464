"""The process of one run: `python -m flowvae.worker FOLDER` takes the run in that folder to its end."""

import errno
import math
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from attrs import define, evolve

from flowvae.building.compiled import compile_networks
from flowvae.building.device import device_number, machine, model_name, pick_device, uses_bf16
from flowvae.building.undisturbed import watch
from flowvae.catalogue import Catalogue
from flowvae.data.clips import Clips, load_clips
from flowvae.errors import (
    DISK_IS_FULL,
    CheckpointError,
    FlowvaeError,
    MachineError,
    NumbersError,
    Stopped,
    lacks_memory,
    shown,
)
from flowvae.evaluation.codes import record_codes
from flowvae.evaluation.costs import costs
from flowvae.evaluation.evidence import Figures, HeldOut, trained_sounds, what_is_read
from flowvae.evaluation.validation import Validation
from flowvae.folder.files import write_bytes
from flowvae.folder.journal import Journal
from flowvae.folder.latents import Latents
from flowvae.folder.lock import locked
from flowvae.folder.run_records import MeasuredFigure, Order, Result
from flowvae.folder.status import Status
from flowvae.processes.signs import LAST_RESORT_S, sign, watched
from flowvae.recipe import Recipe, read_recipe, resolve
from flowvae.recipe.identity import components, identity
from flowvae.training.loop import Checkpoints, train
from flowvae.training.self_check import SelfCheck
from flowvae.training.stall import Stall
from flowvae.training.start import take_weights
from flowvae.training.training import Training

LESS = "close other programs, and the same command continues; or lower train.batch_size in another --out"
"""What takes less memory."""
DEVICE_SAYS = ("CUDA error", "CUDA driver error", "cuDNN error", "cuFFT error", "HIP error")
"""How errors of a device begin for which torch has no class."""


def main(folder: Path) -> int:
    """Runs, and leaves status.json, result.json and an exit status that tell the truth."""
    status = Status(folder, 0)
    try:
        order = Order.read(folder)
        with locked(folder, wait=True), status.room_for_last_words():
            run(folder, order, status)
    except Stopped as stopped:
        status.end("stopped", f"signal {stopped.signal}")
        return 128 + stopped.signal
    except Exception as error:  # noqa: BLE001 - whatever it is, the driver is told
        return _failed(status, error)
    return 0


def _failed(status: Status, error: Exception) -> int:
    """Tells what went wrong, in the log and in the status; the exit status."""
    told = expected(error)
    if told is None:  # a fault of flowvae or of a component
        traceback.print_exc()
        status.end("failed", f"{type(error).__name__}: {error}", do="error.txt beside the log has the trace")
    else:
        print("\n".join(told.lines()), file=sys.stderr, flush=True)
        status.end("failed", told.what, do=told.do)
    if told is not error:
        with suppress(FlowvaeError):
            write_bytes(status.folder / "error.txt", "".join(traceback.format_exception(error)).encode())
    return told.exit_status if told else 1


def expected(error: Exception) -> FlowvaeError | None:
    """An error as the user can do something about it; None where it is a fault of flowvae or of a component."""
    if isinstance(error, FlowvaeError):
        return error
    if isinstance(error, torch.OutOfMemoryError):
        return MachineError("the device ran out of memory", do=LESS)
    if lacks_memory(error):
        return MachineError("the memory did not suffice", where=str(error).partition("\n")[0][-200:], do=LESS)
    if lost_device(error):
        return MachineError(
            "the device failed",
            where=str(error).partition("\n")[0][:200],
            do="look at the driver's log; nothing was saved since",
        )
    if isinstance(error, OSError) and error.errno in {*DISK_IS_FULL, errno.EIO}:
        where = shown(Path(os.fsdecode(error.filename))) if error.filename else ""
        return MachineError(f"the disk refuses: {error.strerror}", where=where, do="make room on the disk")
    return None


def lost_device(error: Exception) -> bool:
    """Whether a device, and not a component, has failed: torch has a class for it, its libraries have none."""
    if isinstance(error, torch.AcceleratorError):
        return True
    return isinstance(error, RuntimeError) and str(error).startswith(DEVICE_SAYS)


def run(folder: Path, order: Order, status: Status) -> None:
    """One run from its folder: what is done already is not done again."""
    catalogue = Catalogue.installed(order.plugins)
    recipe = resolve(read_recipe(str(folder / "recipe.toml")), catalogue)
    stall = Stall(status, recipe.execution.stall_timeout)
    with watched(stall.seconds, stall.end, last_resort_s=LAST_RESORT_S):
        _run(folder, order, status, (catalogue, recipe), stall)


def _run(folder: Path, order: Order, status: Status, what: tuple[Catalogue, Recipe], stall: Stall) -> None:
    catalogue, recipe = what
    seed, device = order.seed, pick_device(order.device)
    torch.set_num_threads(order.threads)
    status.steps = recipe.train.steps
    sign("the reading of its clips")
    clips = load_clips(folder / order.data)
    if identity(recipe, seed, clips.fingerprint) != order.identity:
        raise CheckpointError(
            "the components, the data or the recipe have changed since this run was planned",
            do="choose another --out, or install the versions that environment.json names",
        )
    signals = StopSignals.installed()
    sign("the building of its parts")
    training = Training.of(recipe, seed, clips, device)
    stall.places = training.parts.builder.places
    status.add(f"{plugin.owner}: {note}" for plugin in catalogue.plugins for note in plugin.notes)
    if order.compiled:
        model = training.model
        compile_networks({"encoder": model.encoder, "decoder": model.decoder}, status.warnings.append)
    else:  # a compiler cannot trace what watches, and the probe has watched already
        watch(training.parts.builder.places)
    sign("its start")
    checkpoints = Checkpoints(
        folder / "checkpoints", order.identity, components(recipe), machine(order.threads, device)
    )
    status.add(checkpoints.past.record.told)
    _begin(training, folder, order)
    checkpoints.resume(training, status)
    chosen = (clips, recipe.model.n_samples, recipe.evaluation.sounds, device)
    held_out = HeldOut.of(*chosen)
    trained = trained_sounds(*chosen) if "trained" in what_is_read(training.parts.metrics) else None
    check = _self_check(recipe, order, clips, device)
    with Journal(folder, training.state.step) as journal:
        validation = Validation(training.parts, held_out, journal, folder, trained)
        train(
            training,
            checkpoints,
            journal,
            status,
            observers=[validation],
            stop_signal=signals.asked,
            check=check,
        )
        if journal.events.fault:
            status.add([f"TensorBoard was not told all that metrics.jsonl holds: {journal.events.fault}"])
        result = _result(
            training,
            validation,
            order,
            fingerprint=clips.fingerprint,
            seconds=checkpoints.past.seconds(),
            plugins=tuple(sorted({plugin.owner for plugin in catalogue.plugins})),
            exact=status.exact,
        )
    _record_codes(training, held_out).write(folder)
    result.write(folder)
    status.write("done", recipe.train.steps)


def _self_check(recipe: Recipe, order: Order, clips: Clips, device: torch.device) -> SelfCheck | None:
    """Where two builds compute the same bits: what a GPU adds up, and what is compiled, has an order of its own."""
    if device.type != "cpu" or order.compiled:
        return None
    return SelfCheck(lambda: Training.of(recipe, order.seed, clips, device))


def _begin(training: Training, folder: Path, order: Order) -> None:
    """Takes what the recipe begins with; a checkpoint of the run's own stands over it."""
    started = take_weights(training.parts)
    if started is not None:
        evolve(started, run=order.begins_with).write(folder)
        print(f"begins with {len(started.taken)} tensors of another run: {', '.join(started.taken)}")
        print(f"begins anew with {len(started.new)}: {', '.join(started.new) or 'none'}")
        print(f"leaves {len(started.left)} there: {', '.join(started.left) or 'none'}")


def _result(
    training: Training,
    validation: Validation,
    order: Order,
    *,
    fingerprint: str,
    seconds: float,
    plugins: tuple[str, ...],
    exact: bool,
) -> Result:
    sign("the last figures")
    figures = validation.final()
    _refuse_no_numbers(figures)
    return Result(
        metrics={n: MeasuredFigure(f.value, f.per_sound) for n, f in figures.items()},
        untrained=validation.before_training(),
        targets=validation.of_targets(),
        costs={
            **costs(training.parts, training.seconds.of_phase, training.memory_by_phase()),
            "train_seconds": seconds,
        },
        sounds=validation.held_out.names,
        groups=validation.held_out.groups,
        classes=validation.held_out.classes,
        threads=order.threads,
        device=model_name(training.device),
        device_number=device_number(training.device),
        precision="bf16" if uses_bf16(training.recipe, training.device) else "fp32",
        data_fingerprint=fingerprint,
        seed=order.seed,
        exact=exact,
        plugins=plugins,
        compiled=order.compiled,
    )


def _refuse_no_numbers(figures: Mapping[str, Figures]) -> None:
    """A run is done where something was measured of it: one figure that is none may be its metric's."""
    if figures and all(f.value is None or not math.isfinite(f.value) for f in figures.values()):
        raise NumbersError(
            f"no figure of the trained model is a number: {', '.join(figures)}",
            do="listen to what it gave, in audio; lower train.optimizer.lr or train.clip, in another --out",
        )


def _record_codes(training: Training, held_out: HeldOut) -> Latents:
    """After the costs were taken: it is no part of the training, nor of its price."""
    evaluation = training.recipe.evaluation
    return record_codes(
        training.parts.average,
        held_out,
        generated=evaluation.prior_samples,
        audio_examples=max(evaluation.audio_examples, evaluation.final_audio),
        batch=training.recipe.train.batch_size,
    )


@define
class StopSignals:
    """Remembers that the run was asked to end; a second signal ends it at once."""

    seen: int = 0
    parent: int = 0

    @classmethod
    def installed(cls) -> "StopSignals":
        """Listens from now on."""
        signals = cls(parent=os.getppid())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # What it was told to ignore when it began, as nohup does, it ignores.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signals.take)
        return signals

    def take(self, number: int, _: object) -> None:
        """The handler."""
        if self.seen:
            os._exit(128 + number)
        self.seen = number

    def asked(self) -> int:
        """The signal that asked for the end, or 0. A run whose driver has died ends too: nobody would miss it."""
        if not self.seen and os.getppid() != self.parent:
            return int(signal.SIGHUP)
        return self.seen


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
