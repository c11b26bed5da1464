"""With a causal convolution nothing that comes out depends on what comes in later, and every length is exact."""

import pytest
import torch
from torch import nn

from flowvae_components.activations.snake import Snake
from flowvae_components.blocks.padded import crop_of, ends_of
from flowvae_components.blocks.residual import ResidualUnit
from flowvae_components.convolutions.causal import causal
from flowvae_components.convolutions.same import same
from flowvae_components.decoders.soundstream import SoundStreamDecoder
from flowvae_components.downsamplers.pool_conv import PoolConv
from flowvae_components.downsamplers.strided_conv import StridedConv
from flowvae_components.encoders.soundstream import SoundStreamEncoder
from flowvae_components.heads.amplitude_modulated import AmplitudeModulatedHead
from flowvae_components.heads.plain import PlainHead
from flowvae_components.normalizations.none import none
from flowvae_components.upsamplers.resize_conv import ResizeConv
from flowvae_components.upsamplers.stretch_conv import StretchConv
from flowvae_components.upsamplers.subpixel_conv import SubpixelConv
from flowvae_components.upsamplers.transposed_conv import TransposedConv

FACTORS = (2, 3, 4, 5, 8)
KERNELS = [
    {"overlap": overlap, "extra": extra} for overlap, extra in ((1, 0), (2, 0), (2, 1), (6, 1), (1, 2))
]
DOWN = {f"strided_{k['overlap']}_{k['extra']}": (StridedConv, k) for k in KERNELS} | {"pool": (PoolConv, {})}
UP = {f"transposed_{k['overlap']}_{k['extra']}": (TransposedConv, k) for k in KERNELS} | {
    "nearest": (ResizeConv, {}),
    "linear": (ResizeConv, {"mode": "linear"}),
    "subpixel": (SubpixelConv, {}),
    "stretch": (StretchConv, {}),
}
down = pytest.mark.parametrize(("part", "keys"), DOWN.values(), ids=DOWN)
up = pytest.mark.parametrize(("part", "keys"), UP.values(), ids=UP)
factors = pytest.mark.parametrize("factor", FACTORS)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def noise(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def anticausal(missing):
    """The mirror of causal: looks ahead only."""
    return 0, missing


def reached(module, x, n):
    """The first and the last sample of x on which sample n of the output depends."""
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(module(x)[..., n].sum(), x)
    heard = gradient.abs().sum((0, 1)).nonzero().flatten()
    return int(heard[0]), int(heard[-1])


@pytest.mark.parametrize("spare", [0, 1, 2, 5, 6])
def test_what_is_cut_off_mirrors_what_is_padded_and_is_never_more_than_there_is(spare):
    assert crop_of(spare, causal) == 0
    assert crop_of(spare, anticausal) == spare
    assert crop_of(spare, same) == crop_of(spare, None) == (spare + 1) // 2
    assert ends_of(spare, None) == same(spare)


@factors
@down
def test_a_causal_downsampler_hears_its_own_step_and_what_came_before(part, keys, factor):
    layer = part(2, 3, factor, normalization=none, convolution=causal, **keys).double()
    x = noise(1, 2, 12 * factor)
    assert layer(x).shape == (1, 3, 12)
    # A filter that is longer than the sound hears its first sample.
    span = keys["overlap"] * factor + keys["extra"] if keys else 10 * factor
    assert reached(layer, x, 9) == (max(10 * factor - span, 0), 10 * factor - 1)


@factors
@up
def test_a_causal_upsampler_hears_the_sample_of_its_step_and_what_came_before(part, keys, factor):
    layer = part(2, 3, factor, normalization=none, convolution=causal, **keys).double()
    x = noise(1, 2, 12)
    assert layer(x).shape == (1, 3, 12 * factor)
    last = [reached(layer, x, n)[1] for n in range(7 * factor, 9 * factor)]
    # Lines are late, so that the first samples of a step do not hear it yet.
    assert max(last[:factor]) == 7
    assert max(last[factor:]) == 8
    assert all(heard <= 7 + n // factor for n, heard in enumerate(last))


@factors
@down
def test_no_convolution_is_the_same_convolution_of_a_downsampler(part, keys, factor):
    layers = [part(2, 3, factor, normalization=none, convolution=c, **keys).double() for c in (None, same)]
    layers[1].load_state_dict(layers[0].state_dict())
    x = noise(1, 2, 12 * factor)
    assert torch.equal(layers[0](x), layers[1](x))


@factors
@up
def test_no_convolution_is_the_same_convolution_of_an_upsampler(part, keys, factor):
    layers = [part(2, 3, factor, normalization=none, convolution=c, **keys).double() for c in (None, same)]
    layers[1].load_state_dict(layers[0].state_dict())
    x = noise(1, 2, 12)
    assert torch.equal(layers[0](x), layers[1](x))


@factors
@pytest.mark.parametrize("convolution", [causal, same, anticausal])
@up
def test_an_upsampler_only_shifts_what_it_makes(part, keys, convolution, factor):
    here = part(2, 3, factor, normalization=none, **keys).double()
    there = part(2, 3, factor, normalization=none, convolution=convolution, **keys).double()
    there.load_state_dict(here.state_dict())
    x = nn.functional.pad(noise(1, 2, 4), (12, 12))
    y, shifted = here(x)[0], there(x)[0]
    assert shifted.shape == y.shape
    shifts = [
        s for s in range(-10 * factor, 10 * factor) if torch.allclose(y.roll(s, -1), shifted, atol=1e-6)
    ]
    assert len(shifts) == 1
    assert convolution is not causal or shifts[0] >= 0
    assert convolution is not anticausal or shifts[0] <= 0


@factors
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_a_causal_resize_conv_equals_resizing_late_then_filtering(mode, factor):
    layer = ResizeConv(3, 4, factor, mode=mode, normalization=none, convolution=causal).double()
    x = noise(2, 3, 9)
    if mode == "nearest":
        high = x.repeat_interleave(factor, -1)
    else:
        lines = nn.functional.interpolate(nn.functional.pad(x, (4, 4)), scale_factor=factor, mode="linear")
        late = (factor + 1) // 2
        high = lines[..., 4 * factor - late : -4 * factor - late]
    assert torch.allclose(layer(x), layer.conv(high), atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: PlainHead(3, 1, normalization=none, convolution=causal),
        lambda: AmplitudeModulatedHead(3, 1, normalization=none, convolution=causal),
        lambda: ResidualUnit(3, 7, 3, activation=Snake, normalization=none, convolution=causal),
    ],
    ids=["plain_head", "amplitude_modulated_head", "residual_unit"],
)
def test_a_causal_layer_hears_nothing_that_comes_later(make):
    layer, x = make().double(), noise(1, 3, 40)
    assert layer(x).shape[-1] == 40
    assert reached(layer, x, 25)[1] == 25


SIZES = {"width": 2, "dilations": (1, 3), "frame_channels": 3, "activation": Snake, "normalization": none}


@down
def test_frames_of_a_causal_encoder_hear_nothing_beyond_their_own_samples(part, keys):
    encoder = SoundStreamEncoder(
        1,
        600,
        strides=(3, 4, 5),
        features=2,
        convolution=causal,
        downsampler=lambda i, o, f: part(i, o, f, normalization=none, convolution=causal, **keys),
        **SIZES,
    ).double()
    audio = noise(1, 1, 600)
    assert encoder.frames(audio).shape[-1] == 10
    assert reached(encoder.frames, audio, 6)[1] == 7 * 60 - 1


@up
def test_samples_of_a_causal_decoder_hear_no_frame_beyond_their_own(part, keys):
    decoder = SoundStreamDecoder(
        4,
        1,
        600,
        strides=(5, 4, 3),
        convolution=causal,
        upsampler=lambda i, o, f: part(i, o, f, normalization=none, convolution=causal, **keys),
        head=lambda i, o: PlainHead(i, o, normalization=none, convolution=causal),
        **SIZES,
    ).double()

    def audio_of(frames):
        hidden = decoder.conv_in(decoder.act_frames(frames))
        for stage in decoder.stages:
            hidden = stage(hidden, torch.zeros(1, 4, dtype=torch.float64))
        return decoder.head(decoder.act_out(hidden))

    frames = noise(1, 3, 10)
    assert audio_of(frames).shape[-1] == 600
    assert reached(audio_of, frames, 6 * 60 + 59)[1] == 6
    assert all(reached(audio_of, frames, n)[1] <= 6 for n in range(6 * 60, 7 * 60, 7))
