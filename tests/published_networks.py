"""The networks of published systems, at the sizes that were published or in small, with the parts that they had."""

from functools import partial

from torch import nn

from flowvae_components.activations.leaky_relu import LeakyReLU
from flowvae_components.activations.snake import Snake
from flowvae_components.activations.snake_beta import SnakeBeta
from flowvae_components.decoders.dac import DACDecoder
from flowvae_components.decoders.melgan import MelGANDecoder
from flowvae_components.decoders.oobleck import OobleckDecoder
from flowvae_components.decoders.rave_v1 import RAVEv1Decoder
from flowvae_components.decoders.rave_v2 import RAVEv2Decoder
from flowvae_components.decoders.wavegan import WaveGANDecoder
from flowvae_components.encoders.dac import DACEncoder
from flowvae_components.encoders.oobleck import OobleckEncoder
from flowvae_components.encoders.rave_v1 import RAVEv1Encoder
from flowvae_components.encoders.rave_v2 import RAVEv2Encoder
from flowvae_components.encoders.wavegan import WaveGANEncoder
from flowvae_components.heads.plain import PlainHead
from flowvae_components.heads.rave_v1 import RAVEv1Head
from flowvae_components.heads.rave_v2 import RAVEv2Head
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm

LATENT_DIM = 12
PRESETS = ("dac", "oobleck", "rave_v1", "rave_v2", "rave_v3", "soundstream", "wavegan")
"""The shipped recipes that are named after them; each has a small size, NAME_small."""


def leaky(channels):
    return LeakyReLU()


def relu(channels):
    return LeakyReLU(slope=0.0)


def no_pooling(channels, n_frames, features):
    """The frames themselves: what is published ends with them."""
    return nn.Identity()


def down(i, o, factor, *, extra=0, bias=True, normalization=weight_norm, overlap=2):
    taps = overlap * factor + extra
    layer = nn.Conv1d(i, o, taps, stride=factor, padding=(taps - factor + 1) // 2, bias=bias)
    return normalization(layer)


def up(i, o, factor, *, extra=0, bias=True, normalization=weight_norm, overlap=2):
    taps = overlap * factor + extra
    before = (taps - factor + 1) // 2
    layer = nn.ConvTranspose1d(
        i, o, taps, stride=factor, padding=before, output_padding=2 * before - taps + factor, bias=bias
    )
    return normalization(layer)


wide = {"overlap": 6, "extra": 1, "normalization": none}
ENCODERS = {
    "dac": partial(DACEncoder, activation=Snake, downsampler=down, normalization=weight_norm),
    "oobleck": partial(OobleckEncoder, activation=SnakeBeta, downsampler=down, normalization=weight_norm),
    "rave_v1": partial(
        RAVEv1Encoder,
        activation=leaky,
        downsampler=partial(down, extra=1, bias=False, normalization=none),
        normalization=none,
    ),
    "rave_v2": partial(
        RAVEv2Encoder, activation=leaky, downsampler=partial(down, bias=False), normalization=weight_norm
    ),
    "wavegan": partial(
        WaveGANEncoder, activation=leaky, downsampler=partial(down, **wide), normalization=none
    ),
}
NORMED = {"normalization": weight_norm}
DECODERS = {
    "dac": partial(DACDecoder, activation=Snake, upsampler=up, head=partial(PlainHead, **NORMED), **NORMED),
    "melgan": partial(
        MelGANDecoder, activation=leaky, upsampler=up, head=partial(PlainHead, **NORMED), **NORMED
    ),
    "oobleck": partial(
        OobleckDecoder, activation=SnakeBeta, upsampler=up, head=partial(PlainHead, **NORMED), **NORMED
    ),
    "rave_v1": partial(
        RAVEv1Decoder,
        activation=leaky,
        upsampler=partial(up, bias=False),
        head=partial(RAVEv1Head, **NORMED),
        **NORMED,
    ),
    "rave_v2": partial(
        RAVEv2Decoder,
        activation=leaky,
        upsampler=partial(up, bias=False),
        head=partial(RAVEv2Head, **NORMED),
        **NORMED,
    ),
    "wavegan": partial(
        WaveGANDecoder,
        activation=relu,
        upsampler=partial(up, **wide),
        head=partial(PlainHead, kernel_size=1, normalization=none),
        normalization=none,
    ),
}


def encoder(name, channels=1, n_samples=65536, pooling=no_pooling, **keys):
    return ENCODERS[name](channels, n_samples, **{"pooling": pooling} | keys)


def decoder(name, channels=1, n_samples=65536, **keys):
    return DECODERS[name](LATENT_DIM, channels, n_samples, **keys)
