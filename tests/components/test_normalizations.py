"""Weight norm against its formula."""

import copy

import pytest
import torch
from torch import nn

from flowvae.testing import normalization
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


LAYERS = {
    "conv": lambda: nn.Conv1d(3, 5, 4),
    "transposed": lambda: nn.ConvTranspose1d(3, 5, 4, stride=2),
    "linear": lambda: nn.Linear(8, 5),
}
layers = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


def lengths(v):
    return v.flatten(1).norm(dim=1)


@pytest.mark.parametrize("check", normalization.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [weight_norm, none])
def test_conforms(make, check):
    check(make)


@layers
def test_gain_is_the_length_of_each_slice_at_the_start(layer):
    parts = weight_norm(layer().double()).parametrizations.weight
    assert torch.allclose(parts.original0.flatten(), lengths(parts.original1), atol=1e-12)


@layers
def test_weight_ignores_the_length_of_the_direction(layer):
    wrapped = weight_norm(layer().double())
    before = wrapped.weight.clone()
    with torch.no_grad():
        wrapped.parametrizations.weight.original1.mul_(3.7)
    assert torch.allclose(wrapped.weight, before, atol=1e-12)


@layers
def test_gradient_stands_upright_on_the_direction(layer):
    wrapped = weight_norm(layer().double())
    x = torch.randn(2, 3, 8, dtype=torch.float64)
    wrapped(x).square().sum().backward()
    v = wrapped.parametrizations.weight.original1
    assert (v.grad * v).flatten(1).sum(1).abs().max() < 1e-9 * v.grad.abs().max()


def test_length_of_the_weight_is_the_gain():
    wrapped = weight_norm(nn.Conv1d(3, 5, 4).double())
    with torch.no_grad():
        wrapped.parametrizations.weight.original0.fill_(2.5)
    assert torch.allclose(lengths(wrapped.weight), torch.full((5,), 2.5).double(), atol=1e-12)


def test_weight_norm_survives_a_deep_copy():
    wrapped = weight_norm(nn.Conv1d(3, 5, 4))
    x = torch.randn(1, 3, 9)
    assert torch.equal(wrapped(x), copy.deepcopy(wrapped)(x))


def test_weight_norm_refuses_a_filter_without_direction():
    layer = nn.Conv1d(3, 5, 4)
    with torch.no_grad():
        layer.weight[2] = 0
    with pytest.raises(ValueError, match="slice of zeros"):
        weight_norm(layer)


def test_weight_norm_refuses_a_layer_without_weight():
    with pytest.raises(TypeError, match="ELU"):
        weight_norm(nn.ELU())


def test_none_gives_the_layer_itself():
    layer = nn.Conv1d(3, 5, 4)
    assert none(layer) is layer
