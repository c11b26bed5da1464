"""A trained model at work. This is where torch comes in."""

from pathlib import Path
from typing import Literal

import torch
from attrs import frozen
from torch import Tensor

from flowvae.building.model import SoundVAE
from flowvae.building.parts import Parts
from flowvae.contracts import TaughtModulation
from flowvae.errors import CheckpointError, UsageError, shown
from flowvae.folder.checkpoint import newest_whole
from flowvae.recipe import Recipe
from flowvae.streams import torch_seeded
from flowvae.training.phases import MODEL
from flowvae.training.state import restore_part, state_of
from flowvae.training.training import AVERAGE


@frozen(eq=False)
class Player:
    """A model that is asked and not trained."""

    model: SoundVAE
    recipe: Recipe

    @classmethod
    def of(cls, folder: Path, recipe: Recipe, seed: int) -> "Player":
        """With the weights of a run's newest checkpoint; CheckpointError where there is none that fits."""
        found = newest_whole(folder / "checkpoints")
        state = None
        if found is not None:
            # Averaged weights are what is evaluated, where there are any.
            state = state_of(found, AVERAGE) or state_of(found, MODEL)
        if state is None:
            raise CheckpointError(
                f"{shown(folder)} holds no checkpoint that can be read", do="train it first"
            )
        model = Parts(recipe, seed).model
        restore_part(model, state)
        return cls(model.eval().requires_grad_(requires_grad=False), recipe)

    def sample(self, n: int, seed: int) -> Tensor:
        """New sounds, (n, c, t)."""
        _require_count(n)
        if type(seed) is not int:
            raise UsageError(f"{seed!r} is no seed", do="a whole number")
        with torch_seeded(seed, "play", "sample"):
            return self.decode(self.model.prior().sample(torch.Size([n])))

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """(b, c, t) to the most likely latent vectors, (b, latent_dim)."""
        return self.model.encode(self._checked(audio)).mode

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        """(b, latent_dim) to (b, c, t)."""
        width = self.recipe.model.latent_dim
        if not isinstance(latent, Tensor) or latent.ndim != 2 or latent.shape[1] != width:
            raise UsageError(
                f"latent vectors are (b, {width}), got {_shape(latent)}", do="run.encode gives some"
            )
        return self.model.decode(latent)

    def learn(self, stream: Literal["source", "target"], audio: Tensor) -> None:
        """Shows the taught modulations one of the two streams between which they turn."""
        taught = self._taught()
        try:
            for modulation in taught:
                modulation.learn = stream
            for part in torch.split(self._checked(audio), self.recipe.train.batch_size):
                self.decode(self.encode(part))
        finally:
            for modulation in taught:
                modulation.learn = "nothing"

    def forget(self) -> None:
        """What was learned of either stream."""
        for modulation in self._taught():
            modulation.reset()

    def _taught(self) -> list[TaughtModulation]:
        found: list[TaughtModulation] = [m for m in self.model.modules() if isinstance(m, TaughtModulation)]
        if not found:
            raise UsageError(
                "nothing in this model can be taught a timbre",
                do='train with [defaults] modulation = "adain_transfer"; it changes nothing about the training',
            )
        return found

    def morph(self, one: Tensor, other: Tensor, n: int) -> Tensor:
        """From one sound to another in n equal steps through the latent space, both ends included: (n, c, t)."""
        _require_count(n)
        ends = self.encode(torch.cat([self._single(one), self._single(other)]))
        return self.decode(torch.lerp(ends[:1], ends[1:], torch.linspace(0, 1, n)[:, None]))

    def _checked(self, audio: Tensor) -> Tensor:
        section = self.recipe.model
        batch = audio[None] if isinstance(audio, Tensor) and audio.ndim == 2 else audio
        if (
            not isinstance(batch, Tensor)
            or batch.ndim != 3
            or batch.shape[1:] != (section.channels, section.n_samples)
        ):
            raise UsageError(
                f"audio is {_shape(audio)}; this model takes (b, {section.channels}, {section.n_samples})",
                do=f"give sounds of {section.n_samples} samples at {section.sample_rate} Hz, with silence after the end",
            )
        if not len(batch) or not batch.is_floating_point() or not bool(batch.isfinite().all()):
            what = "no sound" if not len(batch) else "values that are no finite floating-point numbers"
            raise UsageError(f"audio has {what}", do="full scale is 1.0")
        return batch

    def _single(self, audio: Tensor) -> Tensor:
        batch = self._checked(audio)
        if len(batch) != 1:
            raise UsageError(f"audio is {_shape(audio)}; one sound is expected", do="audio[:1] is the first")
        return batch


def _require_count(n: int) -> None:
    if type(n) is not int or n < 1:
        raise UsageError(f"{n!r} is no number of sounds", do="1 or more")


def _shape(value: object) -> str:
    return (
        f"of shape {tuple(value.shape)}"
        if isinstance(value, Tensor)
        else f"a {type(value).__name__}, no tensor"
    )
