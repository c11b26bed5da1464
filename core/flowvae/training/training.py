"""One step of a training: the phase says what is computed, what moves, and what is frozen."""

from collections.abc import Iterable, Iterator, Mapping

import torch
from attrs import Factory, define
from torch import Tensor, nn

from flowvae.building.memory import peak_memory_mb
from flowvae.building.model import SoundVAE
from flowvae.building.parts import Parts
from flowvae.data.batches import Batches
from flowvae.data.clips import Clips
from flowvae.recipe import Recipe
from flowvae.streams import seed_torch, stream_key
from flowvae.training.clock import StepTimes
from flowvae.training.objective import Pass
from flowvae.training.phases import (
    MODEL,
    OPTIMIZER,
    PRIOR_OPTIMIZER,
    SECOND_OPTIMIZER,
    Phase,
    Turn,
    lent,
    phase_at,
    phases_of,
)
from flowvae.training.small_weights import Gradients, MovingAverage
from flowvae.training.state import TrainingState, stateful

AVERAGE = "average"
"""The name of the averaged weights in the state of a run."""


@define(eq=False)
class Training:
    """The parts of a run and their state, ready to take steps."""

    parts: Parts
    seed: int
    batches: Batches
    phases: tuple[Phase, ...]
    state: TrainingState
    peak_lr: dict[str, list[float]]
    seconds: StepTimes = Factory(StepTimes)
    """Time of each step, validations left out."""
    memory: dict[str, float | None] = Factory(dict)
    """The most that was in use until the end of each phase, in MiB."""
    peak_mb: float | None = None
    """The most that was in use until what was no part of the training; what is counted since then comes on top."""
    _phase: Phase | None = None
    _gradients: Mapping[str, Gradients] = Factory(dict)
    """Of the weights that are stepped in this phase, by the name of their optimizer."""
    _averaging: MovingAverage | None = None

    @classmethod
    def of(cls, recipe: Recipe, seed: int, clips: Clips, device: torch.device) -> "Training":
        """Builds everything that the recipe names; the streams make it the same every time."""
        parts = Parts(recipe, seed, device)
        parts.build_all()
        others = {
            **{f"losses.{name}": loss for name, loss in parts.losses.items()},
            **{f"augmentations.{name}": augment for name, augment in parts.augmentations.items()},
            "regularizer": parts.regularizer,
            "train.schedule": parts.schedule,
        }
        average = {} if parts.average is parts.model else {AVERAGE: parts.average}
        optimizers = {OPTIMIZER: parts.optimizer}
        if parts.second_player is not None:
            others |= parts.second_player.named()
            optimizers[SECOND_OPTIMIZER] = parts.second_player.optimizer
        if parts.prior_fit is not None:
            others["prior_fit.schedule"] = parts.prior_fit.schedule
            optimizers[PRIOR_OPTIMIZER] = parts.prior_fit.optimizer
        return cls(
            parts=parts,
            seed=seed,
            batches=Batches(clips, recipe, parts.augmentations, seed, device),
            phases=phases_of(parts, seed, device),
            state=TrainingState({MODEL: parts.model, **average, **dict(stateful(others))}, optimizers),
            peak_lr={name: [group["lr"] for group in o.param_groups] for name, o in optimizers.items()},
        )

    @property
    def recipe(self) -> Recipe:
        """What is followed."""
        return self.parts.recipe

    @property
    def device(self) -> torch.device:
        """Where everything is."""
        return self.parts.device

    @property
    def model(self) -> SoundVAE:
        """What is trained."""
        return self.parts.model

    @property
    def average(self) -> SoundVAE:
        """What is evaluated."""
        return self.parts.average

    @property
    def phase(self) -> Phase:
        """The one that the last step belonged to."""
        return self._phase or phase_at(self.phases, self.state.step)

    def memory_by_phase(self) -> dict[str, float | None]:
        """The most that was in use until the end of each phase, and until now."""
        return {**self.memory, self.phase.name: self._peak()}

    def _peak(self) -> float | None:
        counted = [peak for peak in (self.peak_mb, peak_memory_mb(self.device)) if peak is not None]
        return max(counted, default=None)

    def rates(self) -> dict[str, float]:
        """The learning rates of now, by the name that they are told under."""
        told = {turn.told_as: turn.optimizer for turn in self.phase.turns}
        return {f"{name}lr": self.state.optimizers[of].param_groups[0]["lr"] for name, of in told.items()}

    def step(self, step: int) -> dict[str, Tensor]:
        """One step. The figures stay on the device: fetching them would make the host wait for it."""
        phase = phase_at(self.phases, step)
        if phase is not self._phase:
            self._enter(phase)
        target = self.batches(step)
        # For what draws from torch itself: the latent noise.
        seed_torch(stream_key(self.seed, "step", step))
        batch = Pass(self.model, target, step)
        figures: dict[str, Tensor] = {}
        for turn in phase.turns_at(step):
            figures |= {f"{turn.told_as}{name}": figure for name, figure in self._take(turn, batch).items()}
        self.parts.stft.forget()
        self._average_weights(step)
        return {name: figure.detach() for name, figure in figures.items()}

    def _enter(self, phase: Phase) -> None:
        """What is frozen asks for no gradient, so no optimizer sees one, and keeps its buffers."""
        if self._phase is not None:
            self.memory[self._phase.name] = self._peak()
        for module in self._modules(self.state.modules):
            if module is not self.average or module is self.model:
                module.requires_grad_(requires_grad=True).train()
        for path in phase.frozen:
            name, _, inside = path.partition(".")
            whole = self.state.modules[name]
            assert isinstance(whole, nn.Module)
            whole.get_submodule(inside).requires_grad_(requires_grad=False).eval()
        self._gradients = {
            turn.optimizer: Gradients.of(
                w for module in self._modules(turn.moves) for w in module.parameters()
            )
            for turn in phase.turns
        }
        if self.average is not self.model:
            self._averaging = MovingAverage.of(
                self.average, self.model, lambda weight: not _is_frozen(weight, phase)
            )
        self._phase = phase

    def _take(self, turn: Turn, batch: Pass) -> dict[str, Tensor]:
        with lent(self._modules(turn.lends)):
            figures = turn.objective(batch)
            optimizer = self.state.optimizers[turn.optimizer]
            optimizer.zero_grad(set_to_none=True)
            figures["loss"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            figures["grad_norm"] = self._gradients[turn.optimizer].clip(turn.clip)
            for group, peak in zip(optimizer.param_groups, self.peak_lr[turn.optimizer], strict=True):
                group["lr"] = peak * turn.schedule(batch.step)
            optimizer.step()
        return figures

    def _modules(self, names: Iterable[str]) -> Iterator[nn.Module]:
        modules = (self.state.modules[name] for name in names)
        yield from (module for module in modules if isinstance(module, nn.Module))

    def _average_weights(self, step: int) -> None:
        if self._averaging is not None:
            # Young averages follow quickly: after n steps nothing older than n steps weighs in.
            self._averaging.follow(min(self.recipe.train.ema or 0.0, (1 + step) / (10 + step)))


def _is_frozen(weight: str, phase: Phase) -> bool:
    return any(f"{MODEL}.{weight}".startswith(f"{path}.") for path in phase.frozen)
