"""The training of one run, from the first step to the last."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from attrs import Factory, define, field, frozen
from torch import Tensor, nn

from flowvae.building.builder import Builder
from flowvae.building.model import SoundVAE
from flowvae.building.shared_stft import SharedStft
from flowvae.contracts import Regularize
from flowvae.data.batches import Batches
from flowvae.data.clips import Clips
from flowvae.errors import CheckpointError, NumbersError, Stopped
from flowvae.evaluation.evidence import HeldOut
from flowvae.folder import checkpoint
from flowvae.folder.journal import Journal
from flowvae.folder.status import Status
from flowvae.recipe.identity import components
from flowvae.recipe.resolved import Recipe
from flowvae.streams import stream_key
from flowvae.training.clock import step_clock
from flowvae.training.state import TrainingState

REPORT_EVERY = 10
"""Steps whose figures are fetched from the device together. The journal gets the last of them: a mean would depend on
where an interrupted run was cut."""
KEEP = 2
"""Checkpoints that are kept."""


@define(eq=False)
class Training:
    """One model, its losses and its state, ready to take steps."""

    recipe: Recipe
    seed: int
    device: torch.device
    model: SoundVAE
    average: SoundVAE
    batches: Batches
    losses: list[tuple[str, float, nn.Module]]
    regularizer: Regularize
    schedule: Callable[[int], float]
    state: TrainingState
    stft: SharedStft
    peak_lr: list[float] = field(factory=list)
    seconds: list[float] = Factory(list)
    """Time of each step, validations left out."""

    @classmethod
    def of(cls, recipe: Recipe, seed: int, clips: Clips, device: torch.device) -> "Training":
        """Builds everything that the recipe names; the streams make it the same every time."""
        build, train = Builder(seed), recipe.train
        bf16 = uses_bf16(recipe, device)
        model = SoundVAE(recipe.model, build, bf16=bf16).to(device)
        average = model
        if train.ema:
            average = SoundVAE(recipe.model, Builder(seed), bf16=bf16).to(device)
            average.requires_grad_(requires_grad=False)
        stft = SharedStft()
        losses = [
            (
                part.name,
                part.extras["weight"],
                build.build(part, f"losses[{i}]", sample_rate=recipe.model.sample_rate, stft=stft).to(device),
            )
            for i, part in enumerate(recipe.losses)
        ]
        optimizer = build.build(train.optimizer, "train.optimizer", parameters=list(model.named_parameters()))
        return cls(
            recipe=recipe,
            seed=seed,
            device=device,
            model=model,
            average=average,
            batches=Batches(clips, recipe, seed, device),
            losses=losses,
            regularizer=build.build(recipe.regularizer, "regularizer", n_steps=train.steps),
            schedule=build.build(train.schedule, "train.schedule", n_steps=train.steps),
            state=TrainingState(model, average, optimizer),
            stft=stft,
            peak_lr=[group["lr"] for group in optimizer.param_groups],
        )

    def step(self, step: int) -> dict[str, Tensor]:
        """One step. The figures stay on the device: fetching them would make the host wait for it."""
        target = self.batches(step)
        torch.manual_seed(
            stream_key(self.seed, "step", step)
        )  # for what draws from torch itself: the latent noise
        out = self.model(target)
        figures = {f"loss/{name}": loss(target, out.estimate) for name, _, loss in self.losses}
        nats = self.regularizer(out.posterior, self.model.prior(), out.latent, out.log_prob)
        beta = self.regularizer.beta(step)
        total = nats * beta
        for name, weight, _ in self.losses:
            total = total + weight * figures[f"loss/{name}"]
        self.stft.forget()

        optimizer = self.state.optimizer
        optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = self._clip()
        for group, peak in zip(optimizer.param_groups, self.peak_lr, strict=True):
            group["lr"] = peak * self.schedule(step)
        optimizer.step()
        self._average_weights(step)
        figures = {"loss": total, "kl": nats, "grad_norm": norm, **figures}
        return {name: figure.detach() for name, figure in figures.items()}

    def _clip(self) -> Tensor:
        clip = self.recipe.train.clip
        return nn.utils.clip_grad_norm_(self.model.parameters(), clip if clip is not None else float("inf"))

    @torch.no_grad()
    def _average_weights(self, step: int) -> None:
        if self.average is self.model:
            return
        # Young averages follow quickly: after n steps nothing older than n steps weighs in.
        decay = min(self.recipe.train.ema or 0.0, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)
        for mine, theirs in zip(self.average.buffers(), self.model.buffers(), strict=True):
            mine.copy_(theirs)


@frozen(eq=False)
class Outside:
    """What a training needs from its process: where to write, whom to tell, when to stop."""

    folder: Path
    identity: str
    status: Status
    validate: Callable[[Training, Journal, int], None]
    stop_signal: Callable[[], int]
    """The signal that asked for the end, or 0."""

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints are."""
        return self.folder / "checkpoints"


