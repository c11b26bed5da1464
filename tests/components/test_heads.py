"""Heads against their formulas."""

import pytest
import torch
from torch.nn import functional

from flowvae.testing import head
from flowvae_components.blocks.mod_sigmoid import mod_sigmoid
from flowvae_components.heads.amplitude_modulated import AmplitudeModulatedHead
from flowvae_components.heads.plain import PlainHead
from flowvae_components.heads.rave_v1 import RAVEv1Head
from flowvae_components.heads.rave_v2 import RAVEv2Head
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


HEADS = [PlainHead, AmplitudeModulatedHead, RAVEv1Head, RAVEv2Head]
heads = pytest.mark.parametrize("head_class", HEADS)


@pytest.mark.parametrize("check", head.CHECKS, ids=lambda check: check.__name__)
@heads
def test_conforms(head_class, check):
    check(lambda i, o: head_class(i, o, normalization=weight_norm))


@pytest.mark.parametrize("head_class", [PlainHead, AmplitudeModulatedHead])
def test_head_is_not_bounded_by_one(head_class):
    layer = head_class(2, 1, normalization=none)
    torch.nn.init.ones_(layer.conv.weight)
    assert layer(torch.ones(1, 2, 32)).max() > 10


@heads
def test_head_refuses_an_even_kernel(head_class):
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        head_class(2, 1, kernel_size=6, normalization=none)


def test_plain_head_is_one_convolution():
    layer, x = PlainHead(3, 2, kernel_size=5, normalization=none).double(), torch.randn(2, 3, 20).double()
    assert torch.equal(layer(x), functional.conv1d(x, layer.conv.weight, layer.conv.bias, padding=2))


def test_envelope_gates_the_signal():
    layer, x = AmplitudeModulatedHead(3, 2, normalization=none).double(), torch.randn(2, 3, 20).double()
    both = layer.conv(x)
    assert torch.allclose(layer(x), both[:, :2] / (1 + torch.exp(-both[:, 2:])), atol=1e-12)


def test_low_envelope_silences_without_touching_the_signal():
    layer, x = AmplitudeModulatedHead(3, 1, normalization=none), torch.randn(1, 3, 20)
    loud = layer(x).abs().max()
    with torch.no_grad():
        layer.conv.bias[1] -= 30
    assert layer(x).abs().max() < 1e-9 * loud


def test_rave_gates_by_its_own_sigmoid():
    values = mod_sigmoid(torch.tensor([-5.0, 0.0, 5.0], dtype=torch.float64))
    assert values.tolist() == pytest.approx([2.005e-5, 0.40613, 1.9693], rel=5e-5)


def test_first_rave_gates_all_bands_by_one_loudness():
    layer, x = RAVEv1Head(3, 4, normalization=none).double(), torch.randn(2, 3, 20).double()
    wave = functional.conv1d(x, layer.wave.weight, padding=3)
    loudness = functional.conv1d(x, layer.loudness.weight, padding=1)
    assert loudness.shape[1] == 1
    expected = torch.tanh(wave) * (2 / (1 + torch.exp(-loudness)) ** 2.3 + 1e-7)
    assert torch.allclose(layer(x), expected, atol=1e-12)


def test_second_rave_bounds_what_it_gates():
    layer, x = RAVEv2Head(3, 2, normalization=none).double(), 100 * torch.randn(2, 3, 20).double()
    both = functional.conv1d(x, layer.conv.weight, padding=3)
    assert torch.allclose(layer(x), torch.tanh(both[:, :2] / (1 + torch.exp(-both[:, 2:]))), atol=1e-12)


@pytest.mark.parametrize(("head_class", "bound"), [(RAVEv1Head, 2), (RAVEv2Head, 1)])
@pytest.mark.parametrize("full_scale", [1.0, 4.0])
def test_heads_of_rave_stay_within_their_bound(head_class, bound, full_scale):
    layer, bound = head_class(2, 1, full_scale=full_scale, normalization=none), bound * full_scale
    for weight in layer.parameters():
        torch.nn.init.ones_(weight)
    loudest = layer(torch.full((1, 2, 32), 20.0)).max()
    assert 0.99 * bound < loudest <= bound * (1 + 1e-6)


@pytest.mark.parametrize("head_class", [RAVEv1Head, RAVEv2Head])
def test_heads_of_rave_start_as_softly_whatever_their_bound(head_class):
    levels = []
    for full_scale in (1.0, 4.0):
        torch.manual_seed(0)
        layer = head_class(8, 4, full_scale=full_scale, normalization=none)
        levels.append(layer(torch.randn(1, 8, 400)).std().item())
    assert levels[1] == pytest.approx(levels[0], rel=0.01)


@pytest.mark.parametrize("head_class", [RAVEv1Head, RAVEv2Head])
def test_heads_of_rave_refuse_a_full_scale_of_nothing(head_class):
    with pytest.raises(ValueError, match=r"full_scale must be above 0, got 0\.0"):
        head_class(2, 1, full_scale=0.0, normalization=none)


def test_first_rave_refuses_an_even_kernel_of_its_loudness():
    with pytest.raises(ValueError, match="loudness_kernel_size must be odd"):
        RAVEv1Head(2, 1, loudness_kernel_size=2, normalization=none)
