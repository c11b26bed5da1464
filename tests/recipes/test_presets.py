"""The recipes that are named after published systems: weights, judges, rates and prices as published, and a step in small.

At their full size they are built on a device that holds no numbers, and never trained here.
"""

from functools import cache
from itertools import pairwise

import pytest
import torch

from flowvae.building.parts import Parts
from flowvae.catalogue import Catalogue
from flowvae.recipe import read_recipe, resolve
from published_networks import PRESETS
from short_runs import training_of
from tiers import swept

META = torch.device("meta")
FEW = ('data={ use = "synthetic_percussion", n_sounds = 12 }', "train.batch_size=2")
MODEL_SIZES = {"n_samples", "latent_dim", "width", "frame_channels", "features", "hidden"}
RUN_SIZES = {"steps", "from_step", "batch_size", "checkpoint_every", "every", "sounds", "prior_samples"}


@cache
def resolved(name):
    return resolve(read_recipe(name), Catalogue.installed())


@cache
def built(name):
    parts = Parts(resolved(name), None, META)
    with META:
        _ = parts.model, parts.second_player
    return parts


def weights_of(module):
    return sum(weight.numel() for weight in module.parameters())


def judges(name):
    """The weights of every judge that decides by itself."""
    modules = built(name).second_player.discriminators.values()
    return [weights_of(judge) for module in modules for judge in getattr(module, "discriminators", [module])]


def convs(taps, *widths):
    """Weights and biases of convolutions in a row."""
    return sum(taps * i * o + o for i, o in pairwise(widths))


def soundstream(ends):
    """Of either side, without normalization: 12 units, 4 steps with 2 taps a stride, and the first and last convolution."""
    stages = ((32, 2), (64, 4), (128, 5), (256, 8))
    units = sum(3 * (convs(7, i, i) + convs(1, i, i)) for i, _ in stages)
    return units + sum(2 * s * i * 2 * i for i, s in stages) + ends


# Batch normalization in RAVE's first encoder, which is left out: a gain and an offset for each channel.
NORM_OF_RAVE = 2 * (64 + 128 + 256 + 512)
# Noise in its decoder: three convolutions of three taps without bias there, of eight taps with one here.
NOISE_OF_RAVE = 3 * (64 * 64 + 64 * 64 + 64 * 80)
NOISE_HERE = convs(8, 64, 64, 64, 80)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("rave_v1", 4_834_176 - NORM_OF_RAVE),
        ("rave_v2", 16_056_928),
        # A rate for each channel of each activation: two in a unit, one before each step and one at the end.
        ("rave_v3", 16_056_928 + 96 * (7 + 2 * 7 + 4 * 7 + 8 * 5 + 16)),
        ("dac", 22_307_968),
        ("soundstream", soundstream(convs(7, 1, 32) + convs(3, 512, 256) + 64 + 128 + 256 + 512)),
        ("wavegan", convs(25, 1, 64, 128, 256, 512, 1024)),
    ],
)
def test_the_encoder_has_the_published_weights_up_to_its_frames(name, published):
    encoder = built(name).model.encoder
    assert weights_of(encoder) - weights_of(encoder.collapse) == published


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("rave_v1", 12_778_193 - NOISE_OF_RAVE + NOISE_HERE),
        ("rave_v2", 15_479_072),
        ("rave_v3", 15_479_072 + 96 * (16 + 8 * 5 + 4 * 7 + 2 * 7 + 7)),
        ("dac", 54_104_162),
        ("soundstream", soundstream(convs(7, 256, 512) + convs(7, 32, 1) + 256 + 128 + 64 + 32)),
        # The fifth layer gives the signal there; here it gives 32 channels to a head of one tap.
        ("wavegan", convs(25, 1024, 512, 256, 128, 64) + convs(25, 64, 32) + convs(1, 32, 1)),
    ],
)
def test_the_decoder_has_the_published_weights_from_its_frames_on(name, published):
    decoder = built(name).model.decoder
    laid_out = decoder.expand if name == "soundstream" else decoder.frames
    assert weights_of(decoder) - weights_of(laid_out) == published


def test_oobleck_has_the_weights_of_stable_audios_autoencoder():
    model = built("oobleck").model
    ours = (
        weights_of(model.encoder.collapse) + weights_of(model.decoder.frames) + 2
    )  # a bias for each channel
    assert weights_of(model.encoder) + weights_of(model.decoder) - ours == 77_989_888 + 78_122_626


def test_wavegans_generator_is_the_published_one_from_the_vector_on():
    assert weights_of(built("wavegan").model.decoder.frames) == 100 * 16384 + 16384


PERIOD, SCALE, RESOLUTION = 8_221_154, 5_641_362, 471_330
"""Of one period, one rate and one window of the discriminators of the Descript codec, whose rates are MelGAN's."""


def whole_spectra(channels, width, *, normed):
    """Weights of a judge of one window without bands, whose stack is that of one of the codec's bands."""
    layers = [(27, 2 * channels, width), *[(27, width, width)] * 3, (9, width, width), (9, width, 1)]
    return sum(convs(taps, i, o) + normed * o for taps, i, o in layers)


