"""What makes one vector of frames: what it keeps of their order, and its formula."""

import math

import pytest
import torch
from torch import nn

from flowvae_components.activations.leaky_relu import LeakyReLU
from flowvae_components.blocks.one_vector import one_vector
from flowvae_components.downsamplers.strided_conv import StridedConv
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm
from flowvae_components.poolings.attention import Attention
from flowvae_components.poolings.flatten import Flatten
from flowvae_components.poolings.mean import Mean
from flowvae_components.poolings.strided import Strided

CHANNELS, FRAMES, FEATURES = 6, 11, 5


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def strided(channels, n_frames, features, *, normalization, stride=4):
    return Strided(
        channels,
        n_frames,
        features,
        stride=stride,
        activation=lambda _: LeakyReLU(),
        downsampler=lambda i, o, factor: StridedConv(i, o, factor, normalization=normalization),
        normalization=normalization,
    )


def pool_by(make, normalization=none, n_frames=FRAMES, **keys):
    return make(CHANNELS, n_frames, FEATURES, normalization=normalization, **keys).double()


def frames_of(n_frames=FRAMES):
    return torch.randn(2, CHANNELS, n_frames, dtype=torch.float64)


def weights_of(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("normalization", [none, weight_norm])
@pytest.mark.parametrize("make", [Flatten, Attention, strided])
def test_another_order_of_the_frames_is_another_vector(make, normalization):
    pool, frames = pool_by(make, normalization), frames_of()
    assert (pool(frames) - pool(frames.flip(-1))).abs().max() > 0.05


def test_the_mean_does_not_know_the_order_of_the_frames():
    pool, frames = pool_by(Mean), frames_of()
    assert torch.allclose(pool(frames), pool(frames[..., torch.randperm(FRAMES)]), atol=1e-12)


def test_flatten_has_weights_for_each_frame_and_the_mean_the_same_for_all():
    frames = frames_of()
    flat, mean = pool_by(Flatten), pool_by(Mean)
    expected = frames.flatten(1) @ flat.collapse.weight.T + flat.collapse.bias
    assert torch.allclose(flat(frames), expected, atol=1e-12)
    assert torch.allclose(mean(frames), frames.mean(-1) @ mean.mix.weight.T + mean.mix.bias, atol=1e-12)


@pytest.mark.parametrize(("make", "grows"), [(Flatten, True), (Mean, False), (Attention, False)])
def test_what_grows_with_the_clip(make, grows):
    short, long = (weights_of(pool_by(make, n_frames=n)) for n in (10, 100))
    assert (long > short) == grows


def test_attention_is_that_of_torch_over_frames_and_places():
    pool, frames = pool_by(Attention, n_queries=3), frames_of()
    h = (frames + pool.places).mT
    # torch divides scores by the root of the channels, which the queries take back here.
    queries = (pool.scores.weight * CHANNELS**0.5).expand(2, -1, -1)
    averages = nn.functional.scaled_dot_product_attention(queries, h, h)
    expected = averages.flatten(1) @ pool.mix.weight.T + pool.mix.bias
    assert torch.allclose(pool(frames), expected, atol=1e-12)


def test_order_reaches_attention_through_the_places_alone():
    pool, frames = pool_by(Attention), frames_of()
    pool.places.zero_()
    assert torch.allclose(pool(frames), pool(frames.flip(-1)), atol=1e-12)


@pytest.mark.parametrize("channels", [5, 6, 32])
def test_places_have_the_level_of_frames_and_no_two_are_one(channels):
    places = Attention(channels, 500, 2, normalization=none).places
    assert places.square().mean().sqrt() == pytest.approx(1, abs=0.25)
    assert torch.cdist(places.T, places.T).fill_diagonal_(1).min() > 1e-4


@pytest.mark.parametrize(("n_frames", "strides"), [(1, []), (3, [3]), (11, [4, 3]), (137, [4, 4, 4, 3])])
def test_strides_lead_to_one_frame(n_frames, strides):
    pool = pool_by(strided, n_frames=n_frames)
    assert [layer[1].factor for layer in pool.layers] == strides
    assert pool(frames_of(n_frames)).shape == (2, FEATURES)


def test_the_strided_one_is_its_layers_in_turn():
    pool, frames = pool_by(strided), frames_of()
    hidden = pool.layers[0][1](nn.functional.leaky_relu(nn.functional.pad(frames, (0, 1)), 0.2))
    hidden = pool.layers[1][1](nn.functional.leaky_relu(hidden, 0.2))
    expected = pool.mix(nn.functional.leaky_relu(hidden, 0.2).squeeze(-1))
    assert torch.equal(pool(frames), expected)


def test_impossible_numbers_are_refused_by_name():
    with pytest.raises(ValueError, match="n_queries must be at least 1, got 0"):
        pool_by(Attention, n_queries=0)
    with pytest.raises(ValueError, match="stride must be at least 2, got 1"):
        pool_by(strided, stride=1)


def test_places_are_sines_and_cosines_of_falling_rates():
    places = pool_by(Attention).places
    for n in range(FRAMES):
        for i in range(CHANNELS // 2):
            angle = n / 10000 ** (2 * i / CHANNELS)
            expected = torch.tensor([math.sin(angle), math.cos(angle)]) * math.sqrt(2)
            assert torch.allclose(places[2 * i : 2 * i + 2, n].float(), expected, atol=1e-5)


def test_without_a_pooling_the_linear_layer_over_all_frames_is_normalized_too():
    layer = one_vector(None, CHANNELS, FRAMES, FEATURES, weight_norm)
    assert any(name.endswith("weight.original0") for name, _ in layer.named_parameters())
