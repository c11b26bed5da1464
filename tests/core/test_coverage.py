import torch
from torch import nn

from flowvae.building.builder import Builder
from flowvae.building.model import SoundVAE
from flowvae.probe.coverage import coverage
from flowvae.recipe import read_recipe, resolve
from flowvae.streams import initialisation
from pretend import catalogue_with, offering, plugin


class Stubborn(nn.Module):
    """An encoder that hard-codes its activation."""

    def __init__(self, channels: int, n_samples: int) -> None:
        super().__init__()
        self.features = 4
        self.layers = nn.Sequential(nn.Linear(n_samples, 4), nn.LeakyReLU(), nn.Linear(4, 4), nn.LeakyReLU())

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return self.layers(audio.mean(1))


def of(catalogue, tiny, *more):
    recipe = resolve(read_recipe("percussion_small", (*tiny, *more)), catalogue)
    build = Builder(initialisation(0))
    return coverage(SoundVAE(recipe.model, build), build, catalogue)["activation"]


def test_a_default_says_how_many_places_it_fills(catalogue, tiny):
    found = of(catalogue, tiny)
    assert list(found.filled) == ["leaky_relu"]
    assert found.filled["leaky_relu"] > 10
    assert not any("encoder" in what or "decoder" in what for what in found.left_over)


def test_a_place_of_another_component_is_counted_apart(catalogue, tiny):
    found = of(catalogue, tiny, "model.encoder.activation=snake")
    assert set(found.filled) == {"snake", "leaky_relu"}


def test_an_activation_written_down_by_hand_is_left_over(tiny):
    catalogue = catalogue_with(plugin("fv-x", flowvae_components=offering(("encoder", "stubborn", Stubborn))))
    found = of(catalogue, tiny, "model.encoder=stubborn", 'may_be_unused=["defaults.downsampler"]')
    assert found.left_over["LeakyReLU in stubborn (encoder)"] == 2
