"""The process of one run: `python -m flowvae.worker FOLDER` takes the run in that folder to its end."""

import json
import os
import signal
import statistics
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import torch
from attrs import define, frozen

from flowvae.building.builder import Builder
from flowvae.building.device import pick_device
from flowvae.building.model import SoundVAE
from flowvae.catalogue import Catalogue
from flowvae.data.clips import load_clips
from flowvae.errors import CheckpointError, FlowvaeError, MachineError, Stopped
from flowvae.evaluation.evidence import Figures, HeldOut, build_measures, gather_evidence, measure
from flowvae.evaluation.memory import peak_memory_mb
from flowvae.folder.audio import slug, write_wav
from flowvae.folder.files import write_json
from flowvae.folder.journal import Journal
from flowvae.folder.lock import locked
from flowvae.folder.status import Status
from flowvae.folder.tensorboard import EventFile
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.identity import identity
from flowvae.recipe.resolved import Recipe
from flowvae.training.training import Outside, Training, held_out_sounds, train, uses_bf16


def main(folder: Path) -> int:
    """Runs, and leaves status.json, result.json and an exit status that tell the truth."""
    order = json.loads((folder / "run.json").read_text(encoding="utf-8"))
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


def run(folder: Path, order: dict[str, Any], status: Status) -> None:
    """One run from its folder: what is done already is not done again."""
    catalogue = Catalogue.installed(order["plugins"])
    recipe = resolve(read_recipe(str(folder / "recipe.toml")), catalogue)
    seed, device = int(order["seed"]), pick_device(order["device"])
    torch.set_num_threads(order["threads"])
    status.steps = recipe.train.steps
    clips = load_clips(folder / order["data"])
    if identity(recipe, seed, clips.fingerprint) != order["identity"]:
        raise CheckpointError(
            "the components, the data or the recipe have changed since this run was planned",
            do="choose another --out, or install the versions that environment.json names",
        )
    signals = StopSignals.installed()
    training = Training.of(recipe, seed, clips, device)
    status.warnings += [f"{plugin.owner}: {note}" for plugin in catalogue.plugins for note in plugin.notes]
    judge = _Judge.of(recipe, seed, held_out_sounds(recipe, clips, device), training.model.periods, folder)
    started = time.monotonic()
    train(training, Outside(folder, order["identity"], status, judge.validate, signals.asked))
    result = judge.result(training, order, clips.fingerprint, time.monotonic() - started)
    # The proof that no plugin but those named had a hand in it.
    result["plugins"] = sorted({plugin.owner for plugin in catalogue.plugins})
    write_json(folder / "result.json", result)
    status.write("done", recipe.train.steps)


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


@frozen(eq=False)
class _Judge:
    """Validates: figures and audio of fixed sounds with fixed noise."""

    recipe: Recipe
    held_out: HeldOut
    measures: dict[str, Any]
    folder: Path
    untrained: dict[str, Figures]
    last: dict[str, Figures]

    @classmethod
    def of(
        cls, recipe: Recipe, seed: int, held_out: HeldOut, periods: tuple[int, ...], folder: Path
    ) -> "_Judge":
        measures = build_measures(recipe.evaluation, Builder(seed), recipe.model.sample_rate, periods)
        return cls(recipe, held_out, measures, folder, {}, {})

    def validate(self, training: Training, journal: Journal, step: int) -> None:
        evidence = gather_evidence(
            training.average, self.held_out, self.recipe.evaluation.samples, self.recipe.train.batch
        )
        figures = measure(self.measures, evidence)
        (self.untrained if step == 0 else self.last).update(figures)
        journal.write("validation", step, {f"metric/{name}": f.value for name, f in figures.items()})
        self._write_audio(evidence.estimate, evidence.generated, step, journal.board)

    def _write_audio(
        self, estimate: torch.Tensor, generated: torch.Tensor, step: int, board: EventFile
    ) -> None:
        rate, count = self.recipe.model.sample_rate, self.recipe.evaluation.clips
        for i, name in enumerate(self.held_out.names[:count]):
            file = f"{i:02d}-{slug(name)}.wav"
            if not (self.folder / "audio" / "target" / file).exists():
                write_wav(self.folder / "audio" / "target" / file, self.held_out.audio[i], rate)
                board.audio(0, f"target/{i:02d}", self.held_out.audio[i], rate)
            write_wav(self.folder / "audio" / f"step-{step:09d}" / file, estimate[i], rate)
            board.audio(step, f"reconstruction/{i:02d}", estimate[i], rate)
        for i in range(min(count, len(generated))):
            write_wav(self.folder / "audio" / f"step-{step:09d}" / f"prior-{i:02d}.wav", generated[i], rate)
            board.audio(step, f"prior/{i:02d}", generated[i], rate)

    def result(
        self, training: Training, order: dict[str, Any], fingerprint: str, seconds: float
    ) -> dict[str, Any]:
        if not self.last:  # everything was done before a kill came between the last checkpoint and the result
            evidence = gather_evidence(
                training.average, self.held_out, self.recipe.evaluation.samples, self.recipe.train.batch
            )
            self.last.update(measure(self.measures, evidence))
        return {
            "metrics": {n: {"value": f.value, "per_sound": f.per_sound} for n, f in self.last.items()},
            "untrained": self._untrained(),
            "costs": {**costs(training), "train_seconds": seconds},
            "sounds": self.held_out.names,
            "groups": self.held_out.groups,
            "threads": order["threads"],
            "device": str(training.device),
            "precision": "bf16" if uses_bf16(self.recipe, training.device) else "fp32",
            "data_fingerprint": fingerprint,
            "seed": order["seed"],
        }

    def _untrained(self) -> dict[str, Any]:
        if self.untrained:
            return {name: {"value": f.value} for name, f in self.untrained.items()}
        for line in (self.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if entry["phase"] == "validation" and entry["step"] == 0:
                return {
                    k.removeprefix("metric/"): {"value": v}
                    for k, v in entry.items()
                    if k.startswith("metric/")
                }
        return {}


def costs(training: Training) -> dict[str, Any]:
    """What the run took: time of a step, memory, speed of decoding."""
    steps = training.seconds
    return {
        "parameters": sum(p.numel() for p in training.model.parameters()),
        "seconds_per_step": statistics.median(steps) if steps else None,
        "peak_memory_mb": peak_memory_mb(training.device),
        "real_time_factor": real_time_factor(training.average, training.recipe, training.device),
    }


@torch.no_grad()
def real_time_factor(model: SoundVAE, recipe: Recipe, device: torch.device) -> float:
    """Seconds of audio that one second of decoding makes, one sound at a time."""
    latent = torch.zeros(1, recipe.model.latent_dim, device=device)
    times = []
    model.eval()
    for _ in range(5):
        started = time.perf_counter()
        model.decode(latent).cpu()
        times.append(time.perf_counter() - started)
    return recipe.model.n_samples / recipe.model.sample_rate / statistics.median(times)


def _end(status: Status, state: str, reason: str, folder: Path, error: BaseException | None = None) -> None:
    last = 0
    newest = sorted((folder / "checkpoints").glob("step-*"))
    if newest:
        last = int(newest[-1].name.removeprefix("step-"))
    status.write(state, last, reason=reason)
    if error is not None:
        (folder / "error.txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
