"""Our encoders and decoders beside those of the Descript audio codec and of RAVE, with their weights."""

import pytest
import torch
from torch import nn

from flowvae_components.blocks.filtered_noise import impulse_responses
from flowvae_components.blocks.mod_sigmoid import mod_sigmoid
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm
from published_networks import decoder, encoder

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore"),  # theirs
]

SHARED_BY_RAVES_NETWORKS = """
from __gin__ import dynamic_registration
import cached_conv as cc
from rave import blocks
cc.Conv1d.bias = False
cc.ConvTranspose1d.bias = False
blocks.normalization.mode = "weight_norm"
blocks.ResidualStack.kernel_sizes = [3]
blocks.ResidualStack.dilations_list = [[1, 1], [3, 1], [5, 1]]
"""


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def blocks(rave):
    """RAVE's, with the settings that all networks of its first two versions share."""
    gin = pytest.importorskip("gin")
    gin.clear_config()
    gin.parse_config(SHARED_BY_RAVES_NETWORKS)
    yield rave.blocks
    gin.clear_config()


def give_in_order(ours, theirs):
    """Their weights, layer by layer: all of them, and no other."""
    with torch.no_grad():
        for mine, (name, weight) in zip(ours.parameters(), theirs.named_parameters(), strict=True):
            given = weight.log().reshape(mine.shape) if "alpha" in name else weight
            assert given.shape == mine.shape, name
            mine.copy_(given)


def unsettled(module):
    """Away from a start where all rates are 1 and all biases 0."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1 + 0.1 * torch.rand_like(parameter)).add_(0.01 * torch.rand_like(parameter))
    return module.eval()


def same(ours, theirs):
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 2e-5 * theirs.abs().max()


def of_frames(name, channels, **sizes):
    """Our decoder without the layer that lays out the frames: it is handed them, as theirs is."""
    ours = decoder(name, channels, **sizes)
    ours.frames = nn.Identity()
    return ours


def test_the_encoder_of_the_codec(descript):
    theirs, audio = unsettled(descript.dac.Encoder(16, [2, 4, 8], 24)), torch.randn(2, 1, 960)
    ours = encoder("dac", 1, 960, width=16, strides=(2, 4, 8), frame_channels=24)
    give_in_order(ours, theirs)
    with torch.no_grad():
        same(ours(audio), theirs(audio))


def test_the_decoder_of_the_codec_up_to_its_tanh(descript):
    theirs, frames = unsettled(descript.dac.Decoder(24, 64, [8, 4, 2])), torch.randn(2, 24, 15)
    ours = of_frames("dac", 1, n_samples=960, width=8, strides=(8, 4, 2), frame_channels=24)
    give_in_order(ours, theirs)
    with torch.no_grad():
        same(ours(frames).tanh(), theirs(frames))


def step_of_rave(normalization, extra=0):
    """Its layer that lowers the rate: one sample more ahead than behind."""

    def down(i, o, factor):
        layer = normalization(nn.Conv1d(i, o, 2 * factor + extra, stride=factor, bias=False))
        return nn.Sequential(nn.ConstantPad1d((factor - 1 + extra, factor), 0.0), layer)

    return down


DILATIONS = [[1, 3, 9], [1, 3]]


def test_the_encoder_of_raves_second_version(blocks):
    theirs = unsettled(blocks.EncoderV2(16, 8, [4, 2], 6, 2, 3, DILATIONS))
    sizes = {"width": 8, "strides": (4, 2), "dilations": DILATIONS, "frame_channels": 12}
    ours = encoder("rave_v2", 16, 256, **sizes, downsampler=step_of_rave(weight_norm))
    give_in_order(ours, theirs)
    bands = torch.randn(2, 16, 256)
    with torch.no_grad():
        same(ours(bands), theirs(bands))


def test_the_decoder_of_raves_second_version(blocks):
    theirs = unsettled(
        blocks.GeneratorV2(8, [4, 2], 6, 3, DILATIONS, data_size=16, amplitude_modulation=True)
    )
    sizes = {"width": 8, "strides": (2, 4), "dilations": DILATIONS[::-1], "frame_channels": 6}
    ours, frames = of_frames("rave_v2", 16, n_samples=256, **sizes), torch.randn(2, 6, 32)
    give_in_order(ours, theirs)
    with torch.no_grad():
        same(ours(frames), theirs(frames))


def test_the_encoder_of_raves_first_version_without_its_batch_normalization(blocks):
    theirs = blocks.Encoder(16, 8, 6, [4, 2], 2, False, 1)
    for index, layer in enumerate(theirs.net):
        if isinstance(layer, nn.BatchNorm1d):
            theirs.net[index] = nn.Identity()
    sizes = {"width": 8, "strides": (4, 2), "frame_channels": 12, "normalization": none}
    ours = encoder("rave_v1", 16, 256, **sizes, downsampler=step_of_rave(none, extra=1))
    give_in_order(ours, unsettled(theirs))
    bands = torch.randn(2, 16, 256)
    with torch.no_grad():
        same(ours(bands), theirs(bands))


def test_the_decoder_of_raves_first_version_without_its_noise(blocks):
    theirs = unsettled(blocks.Generator(6, 8, 16, [4, 2], 1, use_noise=False))
    ours = of_frames("rave_v1", 16, n_samples=256, width=8, strides=(4, 2), frame_channels=6)
    frames = torch.randn(2, 6, 32)
    give_in_order(ours, theirs)
    with torch.no_grad():
        same(ours(frames), theirs(frames))


@pytest.mark.parametrize("bands", [5, 32])
def test_the_filters_of_raves_noise(bands, rave):
    steer = 10 * torch.randn(2, 3, 4, bands)
    amplitudes = mod_sigmoid(steer)
    same(amplitudes, rave.core.mod_sigmoid(steer))
    taps = 2 * (bands - 1)  # theirs begin in the middle, and go on at the end of a frame
    same(
        impulse_responses(amplitudes).roll(-taps // 2, -1),
        rave.core.amp_to_impulse_response(amplitudes, taps),
    )
