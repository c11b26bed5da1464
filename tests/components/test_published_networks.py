"""The networks of DAC, Oobleck, RAVE, MelGAN and WaveGAN: what stands where, what reaches what, and what is refused."""

from functools import partial

import pytest
import torch
from torch import nn

from flowvae_components.activations.leaky_relu import LeakyReLU
from flowvae_components.activations.snake import Snake
from flowvae_components.activations.snake_beta import SnakeBeta
from flowvae_components.blocks.residual import ResidualUnit, ShortcutUnit
from flowvae_components.convolutions.causal import causal
from flowvae_components.heads.plain import PlainHead
from flowvae_components.modulations.film import FiLM
from flowvae_components.normalizations.none import none
from flowvae_components.poolings.flatten import Flatten
from published_networks import DECODERS, ENCODERS, LATENT_DIM, decoder, encoder, leaky


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


SHORT = {"width": 2, "strides": (2, 3), "dilations": (1, 9)}
ORDER = {
    # c: kernel and dilation; d and u: kernel and stride; a: an activation.
    "dac": (
        {**SHORT, "frame_channels": 2},
        "c7.1 a c7.1 a c1.1 a c7.9 a c1.1 a d4.2 a c7.1 a c1.1 a c7.9 a c1.1 a d6.3 a c3.1",
        "c7.1 a u4.2 a c7.1 a c1.1 a c7.9 a c1.1 a u6.3 a c7.1 a c1.1 a c7.9 a c1.1 a c7.1",
    ),
    "oobleck": (
        {**SHORT, "frame_channels": 2, "multipliers": (1, 2)},
        "c7.1 a c7.1 a c1.1 a c7.9 a c1.1 a d4.2 a c7.1 a c1.1 a c7.9 a c1.1 a d6.3 a c3.1",
        "c7.1 a u4.2 a c7.1 a c1.1 a c7.9 a c1.1 a u6.3 a c7.1 a c1.1 a c7.9 a c1.1 a c7.1",
    ),
    "rave_v2": (
        {"width": 2, "strides": (2, 3), "dilations": ((1, 9), (3,)), "frame_channels": 2},
        "c7.1 a c3.1 a c1.1 a c3.9 a c1.1 a d4.2 a c3.3 a c1.1 a d6.3 a c3.1",
        "c3.1 a u4.2 a c3.1 a c1.1 a c3.9 a c1.1 a u6.3 a c3.3 a c1.1 a c7.1",
    ),
    "rave_v1": (
        {"width": 2, "strides": (2, 3), "frame_channels": 2},
        "c7.1 a d5.2 a d7.3 a c5.1",
        "c7.1 a u4.2 a c3.1 a c3.1 a c3.3 a c3.1 a u6.3 a c3.1 a c3.1 a c3.3 a c3.1 c7.1 c3.1",
    ),
    "wavegan": ({"width": 2, "strides": (2, 3)}, "d13.2 a d19.3 a", "a u13.2 a u19.3 c1.1"),
    "melgan": (
        {**SHORT, "frame_channels": 2},
        "",
        "c7.1 a u4.2 c1.1 a c3.1 a c1.1 c1.1 a c3.9 a c1.1 a u6.3 c1.1 a c3.1 a c1.1 c1.1 a c3.9 a c1.1 a c7.1",
    ),
}


def order_of(module, given):
    """What the signal passes, in its order."""
    seen = []

    def say(layer, *_):
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            stepped = layer.stride[0] > 1
            letter = "c" if not stepped else "u" if isinstance(layer, nn.ConvTranspose1d) else "d"
            seen.append(f"{letter}{layer.kernel_size[0]}.{layer.stride[0] if stepped else layer.dilation[0]}")
        else:
            seen.append("a")

    for layer in module.modules():
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d | LeakyReLU | Snake | SnakeBeta):
            layer.register_forward_hook(say)
    module(given)
    return " ".join(seen)


