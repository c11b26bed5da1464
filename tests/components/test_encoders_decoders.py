"""The SoundStream networks: lengths, receptive fields, names and what reaches what."""

import pytest
import torch
from torch import nn

from flowvae.recipe import read_recipe, resolve
from flowvae.testing import decoder, encoder
from flowvae_components.activations.leaky_relu import LeakyReLU
from flowvae_components.activations.snake import Snake
from flowvae_components.blocks.residual import ResidualUnit
from flowvae_components.decoders.soundstream import SoundStreamDecoder
from flowvae_components.downsamplers.strided_conv import StridedConv
from flowvae_components.encoders.soundstream import SoundStreamEncoder
from flowvae_components.heads.plain import PlainHead
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm
from flowvae_components.upsamplers.resize_conv import ResizeConv
from flowvae_components.upsamplers.transposed_conv import TransposedConv


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


TINY = {"width": 4, "frame_channels": 8}


def make_encoder(channels, n_samples, normalization=weight_norm, activation=Snake, **sizes):
    return SoundStreamEncoder(
        channels,
        n_samples,
        activation=activation,
        downsampler=lambda i, o, f: StridedConv(i, o, f, normalization=normalization),
        normalization=normalization,
        **TINY | sizes,
    )


def make_decoder(latent_dim, channels, n_samples, upsampler=ResizeConv, activation=Snake, **sizes):
    return SoundStreamDecoder(
        latent_dim,
        channels,
        n_samples,
        activation=activation,
        upsampler=lambda i, o, f: upsampler(i, o, f, normalization=weight_norm),
        normalization=weight_norm,
        head=lambda i, o: PlainHead(i, o, normalization=weight_norm),
        **TINY | sizes,
    )


def leaky(channels):
    return LeakyReLU()


def residual_units(module):
    return [unit for unit in module.modules() if isinstance(unit, ResidualUnit)]


# Not narrower: on processors with AMX, oneDNN's bf16 convolution of 4 to 12 channels and stride 4 or 8 is wrong.
@pytest.mark.parametrize("check", encoder.CHECKS, ids=lambda check: check.__name__)
def test_encoder_conforms(check):
    check(lambda c, n_samples: make_encoder(c, n_samples, width=16, strides=(2, 4, 5), dilations=(1, 3)))


@pytest.mark.parametrize("check", decoder.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("upsampler", [ResizeConv, TransposedConv])
def test_decoder_conforms(upsampler, check):
    check(lambda *sizes: make_decoder(*sizes, upsampler=upsampler, strides=(5, 4, 2), dilations=(1, 3)))


@pytest.mark.parametrize("n_samples", [960, 1000, 16384 // 16, 1])
def test_any_length_passes_both_ways(n_samples):
    audio = torch.zeros(1, 2, n_samples)
    features = make_encoder(2, n_samples, features=12)(audio)
    assert features.shape == (1, 12)
    assert make_decoder(12, 2, n_samples)(features).shape == (1, 2, n_samples)


@pytest.mark.parametrize(("strides", "field"), [((2, 4, 8, 8), 7978), ((2, 4, 5, 8), 5314)])
def test_receptive_field_is_the_published_one(strides, field):
    n_samples = 20480
    plain = make_encoder(
        1,
        n_samples,
        none,
        lambda channels: nn.Identity(),
        width=1,
        frame_channels=1,
        features=1,
        strides=strides,
    ).double()
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.fill_(0.01)
    audio = torch.zeros(1, 1, n_samples, dtype=torch.float64, requires_grad=True)
    frames = plain.frames(audio)
    frames[0, 0, frames.shape[-1] // 2].backward()
    reached = audio.grad.flatten().nonzero()
    assert int(reached.max() - reached.min()) + 1 == field


def test_channels_double_with_each_stage_and_twelve_units_stand_on_each_side():
    enc, dec = make_encoder(1, 640, width=4), make_decoder(8, 1, 640, width=4)
    assert [unit.mix.out_channels for unit in residual_units(enc)] == [4] * 3 + [8] * 3 + [16] * 3 + [32] * 3
    assert [unit.mix.out_channels for unit in residual_units(dec)] == [32] * 3 + [16] * 3 + [8] * 3 + [4] * 3
    assert enc.conv_out.in_channels == dec.conv_in.out_channels == 64


def test_every_convolution_but_the_first_follows_an_activation():
    for module in (make_encoder(1, 640), make_decoder(8, 1, 640)):
        # Two in each of twelve units, one at each of four changes of rate, one at the frames, one before the end.
        assert sum(isinstance(part, Snake) for part in module.modules()) == 2 * 12 + 4 + 2


def test_residual_unit_adds_to_its_input():
    unit = ResidualUnit(3, 7, 9, activation=leaky, normalization=none).double()
    x = torch.randn(1, 3, 80, dtype=torch.float64)
    branch = unit.mix(nn.functional.leaky_relu(unit.dilated(nn.functional.leaky_relu(x, 0.2)), 0.2))
    assert torch.allclose(unit(x), x + branch, atol=1e-12)


def test_periods_multiply_up_from_the_last_stage():
    assert make_decoder(8, 1, 640).periods == (2, 8, 40, 320)
    assert make_decoder(8, 1, 640, strides=()).periods == ()


def test_order_of_the_frames_changes_the_features():
    enc = make_encoder(1, 960)
    audio = torch.zeros(1, 1, 960)
    audio[..., 100] = 1
    assert not torch.allclose(enc(audio), enc(audio.roll(640, -1)), atol=1e-4)


@pytest.mark.parametrize(
    "build", [lambda a: make_encoder(1, 320, activation=a), lambda a: make_decoder(8, 1, 320, activation=a)]
)
def test_activation_changes_no_name_and_no_weight_of_other_modules(build):
    states = []
    for activation in (Snake, leaky):
        torch.manual_seed(1)
        states.append({k: v for k, v in build(activation).state_dict().items() if "alpha" not in k})
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_untrained_sounds_keep_a_level_that_gradients_can_work_with():
    torch.manual_seed(0)
    audio = make_decoder(16, 1, 3200, width=16, frame_channels=32)(torch.randn(4, 16))
    assert 1e-3 < audio.std() < 2


def test_encoder_refuses_a_sound_of_another_length():
    with pytest.raises(ValueError, match="n_samples is 640 in this encoder, got 641"):
        make_encoder(1, 640)(torch.zeros(1, 1, 641))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"strides": (2, 1)}, "strides must be 2 or more each"),
        ({"dilations": (0,)}, "dilations must be 1 or more each"),
        ({"kernel_size": 4}, "kernel_size must be odd"),
        ({"width": 0}, "width must be at least 1"),
        ({"frame_channels": 0}, "frame_channels must be at least 1"),
    ],
)
def test_impossible_sizes_are_refused_by_name(sizes, message):
    with pytest.raises(ValueError, match=message):
        make_encoder(1, 640, **sizes)
    with pytest.raises(ValueError, match=message):
        make_decoder(8, 1, 640, **sizes)


@pytest.mark.parametrize("name", ["dac", "oobleck", "rave_v1", "rave_v2", "soundstream", "wavegan"])
def test_without_a_pooling_each_frame_has_weights_of_its_own(name, catalogue):
    """One line swaps an encoder: what it needs beside the slots of SoundStream's has a default."""
    keys = f'model.encoder={{ use = "{name}", features = 6 }}'
    recipe = resolve(read_recipe("percussion_small", (keys, "model.n_samples=16384")), catalogue)
    assert recipe.model.encoder.values["pooling"] is None
