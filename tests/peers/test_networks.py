"""The shipped recipes beside the released packages: the same outputs from the same weights, at the published size.

A recipe's encoder is compared up to its frames and its decoder from them on: the layers between them and the one vector are ours.
Both sides compute in double precision, so that what differs is what they compute and not the order of their sums.
"""

from functools import partial
from unittest.mock import patch

import pytest
import torch
from torch import nn

from flowvae.building.parts import Parts
from flowvae.catalogue import Catalogue
from flowvae.recipe import read_recipe, resolve
from flowvae.testing.streams import SeededStream
from flowvae_components.blocks.filtered_noise import impulse_responses
from flowvae_components.blocks.mod_sigmoid import mod_sigmoid
from flowvae_components.conditionings.peak_scaled import PeakScaled
from flowvae_components.downsamplers.strided_conv import StridedConv

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore"),  # theirs
]
CLOSE = 1e-7
"""Of the largest value. Their Snake adds 1e-9 to a rate that it divides by, and ours to none."""
SAMPLES = {"dac": 4096, "oobleck": 8192, "rave": 16384, "soundstream": 3200}
"""Short clips: a convolution has the same weights for all of them."""


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def parts_of(preset, n_samples):
    return Parts(resolve(read_recipe(preset, (f"model.n_samples={n_samples}",)), Catalogue.installed()), 0)


def model_of(preset):
    return parts_of(preset, SAMPLES[preset.partition("_")[0]]).model.double().eval()


def unsettled(module):
    """In double precision, and away from a start where all rates are 1 and all biases 0."""
    with torch.no_grad():
        for weight in module.double().parameters():
            weight.mul_(1 + 0.1 * torch.rand_like(weight)).add_(0.01 * torch.randn_like(weight))
    return module.eval()


def give_in_order(ours, theirs, *, but=(), rates=torch.log):
    """Their weights, layer by layer: all of them, and no other, but for what is named. Rates are learnt in the log here."""
    pairs = zip(*(_weights(module, but) for module in (ours, theirs)), strict=True)
    with torch.no_grad():
        for (_, mine), (name, weight) in pairs:
            given = rates(weight) if name.endswith("alpha") else weight
            assert given.numel() == mine.numel(), name
            mine.copy_(given.reshape(mine.shape))


def _weights(module, but):
    return [(n, w) for n, w in module.named_parameters() if not any(part in n for part in but)]


def agree(ours, theirs):
    assert ours.shape == theirs.shape
    loudest = theirs.abs().max()
    assert (
        theirs.abs().median() < 0.9 * loudest
    )  # a head that is driven to its bound would say nothing of what drives it
    assert (ours - theirs).abs().max() <= CLOSE * loudest


def frames_of(encoder):
    """The encoder without what makes one vector of the frames."""
    encoder.collapse = nn.Identity()
    return encoder


def from_frames(decoder):
    """The decoder without the layer that lays out the frames: it is handed them."""
    decoder.frames = nn.Identity()
    return decoder


def compare(ours, theirs, given):
    with torch.no_grad():
        agree(ours(given), theirs(given))


def weights_of(module):
    return sum(weight.numel() for weight in module.parameters())


def noise(*shape):
    return torch.randn(shape, dtype=torch.float64)


def test_the_encoder_of_the_descript_codec(descript):
    theirs, ours = unsettled(descript.dac.DAC().encoder), frames_of(model_of("dac").encoder)
    give_in_order(ours, theirs)
    compare(ours, theirs, noise(1, 1, SAMPLES["dac"]))