@pytest.mark.parametrize("name", ENCODERS)
def test_layers_of_an_encoder_stand_in_the_published_order(name):
    keys, expected, _ = ORDER[name]
    assert order_of(encoder(name, 2, 60, **keys).frames, torch.zeros(1, 2, 60)) == expected


@pytest.mark.parametrize("name", DECODERS)
def test_layers_of_a_decoder_stand_in_the_published_order(name):
    keys, _, expected = ORDER[name]
    keys = keys | {"dilations": (1, 3)} if name == "rave_v1" else keys
    assert order_of(decoder(name, 2, 60, **keys), torch.zeros(1, LATENT_DIM)) == expected


@pytest.mark.parametrize("name", ["rave_v1", "rave_v2"])
def test_nothing_of_rave_has_a_bias(name):
    keys = ORDER[name][0]
    convolutions = [encoder(name, 2, 60, **keys), *decoder(name, 2, 60, **keys).children()]
    frames = convolutions.pop(1)
    assert not [n for module in convolutions for n, _ in module.named_parameters() if n.endswith("bias")]
    assert frames.expand.bias is not None


def test_groups_of_the_first_rave_hear_half_of_the_channels_each():
    for convolution in (None, causal):
        enc = encoder("rave_v1", 2, 60, **ORDER["rave_v1"][0], convolution=convolution)
        assert enc.frames[-1].weight.shape == (2, 8 // 2, 5)
    for keys, message in (
        ({"frame_channels": 3}, "frame_channels must be even"),
        ({"width": 3}, "width must be"),
    ):
        with pytest.raises(ValueError, match=message):
            encoder("rave_v1", 2, 60, **{"strides": (), **keys})


def test_units_are_their_formulas():
    x = torch.randn(1, 3, 80, dtype=torch.float64)
    parts = {"activation": leaky, "normalization": none}
    unit = ResidualUnit(3, 3, 5, mix_size=3, bias=False, **parts).double()
    dilated = nn.functional.conv1d(
        nn.functional.leaky_relu(x, 0.2), unit.dilated.weight, padding=5, dilation=5
    )
    branch = nn.functional.conv1d(nn.functional.leaky_relu(dilated, 0.2), unit.mix.weight, padding=1)
    assert torch.allclose(unit(x), x + branch, atol=1e-12)
    shortcut = nn.Conv1d(3, 3, 1).double()
    assert torch.allclose(ShortcutUnit(unit, shortcut)(x), shortcut(x) + branch, atol=1e-12)


@pytest.mark.parametrize("name", ["dac", "melgan", "oobleck", "rave_v1", "rave_v2", "wavegan"])
def test_the_latent_vector_steers_each_unit_where_a_modulation_is(name):
    keys = ORDER[name][0]
    bare, steered = (decoder(name, 1, 60, **keys, modulation=m).double() for m in (None, FiLM))
    steered.load_state_dict(bare.state_dict(), strict=False)
    latent = torch.randn(1, LATENT_DIM, dtype=torch.float64)
    assert torch.equal(steered(latent), bare(latent))  # FiLM starts as nothing
    films = [module for module in steered.modules() if isinstance(module, FiLM)]
    units = {"dac": 4, "melgan": 4, "oobleck": 4, "rave_v1": 6, "rave_v2": 3, "wavegan": 2}
    assert len(films) == units[name]
    for film in films:
        film.steer.bias.data += 0.5
        assert not torch.allclose(steered(latent), bare(latent), rtol=1e-6)
        film.steer.bias.data -= 0.5


@pytest.mark.parametrize("name", ["dac", "oobleck", "rave_v1", "rave_v2"])
def test_a_causal_encoder_makes_no_frame_of_what_comes_after_it(name):
    keys, n_samples = ORDER[name][0], 600
    step = {"downsampler": lambda i, o, factor: nn.Conv1d(i, o, factor, stride=factor)}
    heard = {}
    for convolution in (causal, None):
        enc = encoder(name, 1, n_samples, **keys, **step, convolution=convolution).double()
        audio = torch.randn(1, 1, n_samples, dtype=torch.float64, requires_grad=True)
        enc.frames(audio)[0, :, 50].sum().backward()  # of samples 300 to 305
        heard[convolution] = int(audio.grad.flatten().nonzero().max())
    assert heard[causal] == 305 < heard[None]


class Given(nn.Module):
    """Frames in place of those that a latent vector would lay out."""

    def __init__(self, frames):
        super().__init__()
        self.given = frames

    def forward(self, latent):
        return self.given


@pytest.mark.parametrize("name", ["dac", "melgan", "oobleck", "rave_v1", "rave_v2"])
def test_a_causal_decoder_says_nothing_of_a_frame_before_it(name):
    keys = {
        **ORDER[name][0],
        "upsampler": lambda i, o, factor: nn.ConvTranspose1d(i, o, factor, stride=factor),
    }
    first = {}
    for convolution in (causal, None):
        head = partial(PlainHead, normalization=none, convolution=convolution)
        dec = decoder(name, 1, 600, **keys, head=head, convolution=convolution).double()
        frames = torch.randn(2, 2, 100, dtype=torch.float64)
        frames[1] = frames[0]
        frames[1, :, 50] += 1  # of samples 300 to 305
        dec.frames = Given(frames)
        both = dec(torch.zeros(2, LATENT_DIM, dtype=torch.float64))
        first[convolution] = int((both[0] != both[1]).flatten().nonzero().min())
    assert first[causal] == 300 > first[None]


@pytest.mark.parametrize("name", ENCODERS)
def test_a_sound_that_fills_no_whole_frame_ends_in_silence(name):
    keys, audio = ORDER[name][0], torch.randn(1, 2, 57)
    short = encoder(name, 2, 57, **keys)
    long = encoder(name, 2, 60, **keys)
    long.load_state_dict(short.state_dict())
    assert torch.equal(short.frames(audio), long.frames(nn.functional.pad(audio, (0, 3))))


@pytest.mark.parametrize("name", DECODERS)
def test_what_is_cut_off_is_the_end(name):
    keys, latent = ORDER[name][0], torch.randn(1, LATENT_DIM)
    short, long = decoder(name, 2, 57, **keys), decoder(name, 2, 60, **keys)
    long.load_state_dict(short.state_dict())
    assert torch.equal(short(latent), long(latent)[..., :57])


@pytest.mark.parametrize("name", ENCODERS)
def test_order_in_time_reaches_the_vector(name):
    keys = ORDER[name][0]
    pool = partial(Flatten, normalization=none)
    enc = encoder(name, 1, 600, **keys, pooling=pool).double()
    audio = torch.zeros(1, 1, 600, dtype=torch.float64)
    audio[..., 90] = 1
    assert not torch.allclose(enc(audio), enc(audio.roll(300, -1)), rtol=1e-3)
    with pytest.raises(ValueError, match="n_samples is 600 in this encoder, got 601"):
        enc(torch.zeros(1, 1, 601, dtype=torch.float64))


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("rave_v2", {"dilations": ((1,),)}, "dilations must be 2 arrays, one a stride, got 1"),
        ("rave_v2", {"dilations": ((1,), (0,))}, "dilations must be 1 or more each"),
        ("oobleck", {"multipliers": (1,)}, "multipliers must be 2, one a stride, got 1"),
        ("oobleck", {"multipliers": (1, 0)}, "multipliers must be 1 or more each"),
        ("dac", {"kernel_size": 4}, "kernel_size must be odd"),
        ("dac", {"frame_channels": 0}, "frame_channels must be at least 1"),
        ("rave_v1", {"strides": (4, 1)}, "strides must be 2 or more each"),
        ("wavegan", {"width": 0}, "width must be at least 1"),
    ],
)
def test_impossible_sizes_are_refused_by_name(name, keys, message):
    for build in (encoder, decoder):
        with pytest.raises(ValueError, match=message):
            build(name, 1, 60, **ORDER[name][0] | keys)


def test_an_encoder_of_stages_alone_needs_one():
    with pytest.raises(ValueError, match="strides must be at least 1"):
        encoder("wavegan", 1, 60, strides=())
