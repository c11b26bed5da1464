"""The process of one run: `python -m flowvae.worker FOLDER` takes the run in that folder to its end."""

import os
import signal
import sys
import time
import traceback
from pathlib import Path

import torch
from attrs import define, evolve

from flowvae.building.compiled import compile_networks
from flowvae.building.device import device_number, machine, model_name, pick_device, uses_bf16
from flowvae.building.undisturbed import watch
from flowvae.catalogue import Catalogue
from flowvae.data.clips import load_clips
from flowvae.errors import CheckpointError, FlowvaeError, MachineError, Stopped
from flowvae.evaluation.codes import record_codes
from flowvae.evaluation.costs import costs
from flowvae.evaluation.evidence import HeldOut, trained_sounds, what_is_read
from flowvae.evaluation.validation import Validation
from flowvae.folder.journal import Journal
from flowvae.folder.latents import Latents
from flowvae.folder.lock import locked
from flowvae.folder.run_records import MeasuredFigure, Order, Result, State
from flowvae.folder.status import Status
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.identity import components, identity
from flowvae.training.loop import Checkpoints, train
from flowvae.training.start import take_weights
from flowvae.training.training import Training


def main(folder: Path) -> int:
    """Runs, and leaves status.json, result.json and an exit status that tell the truth."""
    order = Order.read(folder)
    status = Status(folder, 0)
    try:
        with locked(folder, wait=True):
            run(folder, order, status)
    except Stopped as stopped:
        _end(status, "stopped", f"signal {stopped.signal}", folder)
        return 128 + stopped.signal
    except FlowvaeError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        _end(status, "failed", error.what, folder)
        return error.exit_status
    except torch.OutOfMemoryError as error:
        _end(status, "failed", "the device ran out of memory", folder, error)
        return MachineError.exit_status
    except Exception as error:  # noqa: BLE001 - a fault of flowvae or of a component: keep the trace, tell the driver
        traceback.print_exc()
        _end(status, "failed", f"{type(error).__name__}: {error}", folder, error)
        return 1
    return 0


def run(folder: Path, order: Order, status: Status) -> None:
    """One run from its folder: what is done already is not done again."""
    catalogue = Catalogue.installed(order.plugins)
    recipe = resolve(read_recipe(str(folder / "recipe.toml")), catalogue)
    seed, device = order.seed, pick_device(order.device)
    torch.set_num_threads(order.threads)
    status.steps = recipe.train.steps
    clips = load_clips(folder / order.data)
    if identity(recipe, seed, clips.fingerprint) != order.identity:
        raise CheckpointError(
            "the components, the data or the recipe have changed since this run was planned",
            do="choose another --out, or install the versions that environment.json names",
        )
    signals = StopSignals.installed()
    training = Training.of(recipe, seed, clips, device)
    status.warnings += [f"{plugin.owner}: {note}" for plugin in catalogue.plugins for note in plugin.notes]
    if order.compiled:
        model = training.model
        compile_networks({"encoder": model.encoder, "decoder": model.decoder}, status.warnings.append)
    else:  # a compiler cannot trace what watches, and the probe has watched already
        watch(training.parts.builder.places)
    checkpoints = Checkpoints(
        folder / "checkpoints", order.identity, components(recipe), machine(order.threads, device)
    )
    _begin(training, folder, order)
    checkpoints.resume(training, status)
    chosen = (clips, recipe.model.n_samples, recipe.evaluation.sounds, device)
    held_out = HeldOut.of(*chosen)
    trained = trained_sounds(*chosen) if "trained" in what_is_read(training.parts.metrics) else None
    started = time.monotonic()
    with Journal(folder, training.state.step) as journal:
        validation = Validation(training.parts, held_out, journal, folder, trained)
        train(training, checkpoints, journal, status, observers=[validation], stop_signal=signals.asked)
        result = _result(
            training,
            validation,
            order,
            fingerprint=clips.fingerprint,
            seconds=time.monotonic() - started,
            plugins=tuple(sorted({plugin.owner for plugin in catalogue.plugins})),
            exact=status.exact,
        )
    _record_codes(training, held_out).write(folder)
    result.write(folder)
    status.write("done", recipe.train.steps)


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
    figures = validation.final()
    return Result(
        metrics={n: MeasuredFigure(f.value, f.per_sound) for n, f in figures.items()},
        untrained=validation.before_training(),
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


def _record_codes(training: Training, held_out: HeldOut) -> Latents:
    """After the costs were taken: it is no part of the training, nor of its price."""
    evaluation = training.recipe.evaluation
    return record_codes(
        training.parts.average,
        held_out,
        generated=evaluation.prior_samples,
        audio_examples=evaluation.audio_examples,
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


def _end(status: Status, state: State, reason: str, folder: Path, error: BaseException | None = None) -> None:
    last = 0
    newest = sorted((folder / "checkpoints").glob("step-*"))
    if newest:
        last = int(newest[-1].name.removeprefix("step-"))
    status.write(state, last, reason=reason)
    if error is not None:
        (folder / "error.txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