# Gains of weight norm, one a channel, which SoundStream has none of.
GAINS_OF_A_SCALE = 16 + 64 + 256 + 1024 + 1024 + 1024 + 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rave_v1", 3 * [SCALE]),
        ("rave_v2", 5 * [PERIOD] + 3 * [SCALE]),
        ("rave_v3", 5 * [PERIOD] + 3 * [RESOLUTION]),
        ("dac", 5 * [PERIOD] + 3 * [RESOLUTION]),
        ("soundstream", 3 * [SCALE - GAINS_OF_A_SCALE] + [whole_spectra(1, 32, normed=False)]),
        ("oobleck", 5 * [whole_spectra(2, 64, normed=True)]),
        ("wavegan", [convs(25, 1, 64, 128, 256, 512, 1024) + 16 * 1024 + 1]),
    ],
)
def test_the_judges_are_as_many_and_as_large_as_said(name, expected):
    assert judges(name) == expected


@pytest.mark.parametrize("name", ["dac", "rave_v3"])
def test_the_judges_of_the_descript_codec_have_42_million_weights(name):
    assert sum(judges(name)) == 42_519_760


@pytest.mark.parametrize("name", ["rave_v1", "rave_v2", "rave_v3"])
def test_a_head_of_rave_can_give_a_tone_at_full_scale(name):
    """Of a bank of n bands it has sqrt(n) in its band, where it has 1 in RAVE's: a bound of 1 would clip it, and kicks with it."""
    recipe = resolved(f"{name}_small")
    model = Parts(recipe, 0).model
    middle_of_a_band = 2.5 * recipe.model.sample_rate / (2 * model.bands.n_bands)
    time = torch.arange(recipe.model.n_samples) / recipe.model.sample_rate
    tone = torch.sin(2 * torch.pi * middle_of_a_band * time).expand(1, 1, -1)
    head = model.decoder.head.head if name == "rave_v1" else model.decoder.out[-1]
    for weight in head.parameters():
        torch.nn.init.ones_(weight)
    loudest = head(torch.full((1, recipe.leaves()["model.decoder.width"], 32), 100.0)).max()
    steady = model.bands.analysis(tone)[..., 100:-100]
    assert steady.max() == pytest.approx(model.bands.n_bands**0.5, rel=0.01)
    assert loudest >= 0.99 * steady.max()


@pytest.mark.parametrize(("name", "published"), [("rave_v1", 10), ("rave_v2", 20), ("rave_v3", 20)])
def test_rave_matches_features_by_the_weight_that_it_meant(name, published):
    keys = resolved(name).second_player
    # Published: the mean over judges; summed here, as the adversarial losses are.
    assert keys.over_discriminators == "sum"
    assert keys.feature_matching.extras["weight"] * len(judges(name)) == pytest.approx(published)


def test_the_features_of_the_descript_codec_weigh_together_what_they_did():
    matching = resolved("dac").second_player.feature_matching
    assert matching.extras["weight"] * len(judges("dac")) == 2 * (5 * 5 + 3 * 25)


@pytest.mark.parametrize(
    ("name", "hop", "betas"),
    [
        ("rave_v1", 2048, {0: 0.1, 1_000_000: 0.1}),
        (
            "rave_v2",
            2048,
            {0: 1e-6, 5000: 1.5e-5, 10_000: 2.2e-4, 15_000: 3.3e-3, 20_000: 5e-2, 30_000: 5e-2},
        ),
        ("rave_v3", 2048, {0: 1e-6, 5000: 1.5e-5, 10_000: 2.2e-4, 15_000: 3.3e-3, 20_000: 5e-2}),
        ("oobleck", 2048, {0: 1e-4, 1_000_000: 1e-4}),
    ],
)
def test_a_nat_of_the_clip_has_the_published_price(name, hop, betas):
    """Published: beta times twice the nats of a frame, averaged over frames."""
    n_frames = resolved(name).model.n_samples // hop
    regularizer = built(name).regularizer
    for step, beta in betas.items():
        assert regularizer.beta(step) == pytest.approx(2 * beta / n_frames, rel=0.03)


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("rave_v1", {0: 1.0, 500_000: 0.55, 1_000_000: 0.1, 2_000_000: 0.1}),
        ("rave_v2", {0: 1.0, 500_000: 0.55, 1_000_000: 0.1, 2_000_000: 0.1}),
        ("dac", {0: 1.0, 250_000: 0.368, 400_000: 0.202}),
        ("oobleck", {0: 0.001, 999: 0.6307, 200_000: 0.7071, 600_000: 0.5}),
    ],
)
def test_learning_rates_go_the_published_way(name, factors):
    schedule = built(name).schedule
    assert {step: schedule(step) for step in factors} == pytest.approx(factors, rel=2e-3)


@pytest.mark.parametrize("name", PRESETS)
def test_the_small_size_differs_in_sizes_alone(name):
    full, small = resolved(name).leaves(), resolved(f"{name}_small").leaves()
    assert full.keys() == small.keys()
    changed = {path.rpartition(".")[2] for path in full if full[path] != small[path]}
    assert {"n_samples", "width"} <= changed
    assert changed <= MODEL_SIZES | RUN_SIZES


@pytest.mark.parametrize("name", PRESETS)
def test_the_second_player_of_the_small_size_begins_after_the_same_share_of_the_run(name):
    full, small = resolved(name), resolved(f"{name}_small")
    shares = [recipe.second_player.from_step / recipe.train.steps for recipe in (full, small)]
    assert shares[0] == shares[1]


@pytest.mark.parametrize("name", swept(PRESETS, quick=2))
def test_the_small_size_takes_a_step_of_each_phase(name, catalogue):
    training = training_of(FEW, catalogue, recipe=f"{name}_small")
    for phase in training.phases:
        figures = training.step(phase.from_step)
        assert all(bool(torch.isfinite(figure)) for figure in figures.values())
        assert all(figures[f"{turn.told_as}grad_norm"] > 0 for turn in phase.turns)
