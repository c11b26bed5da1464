"""Every part that a recipe names, built once and under its name: for training, probe, evaluation, play and front page."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import torch
from attrs import define, field
from torch import nn, optim

from flowvae.building.builder import Builder
from flowvae.building.device import uses_bf16
from flowvae.building.model import SoundVAE
from flowvae.building.prior_fit import PriorFit
from flowvae.building.second_player import SecondPlayer
from flowvae.building.shared_stft import SharedStft
from flowvae.contracts import BuiltAugmentation, BuiltMetric, BuiltReference, BuiltRegularizer
from flowvae.recipe import Part, Recipe
from flowvae.streams import initialisation


@define(eq=False, slots=False)
class Parts:
    """The parts of one recipe; each is built when it is first asked for. Its key path decides its initial weights."""

    recipe: Recipe
    seed: int | None
    device: torch.device = field(factory=lambda: torch.device("cpu"))
    builder: Builder = field(init=False)
    """It knows what was put where."""

    def __attrs_post_init__(self) -> None:
        self.builder = Builder(initialisation(self.seed))

    @cached_property
    def model(self) -> SoundVAE:
        """What is trained."""
        return self._model(self.builder)

    @cached_property
    def average(self) -> SoundVAE:
        """What is evaluated: a copy for averaged weights, the model itself where none are averaged."""
        if not self.recipe.train.ema:
            return self.model
        return self._model(Builder(initialisation(self.seed))).requires_grad_(requires_grad=False)

    @cached_property
    def stft(self) -> SharedStft:
        """The transform that the losses share."""
        return SharedStft()

    @cached_property
    def losses(self) -> Mapping[str, nn.Module]:
        """What reconstructions are trained by."""
        given = {"sample_rate": self.recipe.model.sample_rate, "stft": self.stft}
        built = self._named("losses", self.recipe.losses, given)
        return {name: loss.to(self.device) for name, loss in built.items()}

    @cached_property
    def regularizer(self) -> BuiltRegularizer:
        """What keeps the posterior near the prior."""
        built: BuiltRegularizer = self.builder.build(
            self.recipe.regularizer, "regularizer", n_steps=self.recipe.model_steps
        )
        return built

    @cached_property
    def augmentations(self) -> Mapping[str, BuiltAugmentation]:
        """What is done to a batch."""
        model = self.recipe.model
        given = {"sample_rate": model.sample_rate, "n_samples": model.n_samples}
        return self._named("augmentations", self.recipe.augmentations, given)

    @cached_property
    def metrics(self) -> Mapping[str, BuiltMetric]:
        """What a trained model is measured by."""
        given = {"sample_rate": self.recipe.model.sample_rate, "periods": self.model.periods}
        return self._named("evaluation.metrics", self.recipe.evaluation.metrics, given)

    @cached_property
    def references(self) -> Mapping[str, BuiltReference]:
        """What is measured beside the model."""
        model = self.recipe.model
        given = {"sample_rate": model.sample_rate, "channels": model.channels, "n_samples": model.n_samples}
        return self._named("evaluation.references", self.recipe.evaluation.references, given)

    @cached_property
    def optimizer(self) -> optim.Optimizer:
        """What moves the weights of the model."""
        named = list(self.model.named_parameters())
        built: optim.Optimizer = self.builder.build(
            self.recipe.train.optimizer, "train.optimizer", parameters=named
        )
        return built

    @cached_property
    def schedule(self) -> Callable[[int], float]:
        """The learning rate over the run, as a factor."""
        built: Callable[[int], float] = self.builder.build(
            self.recipe.train.schedule, "train.schedule", n_steps=self.recipe.model_steps
        )
        return built

    @cached_property
    def prior_fit(self) -> PriorFit | None:
        """What fits the prior after the fact, where the recipe asks for it."""
        section = self.recipe.prior_fit
        if section is None:
            return None
        return PriorFit.of(section, self.recipe, self.builder, self.model.prior)

    @cached_property
    def second_player(self) -> SecondPlayer | None:
        """The discriminators and what belongs to them, where the recipe has any."""
        if self.recipe.adversarial is None:
            return None
        return SecondPlayer.of(self.recipe.adversarial, self.recipe, self.builder, self.stft, self.device)

    def build_all(self) -> None:
        """Builds what was not asked for yet: a value that is refused is refused now."""
        _ = (self.model, self.losses, self.regularizer, self.augmentations, self.metrics)
        _ = (self.optimizer, self.schedule, self.second_player, self.prior_fit)

    def _model(self, builder: Builder) -> SoundVAE:
        bf16 = uses_bf16(self.recipe, self.device)
        return SoundVAE(self.recipe.model, builder, bf16=bf16).to(self.device)

    def _named(self, path: str, parts: Mapping[str, Part], given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.builder.build(part, f"{path}.{name}", **given) for name, part in parts.items()}