def test_the_decoder_of_the_descript_codec_up_to_its_tanh(descript):
    theirs, ours = unsettled(descript.dac.DAC().decoder), from_frames(model_of("dac").decoder)
    give_in_order(ours, theirs)
    theirs.model[-1] = nn.Identity()
    compare(ours, theirs, noise(1, 1024, SAMPLES["dac"] // 512))


OOBLECK = {"channels": 128, "c_mults": [1, 2, 4, 8, 16], "strides": [2, 4, 4, 8, 8], "use_snake": True}
"""Of stable_audio_2_0_vae.json, which is not in the package."""


def test_the_encoder_of_stable_audio(stable_audio):
    theirs = unsettled(stable_audio.autoencoders.OobleckEncoder(in_channels=2, latent_dim=128, **OOBLECK))
    ours = frames_of(model_of("oobleck").encoder)
    give_in_order(ours, theirs, rates=nn.Identity())
    compare(ours, theirs, noise(1, 2, SAMPLES["oobleck"]))


def test_the_decoder_of_stable_audio_whose_end_has_no_bias(stable_audio):
    decoder = stable_audio.autoencoders.OobleckDecoder
    theirs = unsettled(decoder(out_channels=2, latent_dim=64, final_tanh=False, **OOBLECK))
    ours = from_frames(model_of("oobleck").decoder)
    end = next(n for n, _ in reversed([*ours.named_parameters()]) if n.endswith("bias"))
    assert not ours.get_parameter(end).any()
    give_in_order(ours, theirs, but=(end,), rates=nn.Identity())
    compare(ours, theirs, noise(1, 64, SAMPLES["oobleck"] // 2048))


SEANET = {
    "dimension": 256,
    "n_filters": 32,
    "n_residual_layers": 3,
    "residual_kernel_size": 7,
    "dilation_base": 3,
    "ratios": [8, 5, 4, 2],
    "compress": 1,
    "true_skip": True,
    "lstm": 0,
    "norm": "none",
    "causal": True,
    "pad_mode": "constant",
}
"""EnCodec's network with what SoundStream has where they differ: three units of 7 taps, dilated by 1, 3 and 9, without a bottleneck,
a layer in the skip, a recurrent layer and weight norm, and silence before the sound."""


def test_the_encoder_of_soundstream_as_encodec_can_be_set_to_it(encodec):
    theirs = unsettled(encodec.seanet.SEANetEncoder(last_kernel_size=3, **SEANET))
    ours = frames_of(model_of("soundstream").encoder)
    ours.act_frames = nn.Identity()
    give_in_order(ours, theirs)
    compare(ours, theirs, noise(1, 1, SAMPLES["soundstream"]))


def test_the_decoder_of_soundstream_as_encodec_can_be_set_to_it(encodec):
    theirs, ours = unsettled(encodec.seanet.SEANetDecoder(**SEANET)), model_of("soundstream").decoder
    ours.expand = ours.act_frames = nn.Identity()
    give_in_order(ours, theirs)
    frames = noise(1, 256, SAMPLES["soundstream"] // 320)
    with torch.no_grad():
        agree(ours(frames.flatten(1)), theirs(frames))


FULL_SCALE = 4
"""A tone at full scale has sqrt(16) in its band here, and 1 in RAVE's."""
EVERY_FOURTH_BATCH = (
    "from __gin__ import dynamic_registration",
    "import rave",
    "rave.RAVE.update_discriminator_every = 4",
)
"""What versions 2 and 3 have, and whoever builds RAVE here asks for: networks do not depend on it."""


def published(version):
    """RAVE of its own configuration."""
    import rave_network

    return rave_network.published(version, *EVERY_FOURTH_BATCH)


def of_rave(version):
    """The same, with Snake in the residual units of the third version, as its configuration asks for: see below."""
    from rave import blocks

    if version != "v3":
        return published(version)
    with patch.object(blocks, "DilatedUnit", partial(blocks.DilatedUnit, activation=blocks.Snake)):
        return published(version)


def heard_as_rave_does(network):
    """With the silence around its steps that RAVE puts there: a step behind, less one where the taps are even, and a step ahead."""
    for parent in [*network.modules()]:
        for name, step in [*parent.named_children()]:
            if isinstance(step, StridedConv):
                conv, stride = step.conv, step.factor
                conv.padding, conv.ends = (0,), (0, 0)
                before = conv.kernel_size[0] - stride - 1
                setattr(parent, name, nn.Sequential(nn.ConstantPad1d((before, stride), 0.0), conv))
    return network


def without_batch_normalization(encoder):
    for index, layer in enumerate(encoder.net):
        if isinstance(layer, nn.BatchNorm1d):
            encoder.net[index] = nn.Identity()
    return encoder


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_the_encoder_of_rave(version, rave):
    theirs = of_rave(version).encoder.encoder
    if version == "v1":
        theirs = without_batch_normalization(theirs)
    theirs = unsettled(theirs)
    ours = frames_of(heard_as_rave_does(model_of(f"rave_{version}").encoder))
    give_in_order(ours, theirs)
    compare(ours, theirs, noise(1, 16, SAMPLES["rave"] // 16))


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_the_decoder_of_rave_the_first_one_before_its_noise_begins(version, rave):
    theirs, ours = unsettled(of_rave(version).decoder), from_frames(model_of(f"rave_{version}").decoder)
    if version == "v1":
        ours.head = ours.head.head
    give_in_order(ours, theirs, but=("synth.branches.2",))
    frames = noise(1, 128, SAMPLES["rave"] // 2048)
    with torch.no_grad():
        agree(ours(frames), FULL_SCALE * theirs(frames))


@pytest.mark.parametrize(("version", "weights"), [("v1", 7_751_619), ("v2", 27_130_952), ("v3", 42_519_760)])
def test_the_judges_that_rave_has_itself_are_as_large_as_the_recipes_say(version, weights, rave):
    assert weights_of(published(version).discriminator) == weights


def test_raves_third_version_is_released_with_leaky_units_that_its_configuration_means_to_be_snake(rave):
    """Its bindings name Snake for DilatedUnit, and the networks make these units without asking for bindings."""
    theirs, meant = published("v3"), of_rave("v3")
    for said, asked, preset in (
        (theirs.encoder.encoder, meant.encoder.encoder, model_of("rave_v3").encoder.frames),
        (theirs.decoder, meant.decoder, from_frames(model_of("rave_v3").decoder)),
    ):
        rates = 2 * 96 * (3 * (1 + 2 + 4) + 2 * 8)  # of two activations in a unit, for each channel
        assert weights_of(said) + rates == weights_of(asked) == weights_of(preset)


def test_the_bands_of_rave_are_a_quarter_as_loud_nine_samples_late_and_some_upside_down(rave):
    """Which no network can tell. What is left is that of the prototype filters, of 377 taps there and of 385 here."""
    theirs, ours = published("v2").pqmf, model_of("rave_v2").bands
    sound = torch.randn(1, 1, 8192)
    every_second = 1 - 2 * (torch.arange(16)[:, None] % 2)
    here, there = ours.analysis(sound) / FULL_SCALE, every_second * theirs(sound.roll(-9, -1))
    difference = (here - there)[..., 40:-40].norm(dim=-1) / there[..., 40:-40].norm(dim=-1)
    assert difference.max() < 0.006  # -44 dB


@pytest.mark.parametrize("bands", [5, 32])
def test_the_filters_of_raves_noise(bands, rave):
    steer = 10 * noise(2, 3, 4, bands)
    amplitudes = mod_sigmoid(steer)
    agree(amplitudes, rave.core.mod_sigmoid(steer))
    taps = 2 * (bands - 1)  # theirs begin in the middle, and go on at the end of a frame
    agree(
        impulse_responses(amplitudes).roll(-taps // 2, -1),
        rave.core.amp_to_impulse_response(amplitudes, taps),
    )


@pytest.mark.parametrize(("preset", "package"), [("dac", "descript"), ("rave_v3", "rave")])
def test_the_judges(preset, package, request, take, same):
    module = request.getfixturevalue(package)
    theirs = (
        module.discriminator.Discriminator(rates=[])
        if package == "descript"
        else module.descript_discriminator.DescriptDiscriminator(n_channels=1)
    )
    n_samples = 8111  # which no period and no hop divides
    player = parts_of(preset, n_samples).second_player
    judges = player.discriminators.values()
    for ours, other in zip(
        (j for judge in judges for j in judge.discriminators), theirs.discriminators, strict=True
    ):
        take(ours, other)
    sound = 0.3 * torch.randn(2, 1, n_samples) + 0.1
    # The floor alone is not theirs, see the recipe.
    heard = PeakScaled(peak=player.conditioning.peak, floor=1e-9)(sound)
    with torch.no_grad():
        judgements = [said for judge in judges for said in judge(heard, SeededStream(0))]
        for index, (mine, other) in enumerate(zip(judgements, theirs(sound), strict=True)):
            same(mine, other, turned=index < 5)
