"""A trained model at work. This is where torch comes in."""

from pathlib import Path

import torch
from attrs import frozen
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from flowvae.building.model import SoundVAE
from flowvae.building.parts import Parts
from flowvae.errors import CheckpointError, UsageError, shown
from flowvae.folder.checkpoint import TENSORS, newest_whole
from flowvae.recipe import Recipe
from flowvae.streams import torch_seeded

AVERAGE, MODEL = "weights.average.", "weights.model."
"""Where a checkpoint has the weights that are evaluated: averaged ones, where there are any."""


@frozen(eq=False)
class Player:
    """A model that is asked and not trained."""

    model: SoundVAE
    recipe: Recipe

    @classmethod
    def of(cls, folder: Path, recipe: Recipe, seed: int) -> "Player":
        """With the weights of a run's newest checkpoint; CheckpointError where there is none that fits."""
        model = Parts(recipe, seed).model
        weights = _weights(folder)
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            raise CheckpointError(
                f"the weights in {shown(folder)} do not fit the model: {' '.join(str(error).split())[:300]}",
                do="install the versions that environment.json names",
            ) from error
        return cls(model.eval().requires_grad_(requires_grad=False), recipe)

    def sample(self, n: int, seed: int) -> Tensor:
        """New sounds, (n, c, t)."""
        with torch_seeded(seed, "play", "sample"):
            return self.decode(self.model.prior().sample(torch.Size([n])))

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """(b, c, t) to the most likely latent vectors, (b, latent_dim)."""
        return self.model.encode(self._checked(audio)).mode

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        """(b, latent_dim) to (b, c, t)."""
        return self.model.decode(latent)

    def morph(self, one: Tensor, other: Tensor, n: int) -> Tensor:
        """From one sound to another in n equal steps through the latent space, both ends included: (n, c, t)."""
        ends = self.encode(torch.stack([_single(one), _single(other)]))
        return self.decode(torch.lerp(ends[:1], ends[1:], torch.linspace(0, 1, n)[:, None]))

    def _checked(self, audio: Tensor) -> Tensor:
        section = self.recipe.model
        batch = audio[None] if audio.ndim == 2 else audio
        if batch.ndim != 3 or batch.shape[1:] != (section.channels, section.n_samples):
            raise UsageError(
                f"audio of shape {tuple(audio.shape)}; this model takes (b, {section.channels}, {section.n_samples})",
                do=f"give sounds of {section.n_samples} samples at {section.sample_rate} Hz, with silence after the end",
            )
        return batch


def _single(audio: Tensor) -> Tensor:
    return audio[0] if audio.ndim == 3 and len(audio) == 1 else audio


def _weights(folder: Path) -> dict[str, Tensor]:
    found = newest_whole(folder / "checkpoints")
    if found is None:
        raise CheckpointError(f"{shown(folder)} holds no checkpoint that can be read", do="train it first")
    try:
        tensors = load(found[TENSORS])
    except (KeyError, SafetensorError) as error:
        raise CheckpointError(f"the weights in {shown(folder)} cannot be read: {error}") from error
    prefix = AVERAGE if any(name.startswith(AVERAGE) for name in tensors) else MODEL
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
