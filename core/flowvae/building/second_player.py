"""The parts of the second player: discriminators, what both players minimise, and what moves the discriminators."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from attrs import frozen
from torch import Tensor, nn, optim

from flowvae.building.builder import Builder
from flowvae.contracts import BuiltAdversarial, BuiltBalance, BuiltFeatureMatching, Stft
from flowvae.recipe import Part, Recipe
from flowvae.recipe.tables import AdversarialKeys

HERE = "adversarial"
"""The table of the second player, and with it the beginning of the key path of each of its parts."""


@frozen(eq=False)
class SecondPlayer:
    """What a recipe's adversarial table names, built once and under its name."""

    keys: AdversarialKeys
    losses: BuiltAdversarial
    discriminators: Mapping[str, nn.Module]
    feature_matching: BuiltFeatureMatching | None
    conditioning: Callable[[Tensor], Tensor] | None
    balance: BuiltBalance | None
    optimizer: optim.Optimizer
    schedule: Callable[[int], float]

    @classmethod
    def of(
        cls, part: Part, recipe: Recipe, builder: Builder, stft: Stft, device: torch.device
    ) -> "SecondPlayer":
        """The parts of the table; the schedule runs over the phase alone."""
        keys, model = AdversarialKeys(**part.extras), recipe.model
        given = {
            "channels": model.channels,
            "sample_rate": model.sample_rate,
            "n_samples": keys.hears_samples or model.n_samples,
            "stft": stft,
        }
        discriminators = {
            name: builder.build(child, f"{HERE}.discriminators.{name}", **given).to(device)
            for name, child in keys.discriminators.items()
        }
        weights = [
            (f"{name}.{path}", weight)
            for name, module in discriminators.items()
            for path, weight in module.named_parameters()
        ]

        def optional(key: str) -> Any:
            child = getattr(keys, key)
            return child and _placed(builder.build(child, f"{HERE}.{key}"), device)

        return cls(
            keys=keys,
            losses=_placed(builder.build(part, HERE), device),
            discriminators=discriminators,
            feature_matching=optional("feature_matching"),
            conditioning=optional("conditioning"),
            balance=optional("balance"),
            optimizer=builder.build(keys.optimizer, f"{HERE}.optimizer", parameters=weights),
            schedule=builder.build(
                keys.schedule, f"{HERE}.schedule", n_steps=recipe.model_steps - keys.from_step
            ),
        )

    def named(self) -> dict[str, Any]:
        """Every part that may keep something between steps, by its key path."""
        alone = {
            HERE: self.losses,
            f"{HERE}.feature_matching": self.feature_matching,
            f"{HERE}.conditioning": self.conditioning,
            f"{HERE}.balance": self.balance,
            f"{HERE}.schedule": self.schedule,
        }
        return {**self.modules, **{path: part for path, part in alone.items() if part is not None}}

    @property
    def n_weights(self) -> int:
        """Weights of all discriminators."""
        return sum(weight.numel() for module in self.modules.values() for weight in module.parameters())

    @property
    def modules(self) -> dict[str, nn.Module]:
        """The discriminators by their key paths."""
        return {f"{HERE}.discriminators.{name}": module for name, module in self.discriminators.items()}


def _placed(part: Any, device: torch.device) -> Any:
    return part.to(device) if isinstance(part, nn.Module) else part
