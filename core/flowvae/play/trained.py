"""A trained run as one has it in Python. Needs no torch until a sound is touched."""

import warnings
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, evolve

from flowvae.building.installation import require_torch
from flowvae.catalogue import Catalogue
from flowvae.errors import CheckpointError, shown
from flowvae.folder.plan_records import Plan
from flowvae.folder.run_records import Order, Result
from flowvae.folder.status import read_status
from flowvae.recipe import Recipe, read_recipe, resolve

if TYPE_CHECKING:
    from torch import Tensor

    from flowvae.building.model import SoundVAE
    from flowvae.play.player import Player


@define(eq=False, slots=False, repr=False)
class TrainedRun:
    """The folder of one run: what it was asked, what it measured, and its model.

    Audio is (b, c, n_samples), float, in [-1, 1], at `recipe.model.sample_rate`.
    """

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> "TrainedRun":
        """The run in a folder; CheckpointError where there is none, with those that are near."""
        if not (folder / Order.file).is_file():
            near = [shown(found.parent) for found in sorted(folder.glob(f"runs/*/*/{Order.file}"))]
            where = "an ablation" if (folder / Plan.file).is_file() else "no run"
            raise CheckpointError(
                f"{shown(folder)} is the folder of {where}",
                do=f"name a run: {', '.join(near[:5])}"
                if near
                else "name a folder such as runs/NAME/runs/ARM/seed-0",
            )
        return cls(folder)

    def __repr__(self) -> str:
        return f"{self.order.arm}, seed {self.order.seed}, in {shown(self.folder)}"

    @cached_property
    def order(self) -> Order:
        """What the run was asked to do."""
        return Order.read(self.folder)

    @cached_property
    def recipe(self) -> Recipe:
        """The complete recipe."""
        catalogue = Catalogue.installed(self.order.plugins)
        return evolve(resolve(read_recipe(str(self.folder / "recipe.toml")), catalogue), name=self.order.arm)

    @cached_property
    def result(self) -> Result:
        """All that it measured; CheckpointError where it is not done."""
        status = read_status(self.folder)
        if status.state != "done":
            what = f"{self} is not finished: {status.state} at step {status.step} of {status.steps}"
            raise CheckpointError(what, do="the command that began it continues it")
        return Result.read(self.folder)

    @property
    def figures(self) -> Mapping[str, float | None]:
        """Metric to figure."""
        return {name: figure.value for name, figure in self.result.metrics.items()}

    @property
    def model(self) -> "SoundVAE":
        """The trained model, an nn.Module in evaluation mode."""
        return self._player.model

    def sample(self, n: int, *, seed: int = 0) -> "Tensor":
        """New sounds from the prior; one seed gives the same sounds each time."""
        return self._player.sample(n, seed)

    def reconstruct(self, audio: "Tensor") -> "Tensor":
        """Sounds through the model and back, without randomness."""
        return self._player.decode(self._player.encode(audio))

    def encode(self, audio: "Tensor") -> "Tensor":
        """The most likely latent vectors, (b, latent_dim)."""
        return self._player.encode(audio)

    def decode(self, latent: "Tensor") -> "Tensor":
        """Latent vectors (b, latent_dim) as sounds."""
        return self._player.decode(latent)

    def morph(self, one: "Tensor", other: "Tensor", *, n: int = 8) -> "Tensor":
        """From one sound to another in n steps, both ends included."""
        return self._player.morph(one, other, n)

    def learn_source(self, audio: "Tensor") -> None:
        """Shows the model sounds of the timbre that it shall turn into another; more of them, call by call."""
        self._player.learn("source", audio)

    def learn_target(self, audio: "Tensor") -> None:
        """Shows the model sounds of the timbre that others shall be given; from then on `reconstruct` and `decode` do so."""
        self._player.learn("target", audio)

    def forget_timbres(self) -> None:
        """Back to the model as it was trained."""
        self._player.forget()

    @cached_property
    def _player(self) -> "Player":
        require_torch("a trained model")
        status = read_status(self.folder)
        if status.state != "done":
            warnings.warn(f"{self} is {status.state} at step {status.step}: so are its weights", stacklevel=3)
        from flowvae.play.player import Player  # noqa: PLC0415 - torch comes in with the first sound

        return Player.of(self.folder, self.recipe, self.order.seed)
