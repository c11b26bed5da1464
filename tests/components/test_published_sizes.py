"""The networks of DAC, Oobleck, RAVE, MelGAN and WaveGAN at their published sizes: weights, frames, reach, periods."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from torch import nn

from flowvae_components.heads.plain import PlainHead
from flowvae_components.normalizations.none import none
from published_networks import DECODERS, LATENT_DIM, decoder, down, encoder, up

META = torch.device("meta")  # forty million weights that take no memory


def weights_of(module):
    return sum(parameter.numel() for parameter in module.parameters())


NORM_OF_RAVE = 2 * (64 + 128 + 256 + 512)
"""Gains and offsets of the batch normalizations, which are left out."""
NOISE_OF_RAVE = 3 * (64 * 64 + 64 * 64 + 64 * 80)
"""Three convolutions of three taps: the noise is a head of its own here."""


@pytest.mark.parametrize(
    ("name", "channels", "published"),
    [
        ("dac", 1, 22_307_968),
        ("rave_v1", 16, 4_834_176 - NORM_OF_RAVE),
        ("rave_v2", 16, 16_056_928),
        # Weights and biases of five layers of 25 taps.
        (
            "wavegan",
            1,
            sum(25 * i * o + o for i, o in ((1, 64), (64, 128), (128, 256), (256, 512), (512, 1024))),
        ),
    ],
)
def test_an_encoder_of_published_size_has_as_many_weights_up_to_its_frames(name, channels, published):
    with META:
        assert weights_of(encoder(name, channels)) == published


@pytest.mark.parametrize(
    ("name", "channels", "published"),
    [
        ("dac", 1, 54_104_162),
        ("melgan", 1, 4_266_050),
        ("rave_v1", 16, 12_778_193 - NOISE_OF_RAVE),
        ("rave_v2", 16, 15_479_072),
        # Four layers of 25 taps, a fifth with 32 channels for the head, and the head.
        (
            "wavegan",
            1,
            sum(25 * i * o + o for i, o in ((1024, 512), (512, 256), (256, 128), (128, 64), (64, 32))) + 33,
        ),
    ],
)
def test_a_decoder_of_published_size_has_as_many_weights_from_its_frames_on(name, channels, published):
    with META:
        dec = decoder(name, channels)
    assert weights_of(dec) - weights_of(dec.frames) == published


def test_oobleck_has_the_weights_of_stable_audios_autoencoder():
    with META:
        enc, dec = encoder("oobleck", 2), decoder("oobleck", 2)
    # Ours has a bias in the last convolution, one a channel.
    both = weights_of(enc) + weights_of(dec) - weights_of(dec.frames) - 2
    assert both == 77_989_888 + 78_122_626
    # A unit: two activations of two rates, kernels of 7 and of 1, a gain and a bias for each channel of both.
    widths, strides = (128, 128, 256, 512, 1024, 2048), (2, 4, 4, 8, 8)
    units = sum(3 * (8 * i * i + 8 * i) for i in widths[:-1])
    steps = sum(2 * i + 2 * s * i * o + 2 * o for (i, o), s in zip(pairwise(widths), strides, strict=True))
    ends = (7 * 2 * 128 + 2 * 128) + (2 * 2048 + 3 * 2048 * 128 + 2 * 128)
    assert weights_of(enc) == units + steps + ends


@pytest.mark.parametrize(
    ("name", "channels", "n_samples", "frames"),
    [
        ("dac", 1, 22016, (1024, 43)),
        ("oobleck", 2, 65536, (128, 32)),
        ("rave_v1", 16, 8192, (256, 64)),
        ("rave_v2", 16, 8192, (256, 64)),
        ("rave_v2", 16, 2756, (256, 22)),
        ("wavegan", 1, 16384, (1024, 16)),
    ],
)
def test_frames_are_the_published_ones_and_the_way_back_is_as_long(name, channels, n_samples, frames):
    with META:
        audio = torch.zeros(2, channels, n_samples)
        assert encoder(name, channels, n_samples).frames(audio).shape == (2, *frames)
        assert decoder(name, channels, n_samples)(torch.zeros(2, LATENT_DIM)).shape == audio.shape


def reach(network, given, place):
    """How far apart the first and the last sample are that reach a place of the output."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(0.01)
    given.requires_grad_()
    network(given)[0, 0, place].backward()
    reached = given.grad.sum((0, 1)).nonzero()
    return int(reached.max() - reached.min()) + 1


def plain(channels):
    return nn.Identity()


TINIEST = {"width": 1, "frame_channels": 1, "activation": plain, "normalization": none}


@pytest.mark.parametrize(
    ("name", "keys", "field"),
    [
        ("dac", {}, 7978),
        ("dac", {"strides": (2, 4, 5, 8)}, 5314),
        ("rave_v2", {}, 1660),
    ],
)
def test_receptive_field_is_the_published_one(name, keys, field):
    enc = encoder(name, 1, 20480, downsampler=partial(down, normalization=none), **TINIEST, **keys).double()
    audio = torch.zeros(1, 1, 20480, dtype=torch.float64)
    assert reach(enc.frames, audio, enc.frames(audio).shape[-1] // 2) == field


def test_a_sample_of_dacs_decoder_depends_on_twenty_frames():
    parts = {"upsampler": partial(up, normalization=none), "head": partial(PlainHead, normalization=none)}
    dec = decoder("dac", 1, 60 * 512, **TINIEST, **parts).double()

    def from_frames(frames):
        return dec.out(dec.stages(dec.conv_in(frames), torch.zeros(1, LATENT_DIM)))

    with torch.no_grad():
        for parameter in dec.parameters():
            parameter.fill_(0.01)
    reached = set()
    for place in (15000, 15100, 15200, 15359):  # of 512 places in a frame some reach a frame more
        frames = torch.zeros(1, 1, 60, dtype=torch.float64, requires_grad=True)
        from_frames(frames)[0, 0, place].backward()
        reached.add(len(frames.grad.nonzero()))
    assert max(reached) == 20


PERIODS = {
    "dac": (2, 8, 64, 512),
    "melgan": (2, 4, 32, 256),
    "oobleck": (2, 8, 32, 256, 2048),
    "rave_v1": (2, 8, 32, 128),
    "rave_v2": (4, 16, 64, 128),
    "wavegan": (4, 16, 64, 256, 1024),
}


@pytest.mark.parametrize("name", DECODERS)
def test_periods_multiply_up_from_the_last_stage(name):
    with META:
        assert decoder(name).periods == PERIODS[name]
