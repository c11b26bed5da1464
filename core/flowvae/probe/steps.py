"""What a step of each phase costs, found by taking one with two sounds."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from flowvae.building.construct import at_work
from flowvae.building.parts import Parts
from flowvae.building.second_player import HERE, SecondPlayer
from flowvae.errors import Fault, PluginError, RecipeError
from flowvae.folder.probe_records import PhaseCosts
from flowvae.probe.flops import MultiplyAdds
from flowvae.probe.kept import kept_for_backward
from flowvae.recipe import Part
from flowvae.streams import SeededStream
from flowvae.training.objective import Pass
from flowvae.training.phases import Phase, Turn, lent, phases_of

N_SOUNDS = 2


def phase_costs(parts: Parts) -> dict[str, PhaseCosts]:
    """By the name of the phase: multiply-adds of a step, and the memory that it keeps, for each sound of its batch."""
    return {phase.name: _costs(phase, parts) for phase in phases_of(parts, 0, parts.device)}


def _costs(phase: Phase, parts: Parts) -> PhaseCosts:
    freeze(parts, phase.frozen)
    batch = sounds_for(phase, parts, N_SOUNDS)
    with MultiplyAdds() as counter:
        if phase.reconstructs:
            _ = batch.reconstruction  # one for all turns, and at every step
    macs = counter.total
    for turn in phase.turns:
        with lent_for(turn, parts), MultiplyAdds() as counter:
            turn.objective(batch)["loss"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        macs += counter.total / turn.every
    parts.model.zero_grad(set_to_none=True)
    kept = max(_kept_a_sound(turn, phase, parts) for turn in phase.turns)
    freeze(parts, ())
    return PhaseCosts(macs / N_SOUNDS, kept)


def _kept_a_sound(turn: Turn, phase: Phase, parts: Parts) -> int:
    """What one more sound in the batch adds to what is kept; weights are kept once for all of them."""
    sizes = []
    for n_sounds in (N_SOUNDS, N_SOUNDS + 1):
        with lent_for(turn, parts), kept_for_backward() as kept:
            turn.objective(sounds_for(phase, parts, n_sounds))
        parts.stft.forget()
        sizes.append(sum(kept.values()))
    return sizes[1] - sizes[0]


def sounds_for(phase: Phase, parts: Parts, n_sounds: int) -> Pass:
    """A batch of noise for a step of a phase."""
    section = parts.recipe.model
    sounds = 0.1 * torch.randn(n_sounds, section.channels, section.n_samples)
    return Pass(parts.model, sounds, phase.from_step)


def lent_for(turn: Turn, parts: Parts) -> AbstractContextManager[None]:
    """Within, what a turn lends is lent."""
    modules = parts.second_player.modules if parts.second_player else {}
    return lent(modules[name] for name in turn.lends)


def freeze(parts: Parts, paths: tuple[str, ...]) -> None:
    """As a phase has it; RecipeError where there is nothing of that name, or nothing left that could move."""
    model = parts.model.requires_grad_(requires_grad=True)
    for path in paths:
        try:
            module = model.get_submodule(path.partition(".")[2])
        except AttributeError as error:
            raise _freeze_fault(f'the model has no module "{path}"') from error
        if not any(True for _ in module.parameters()):
            raise _freeze_fault(f"{path} has no weights, so there is nothing to freeze")
        module.requires_grad_(requires_grad=False)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise _freeze_fault("nothing of the model is left to train")


def _freeze_fault(what: str) -> RecipeError:
    return RecipeError([Fault(what, path=f"{HERE}.freeze")])


def try_discriminators(parts: Parts) -> None:
    """Each of them once; PluginError with the one that breaks its contract."""
    if parts.second_player is None:
        return
    section = parts.recipe.model
    length = parts.second_player.keys.hears_samples or section.n_samples
    audio = 0.1 * torch.randn(N_SOUNDS, section.channels, length)
    for name, part, path in _discriminators(parts.second_player):
        with at_work(part, path), torch.no_grad():
            judgements = list(
                parts.second_player.discriminators[name](audio, SeededStream.of(0, "probe", name))
            )
            told = [logits for logits, _ in judgements]
            features = [feature for _, found in judgements for feature in found]
        _expect(part, told, features, matching=parts.second_player.feature_matching is not None)


def _discriminators(player: SecondPlayer) -> Iterator[tuple[str, Part, str]]:
    for name, part in player.keys.discriminators.items():
        yield name, part, f"{HERE}.discriminators.{name}"


def _expect(part: Part, logits: list[Tensor], features: list[Tensor], *, matching: bool) -> None:
    if not logits:
        raise PluginError(f"{part.component} judges nothing: it has no sub-discriminator")
    if matching and not features:
        raise PluginError(f"{part.component} shows no features, and adversarial.feature_matching wants some")
    for tensor in (*logits, *features):
        if tensor.shape[:1] != (N_SOUNDS,):
            what = f"{part.component} returned {list(tensor.shape)} for {N_SOUNDS} sounds"
            raise PluginError(what, do="the first axis is the batch")
        if not bool(torch.isfinite(tensor).all()):
            what = f"{part.component} returned values that are not finite, before any training"
            raise PluginError(what, do="flowvae check-plugin tells more")
