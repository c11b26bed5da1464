"""Heads against their formulas."""

import pytest
import torch
from torch.nn import functional

from flowvae.testing import head
from flowvae_components.heads.amplitude_modulated import AmplitudeModulatedHead
from flowvae_components.heads.plain import PlainHead
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


HEADS = [PlainHead, AmplitudeModulatedHead]
heads = pytest.mark.parametrize("head_class", HEADS)


@pytest.mark.parametrize("check", head.CHECKS, ids=lambda check: check.__name__)
@heads
def test_conforms(head_class, check):
    check(lambda i, o: head_class(i, o, normalization=weight_norm))


@heads
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
