"""Presets without a package to be compared with: their networks beside the papers' tables, assembled from torch's own layers.

The assemblies know strides, taps, widths and orders from the papers, and take their weights one by one. In double precision.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional

from flowvae.building.parts import Parts
from flowvae.catalogue import Catalogue
from flowvae.recipe import read_recipe, resolve
from flowvae.testing.streams import SeededStream


@pytest.fixture
def parts():
    """Of a preset in small, with weights and biases away from their start."""

    def build(name):
        torch.manual_seed(0)
        made = Parts(resolve(read_recipe(name), Catalogue.installed()), 0)
        for module in (made.model, *made.second_player.discriminators.values()):
            with torch.no_grad():
                for weight in module.double().parameters():
                    weight.mul_(1 + 0.1 * torch.rand_like(weight)).add_(0.05 * torch.randn_like(weight))
        return made

    return build


def noise(*shape):
    return torch.randn(shape, dtype=torch.float64)


def agree(ours, theirs):
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-12 * theirs.abs().max()


WAVEGAN_WIDTHS = (1, 2, 4, 8, 16)
"""Of its five layers, in units of the first."""
WAVEGAN_FRAMES = 4
"""Of the small preset, 4096 samples; the published 16384 are 16."""


def wavegan_down(weights, centre):
    """Table 4: convolutions of 25 taps with a stride of 4, leaky ReLU of 0.2, then one linear layer. Gives the layer its weights."""
    layers = nn.Sequential()
    *convolutions, (linear, bias) = weights
    for weight, offset in convolutions:
        o, i, taps = weight.shape
        layer = nn.Conv1d(i, o, taps, stride=4, padding=centre)
        layer.weight, layer.bias = weight, offset
        layers += nn.Sequential(layer, nn.LeakyReLU(0.2))
        assert taps == 25
    last = nn.Linear(linear.shape[1], linear.shape[0])
    last.weight, last.bias = linear, bias
    return layers + nn.Sequential(nn.Flatten(), last)


def pairs_of(module):
    """Weight and bias of each layer, in their order."""
    found = [*module.parameters()]
    return [*zip(found[::2], found[1::2], strict=True)]


def test_the_encoder_and_the_judge_of_wavegan_are_table_4(parts):
    made, sound = parts("wavegan_small"), noise(2, 1, 4096)
    encoder, judge = made.model.encoder, made.second_player.discriminators["wavegan"]
    judge.radius = 0  # no phase shuffle, which is drawn
    published = wavegan_down(pairs_of(encoder), 11)
    assert [layer.out_channels for layer in published if isinstance(layer, nn.Conv1d)] == [
        4 * k for k in WAVEGAN_WIDTHS
    ]
    with torch.no_grad():
        agree(encoder(sound), published(sound))
        [(logits, _)] = judge(sound, SeededStream(0))
        agree(logits, wavegan_down(pairs_of(judge), 12)(sound))


def test_the_generator_of_wavegan_is_table_3_up_to_its_tanh(parts):
    """The last stage and the head of one tap are the table's last layer: their product is its weights."""
    decoder = parts("wavegan_small").model.decoder
    dense, *stages, (mix, end) = pairs_of(decoder)
    narrow, offset = stages[-1]
    stages[-1] = torch.einsum("ijk,oj->iok", narrow, mix[..., 0]), mix[..., 0] @ offset + end
    assert [tuple(weight.shape) for weight, _ in stages] == [
        (4 * i, 4 * o if i > 1 else 1, 25) for i, o in zip((16, 8, 4, 2, 1), (8, 4, 2, 1, 1), strict=True)
    ]
    latent = noise(3, 32)
    with torch.no_grad():
        # The published layer lays out frame by frame, ours channel by channel: other rows of the same matrix.
        rows = torch.arange(64 * WAVEGAN_FRAMES).reshape(64, WAVEGAN_FRAMES).T.flatten()
        hidden = (latent @ dense[0][rows].T + dense[1][rows]).reshape(3, WAVEGAN_FRAMES, 64).mT
        for weight, bias in stages:
            hidden = functional.conv_transpose1d(
                hidden.relu(), weight, bias, stride=4, padding=11, output_padding=1
            )
        agree(decoder(latent), hidden)


def behind(x, weight, bias, *, stride=1, dilation=1):
    """A convolution with all silence before the sound."""
    missing = dilation * (weight.shape[-1] - 1) + 1 - stride
    return functional.conv1d(functional.pad(x, (missing, 0)), weight, bias, stride=stride, dilation=dilation)


def units(x, weights):
    """Three residual units of 7 taps, dilated by 1, 3 and 9, and of 1."""
    for dilation in (1, 3, 9):
        (first, mix), weights = weights[:2], weights[2:]
        assert (first[0].shape[-1], mix[0].shape[-1]) == (7, 1)
        x = x + behind(functional.elu(behind(functional.elu(x), *first, dilation=dilation)), *mix)
    return x


def test_the_encoder_of_soundstream_is_section_3_with_elu_before_each_convolution(parts):
    encoder = parts("soundstream_small").model.encoder
    first, *middle, last, linear = pairs_of(encoder)
    sound = noise(2, 1, 5120)
    with torch.no_grad():
        x, width = behind(sound, *first), 4
        for stage, stride in enumerate((2, 4, 5, 8)):
            *of_units, step = middle[7 * stage : 7 * stage + 7]
            assert step[0].shape == (2 * width, width, 2 * stride)
            x, width = behind(functional.elu(units(x, of_units)), *step, stride=stride), 2 * width
        frames = behind(functional.elu(x), *last)
        assert frames.shape == (2, 32, 5120 // 320)
        assert last[0].shape[-1] == 3
        agree(encoder(sound), functional.linear(functional.elu(frames).flatten(1), *linear))


def test_the_decoder_of_soundstream_is_section_3_with_elu_before_each_convolution(parts):
    decoder = parts("soundstream_small").model.decoder
    linear, first, *middle, last = pairs_of(decoder)
    latent = noise(2, 32)
    with torch.no_grad():
        frames = functional.linear(latent, *linear).unflatten(1, (32, 16))
        x, width = behind(functional.elu(frames), *first), 64
        for stage, stride in enumerate((8, 5, 4, 2)):
            step, *of_units = middle[7 * stage : 7 * stage + 7]
            assert step[0].shape == (width, width // 2, 2 * stride)
            whole = functional.conv_transpose1d(functional.elu(x), *step, stride=stride)
            x, width = units(whole[..., :-stride], of_units), width // 2
        assert last[0].shape[-1] == first[0].shape[-1] == 7
        agree(decoder(latent), behind(functional.elu(x), *last))
