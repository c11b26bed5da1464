"""The loop of a run, from its first step, or its newest checkpoint, to its last step."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from attrs import field, frozen
from torch import Tensor

from flowvae.errors import DISK_IS_FULL, CheckpointError, MachineError, NumbersError, Stopped
from flowvae.folder import checkpoint
from flowvae.folder.journal import Journal
from flowvae.folder.run_records import History
from flowvae.folder.status import Status
from flowvae.processes.signs import sign
from flowvae.recipe.measured_steps import for_curves, in_full
from flowvae.training.clock import step_clock
from flowvae.training.past import Past
from flowvae.training.phases import DISCRIMINATORS
from flowvae.training.self_check import SelfCheck
from flowvae.training.training import Training
from flowvae.training.watch import Watch, kept

REPORT_EVERY = 10
"""Steps whose figures are fetched from the device together. The journal gets the last of them: a mean would depend on
where an interrupted run was cut."""
TRAIN = "train"
"""The phase of the journal whose figures those of a step are."""
KEEP = 2
"""Checkpoints that are kept."""


Observer = Callable[[int], None]
"""Looks at a training after a step that the recipe names for it, and changes nothing."""


def _may_pass(error: MachineError) -> bool:
    """Whether a disk that refused a file may take the next one: one that is full does not."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno not in DISK_IS_FULL


@frozen(eq=False)
class Checkpoints:
    """Where a run's state is kept, and what has to agree for it to be taken up again."""

    folder: Path
    identity: str
    components: Mapping[str, object] = field(factory=dict)
    """Whose code made it."""
    machine: Mapping[str, object] = field(factory=dict)
    """What the last bits depend on: versions, processor, threads, device."""
    past: Past = field(init=False)
    """What the run has been through."""
    given_up: list[int] = field(factory=list, init=False)
    """The step of the last save, where it was given up."""

    @past.default
    def _past(self) -> Past:
        return Past.of(self.folder.parent)

    def save(
        self, training: Training, status: Status, *, is_last: bool = False
    ) -> Mapping[str, bytes] | None:
        """Commits the state of now, and gives its files; None where the disk refused them, for the first time in a row.

        A save that fails is given up whole, and the next one writes new files: what was flushed in vain may be lost
        although a second flush says nothing. After the last one there is no next, so it is tried once more at once.
        Errors: NumbersError where it is none of numbers any more, MachineError where the disk is full or refuses again.
        """
        state = training.state
        files = state.files(identity=self.identity, components=self.components, machine=self.machine)
        if state.step == 0:
            # While a new one is written those that are kept are there; with the optimizer's state it will be no smaller.
            checkpoint.refuse_small_disk(self.folder, files, KEEP + 1)
        try:
            self.past.note(state.step, exact=status.exact, told=status.warnings)
            checkpoint.commit(self.folder, state.step, files)
        except MachineError as error:
            if self.given_up or not _may_pass(error):
                raise
            self.given_up.append(state.step)
            status.add([f"{error.what}: that save was given up, and the next one is tried in full"])
            print(status.warnings[-1], flush=True)
            return self.save(training, status) if is_last else None
        self.given_up.clear()
        checkpoint.retain(self.folder, KEEP)
        return files

    def resume(self, training: Training, status: Status) -> None:
        """Takes the state of the newest checkpoint that can be taken up, if there is one; says whether to the same bits.

        Errors: ForeignError where it belongs to another recipe, CheckpointError where there are some, and none can be.
        """
        kept: dict[str, object] = {}

        def take(step: int, files: Mapping[str, bytes]) -> None:
            owner = checkpoint.read_state(files).get("identity")
            if owner != self.identity:
                raise checkpoint.ForeignError(
                    f"the checkpoint of step {step} belongs to another recipe", do="choose another --out"
                )
            kept.clear()
            kept.update(training.state.restore(files))
            if training.state.step != step:
                raise CheckpointError(f"the checkpoint of step {step} holds step {training.state.step}")

        found = checkpoint.find_newest(self.folder, take)
        if found is None:
            if self.past.record.seconds:
                status.add(["its checkpoints are gone: it began again from its first step"])
                self.past.record = History()
            return
        status.add(
            f"a damaged checkpoint was put aside ({name}); continued from step {found.step}"
            for name in found.damaged
        )
        self.past.go_on_from(found.step)
        if found.step > 0:
            status.exact = status.exact and self.past.record.exact
            self._tell_other_bits(kept.get("machine"), training, status)

    def _tell_other_bits(self, before: object, training: Training, status: Status) -> None:
        # A CPU with the same programs gives the same bits; a GPU adds up in an order of its own.
        old = before if isinstance(before, dict) else {}
        why = [f"{key} {old.get(key)} -> {new}" for key, new in self.machine.items() if old.get(key) != new]
        if training.device.type != "cpu":
            why.append(f"device {training.device.type}")
        if self.past.record.forgotten:
            why.append(f"no checkpoint holds {kept(self.past.record.forgotten)}")
        if why:
            status.exact = False
            status.add(
                [f"it went on from step {training.state.step}, but not to the same bits: {'; '.join(why)}"]
            )


