"""Each encoder and each decoder takes training steps by a recipe, whatever stands in its slots."""

import pytest
import torch

from flowvae.recipe import read_recipe, resolve
from short_runs import begin
from tiers import swept

ENCODERS = {
    "dac": "width = 4, strides = [4, 5], dilations = [1, 3], frame_channels = 8",
    "oobleck": "width = 4, multipliers = [1, 2], strides = [4, 5], dilations = [1, 3], frame_channels = 8",
    "rave_v1": "width = 4, strides = [4, 5], frame_channels = 8",
    "rave_v2": "width = 4, strides = [4, 5], dilations = [[1, 3], [1]], frame_channels = 8",
    "wavegan": "width = 4, strides = [4, 5]",
}
DECODERS = {
    "dac": "width = 4, strides = [5, 4], dilations = [1, 3], frame_channels = 8",
    "melgan": "width = 4, strides = [5, 4], dilations = [1, 3], frame_channels = 8",
    "oobleck": "width = 4, multipliers = [2, 1], strides = [5, 4], dilations = [1, 3], frame_channels = 8",
    "rave_v1": "width = 4, strides = [5, 4], dilations = [1, 3], frame_channels = 8",
    "rave_v2": "width = 4, strides = [5, 4], dilations = [[1], [1, 3]], frame_channels = 8",
    "wavegan": "width = 4, strides = [5, 4]",
}
PLAIN = '"plain"'
HEADS = {
    "rave_v1": '"rave_v1"',
    "rave_v2": '"rave_v2"',
    "melgan": '{ use = "noise_synth", hidden = 8, head = "plain" }',
}
PAIRS = [(name if name in ENCODERS else "wavegan", name) for name in DECODERS]
SLOTS = {
    1: ("snake", "weight_norm", "flatten", "adain", "same"),
    2: ("leaky_relu", "none", "attention", "adain_transfer", "causal"),
}
"""By the channels of the sound: activation, normalization, pooling, modulation, convolution."""


@pytest.mark.parametrize("channels", SLOTS)
@pytest.mark.parametrize(("encoder", "decoder"), swept(PAIRS, quick=2))
def test_two_steps_move_every_weight_of_both(encoder, decoder, channels, catalogue, tiny):
    activation, normalization, pooling, modulation, convolution = SLOTS[channels]
    settings = (
        *tiny,
        f"model.channels={channels}",
        "model.n_samples=1023",
        "model.bands=none",
        "losses={ multi_scale_mel = { n_ffts = [256], n_mels = [16] }, multi_resolution_stft = { n_ffts = [256] } }",
        f"defaults.head={HEADS.get(decoder, PLAIN)}",
        f"defaults.activation={activation}",
        f"defaults.normalization={normalization}",
        f"defaults.pooling={pooling}",
        f"defaults.modulation={modulation}",
        f"defaults.convolution={convolution}",
        f'model.encoder={{ use = "{encoder}", features = 8, {ENCODERS[encoder]} }}',
        f'model.decoder={{ use = "{decoder}", {DECODERS[decoder]} }}',
    )
    training = begin(resolve(read_recipe("percussion_small", settings), catalogue))
    networks = {"encoder": training.model.encoder, "decoder": training.model.decoder}
    before = {f"{n}.{k}": p.clone() for n, m in networks.items() for k, p in m.named_parameters()}
    for step in range(2):
        figures = training.step(step)
        assert all(bool(figure.isfinite().all()) for figure in figures.values())
    after = {f"{n}.{k}": p for n, m in networks.items() for k, p in m.named_parameters()}
    assert not [name for name in before if torch.equal(before[name], after[name])]


def test_a_transfer_that_has_learnt_nothing_changes_no_bit_of_training(catalogue, tiny):
    losses = []
    for modulation in ("none", "adain_transfer"):
        settings = (*tiny, "losses={ multi_scale_mel = { n_ffts = [256], n_mels = [16] } }")
        recipe = resolve(
            read_recipe("percussion_small", (*settings, f"model.decoder.modulation={modulation}")), catalogue
        )
        training = begin(recipe)
        losses.append([training.step(step)["loss"] for step in range(2)])
    assert losses[0] == losses[1]