def train(training: Training, around: Outside) -> None:
    """Takes the run from its newest checkpoint, or from the start, to its last step.

    NumbersError where a figure is no number any more; Stopped where a signal asked for the end.
    """
    resume(training, around)
    journal = Journal(around.folder, training.state.step)
    try:
        _take_steps(training, around, journal)
    finally:
        journal.close()


def _take_steps(training: Training, around: Outside, journal: Journal) -> None:
    recipe, state = training.recipe, training.state
    if state.step == 0:
        around.validate(training, journal, 0)
        _save(training, around, journal)
    around.status.write("running", state.step)
    pending: list[dict[str, Tensor]] = []
    clock = step_clock(training.device)
    for step in range(state.step, recipe.train.steps):
        clock.start()
        pending.append(training.step(step))
        clock.stop()
        state.step = done = step + 1

        stopping = around.stop_signal()
        last = done == recipe.train.steps
        validating = last or done % recipe.evaluation.every == 0
        saving = last or bool(stopping) or done % recipe.train.checkpoint_every == 0
        if validating or saving or done % REPORT_EVERY == 0:
            figures = _fetch(pending, done, training)
            training.seconds += clock.read()
            pending = []
            if last or done % REPORT_EVERY == 0:
                journal.write("train", done, figures)
            around.status.tick(done, loss=figures["loss"], steps_per_second=_rate(training.seconds))
        if validating:
            around.validate(training, journal, done)
        if saving:
            _save(training, around, journal)
        if stopping:
            raise Stopped(stopping)


def resume(training: Training, around: Outside) -> None:
    """Takes the state of the newest checkpoint that verifies, if there is one."""
    found = checkpoint.find_newest(around.checkpoints)
    if found is None:
        return
    for name in found.damaged:
        around.status.warnings.append(
            f"a damaged checkpoint was put aside ({name}); continued from step {found.step}"
        )
    training.state.restore(found.files, around.identity)
    if training.state.step != found.step:
        raise CheckpointError(f"the checkpoint of step {found.step} holds step {training.state.step}")


def uses_bf16(recipe: Recipe, device: torch.device) -> bool:
    """Whether encoder and decoder compute in bf16. On a CPU the small convolutions of this field do not gain."""
    if recipe.train.precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return recipe.train.precision == "bf16"


def _save(training: Training, around: Outside, journal: Journal) -> None:
    files = training.state.files(around.identity, components(training.recipe))
    journal.flush_to_disk()
    checkpoint.commit(around.checkpoints, training.state.step, files)
    checkpoint.retain(around.checkpoints, KEEP)


def _fetch(pending: list[dict[str, Tensor]], done: int, training: Training) -> dict[str, Any]:
    """The figures of the last step; NumbersError names the first step and figure that is no number."""
    names = list(pending[0])
    rows = torch.stack([torch.stack([figures[n].float() for n in names]) for figures in pending])
    values = rows.double().cpu()
    if not bool(torch.isfinite(values).all()):
        row, column = (~torch.isfinite(values)).nonzero()[0].tolist()
        step = done - len(pending) + row
        sounds = ", ".join(training.batches.names[i] for i in training.batches.rows(step).tolist())
        raise NumbersError(
            f"{names[column]} is {values[row, column].item()} at step {step}",
            where=f"batch: {sounds}",
            do="lower the learning rate or train.clip; the last checkpoint is from before",
        )
    latest = dict(zip(names, values[-1].tolist(), strict=True))
    lr = training.state.optimizer.param_groups[0]["lr"]
    return {**latest, "beta": training.regularizer.beta(done - 1), "lr": lr}


def _rate(seconds: list[float]) -> float:
    recent = seconds[-50:]
    return len(recent) / sum(recent)


def held_out_sounds(recipe: Recipe, clips: Clips, device: torch.device) -> HeldOut:
    """What the run is judged by."""
    return HeldOut.of(clips, recipe.model.n_samples, recipe.evaluation.sounds, device)