def train(
    training: Training,
    checkpoints: Checkpoints,
    journal: Journal,
    status: Status,
    *,
    observers: Sequence[Observer],
    stop_signal: Callable[[], int],
    check: SelfCheck | None = None,
) -> None:
    """Takes the steps that are left; `stop_signal` gives the signal that asked for the end, or 0.

    NumbersError where a figure or a weight is no number any more; Stopped where a signal asked for the end.
    """
    watch = Watch(training, checkpoints.past, status, check)

    def save(*, is_last: bool = False) -> None:
        sign(f"the save of step {state.step}")
        journal.flush_to_disk()  # what a checkpoint counts on must be on the disk before it
        watch.saved(checkpoints.save(training, status, is_last=is_last))

    state, steps = training.state, training.recipe.train.steps
    status.add(_lost(journal, state.step))
    if state.step == 0:
        watch.begin()
        _show(0, observers)
        save()
    status.write("running", state.step)
    pending: list[dict[str, Tensor]] = []
    clock = step_clock(training.device)
    for step in range(state.step, steps):
        sign(f"step {step + 1}")
        clock.start()
        pending.append(training.step(step))
        clock.stop()
        training.seconds.expect(training.phase.name)
        state.step = done = step + 1
        watch.after(step, pending[-1])

        stopping = stop_signal()
        validating = in_full(training.recipe, done)
        saving = bool(stopping) or _is_due(training.recipe.train.checkpoint_every, done, steps)
        reporting = _is_due(REPORT_EVERY, done, steps)
        if validating or saving or reporting:
            figures = _fetch(pending, done, training)
            training.seconds.take(clock.read())
            pending = []
            if reporting:
                journal.write(TRAIN, done, figures)
            status.tick(done, **_said(training, figures))
        if validating or saving:
            watch.refuse_overflow()
        if validating or for_curves(training.recipe, done):
            _show(done, observers)
        if saving:
            save(is_last=bool(stopping) or done == steps)
        if stopping:
            raise Stopped(stopping)


def _lost(journal: Journal, step: int) -> list[str]:
    """What a journal should hold up to the step that a run goes on from, and does not."""
    told = {row.step for row in journal.kept if row.phase == TRAIN}
    lost = [due for due in range(REPORT_EVERY, step + 1, REPORT_EVERY) if due not in told]
    if not lost:
        return []
    return [
        f"metrics.jsonl has lost the figures of {len(lost)} steps, the first at {lost[0]}: its curves have a gap"
    ]


def _show(step: int, observers: Sequence[Observer]) -> None:
    for observe in observers:
        sign(f"the validation of step {step}")
        observe(step)


def _is_due(every: int, done: int, steps: int) -> bool:
    return done == steps or done % every == 0


def _fetch(pending: list[dict[str, Tensor]], done: int, training: Training) -> dict[str, Any]:
    """The newest of each figure; NumbersError names the first step and figure that is no number."""
    # Not every player moves at every step, so not every step has every figure.
    told = [(done - len(pending) + row, name) for row, figures in enumerate(pending) for name in figures]
    values = (
        torch.stack([figure.float() for figures in pending for figure in figures.values()]).double().cpu()
    )
    if not bool(torch.isfinite(values).all()):
        index = int((~torch.isfinite(values)).nonzero()[0])
        step, name = told[index]
        sounds = ", ".join(training.batches.names[i] for i in training.batches.rows(step).tolist())
        raise NumbersError(
            f"{name} is {values[index].item()} at step {step}",
            where=f"batch: {sounds}",
            do=f"lower {_to_lower(name, training)}, in another --out; the last checkpoint is from before",
        )
    latest = dict(zip((name for _, name in told), values.tolist(), strict=True))
    beta = {"beta": training.parts.regularizer.beta(done - 1)} if training.phase.reconstructs else {}
    return {**latest, **beta, **training.rates()}


def _to_lower(figure: str, training: Training) -> str:
    """What mostly tames the player whose figure it is."""
    turns = sorted(training.phase.turns, key=lambda turn: -len(turn.told_as))  # a prefix of nothing fits all
    table = next(turn.table for turn in turns if figure.startswith(turn.told_as))
    return f"{table}.optimizer.lr or {table}.clip"


def _said(training: Training, figures: dict[str, Any]) -> dict[str, Any]:
    """What is told of a training while it runs."""
    shares = [figures[name] for name in figures if name.startswith(f"{DISCRIMINATORS}right/")]
    return {
        "phase": training.phase.name,
        "loss": figures["loss"],
        "discriminator_loss": figures.get(f"{DISCRIMINATORS}loss"),
        "right": sum(shares) / len(shares) if shares else None,
        "steps_per_second": _rate(training.seconds.latest),
    }


def _rate(seconds: list[float]) -> float:
    return len(seconds) / sum(seconds)
