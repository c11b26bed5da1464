"""New layers keep the level of what passes, and a new posterior is sure enough to be heard."""

import pytest
import torch
from torch import nn

from flowvae_components.blocks.initial import level_keeping
from flowvae_components.distributions.moments import START_SCALE, START_SPREAD, Moments

LAYERS = {
    "conv": lambda: nn.Conv1d(64, 32, 7),
    "strided": lambda: nn.Conv1d(64, 32, 8, stride=4),
    "transposed": lambda: nn.ConvTranspose1d(64, 32, 8, stride=4, padding=2),
    "linear": lambda: nn.Linear(2000, 64),
}


def level_after(layer: nn.Module) -> float:
    white = torch.randn((4, 2000) if isinstance(layer, nn.Linear) else (4, 64, 2000))
    return float(layer(white)[..., 8:-8].detach().std())


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_a_new_layer_keeps_the_level_of_white_noise(make):
    torch.manual_seed(0)
    assert level_after(level_keeping(make())) == pytest.approx(1.0, abs=0.1)
    assert level_after(level_keeping(make(), gain=0.3)) == pytest.approx(0.3, abs=0.03)


def test_a_new_layer_adds_no_constant():
    assert not level_keeping(nn.Conv1d(2, 2, 3)).bias.any()


@pytest.mark.parametrize("loudness", [0.01, 1.0, 100.0])
def test_a_new_posterior_hears_features_of_any_loudness_above_its_own_noise(loudness):
    torch.manual_seed(0)
    with torch.no_grad():
        start = Moments(128, 64, min_scale=1e-3)(loudness * torch.randn(200, 128))
    assert start.stddev.mean().item() == pytest.approx(START_SCALE, rel=0.1)
    assert start.mean.std(0).mean().item() == pytest.approx(START_SPREAD, rel=0.1)
