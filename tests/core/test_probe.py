"""One batch before any training: a component that breaks its contract is found and blamed."""

import pytest
import torch
from torch import nn

from flowvae.errors import PluginError, RecipeError
from flowvae.probe.probe import probe
from flowvae.recipe import read_recipe, resolve
from pretend import catalogue_with, offering, plugin


class Decoder(nn.Module):
    """Decodes whatever it is told to."""

    periods = ()

    def __init__(self, latent_dim: int, channels: int, n_samples: int) -> None:
        super().__init__()
        self.out = nn.Linear(latent_dim, channels * n_samples)
        self.shape = channels, n_samples

    def forward(self, latent):
        return self.out(latent).unflatten(1, self.shape)


class Short(Decoder):
    """One sample less than the clip."""

    def forward(self, latent):
        return super().forward(latent)[..., :-1]


class Deaf(Decoder):
    """Not a number."""

    def forward(self, latent):
        return super().forward(latent) * torch.nan


class Wide(nn.Module):
    """A posterior with one dimension too many."""

    def __init__(self, features: int, latent_dim: int) -> None:
        super().__init__()
        self.out = nn.Linear(features, latent_dim + 1)

    def forward(self, features):
        mode = self.out(features)

        class Distribution:
            pass

        distribution = Distribution()
        distribution.mode = mode
        return distribution


class Mute(nn.Module):
    """An activation that gives no numbers."""

    def forward(self, x):
        return x * torch.nan


class Stubborn(nn.Module):
    """An activation that fails."""

    def forward(self, x):
        return x.view(3)


class Cutter(nn.Module):
    """An activation over which others stumble."""

    def forward(self, x):
        return x[..., :-1]


def probed(tiny, *settings):
    offers = [("decoder", "right", Decoder), ("decoder", "short", Short), ("decoder", "deaf", Deaf)]
    catalogue = catalogue_with(
        plugin(
            "fv-d",
            "1.2",
            flowvae_components=offering(
                *offers,
                ("posterior", "wide", Wide),
                *(("activation", c.__name__.lower(), c) for c in (Mute, Stubborn, Cutter)),
            ),
        )
    )
    unused = 'may_be_unused=["defaults.head", "defaults.upsampler", "defaults.flow"]'
    recipe = resolve(
        read_recipe("percussion_small", (*tiny, "model.bands=none", unused, *settings)), catalogue
    )
    return probe(recipe, catalogue)


def test_a_component_that_keeps_its_contract_passes(tiny):
    assert probed(tiny, "model.decoder=right").parameters > 8 * 4096


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.decoder=short", "short (decoder, fv-d 1.2) returned [2, 1, 4095], expected [2, 1, 4096]"),
        ("model.decoder=deaf", "deaf (decoder, fv-d 1.2) returned values that are not finite"),
        ("model.posterior=wide", "wide (posterior, fv-d 1.2) returned [2, 9], expected [2, 8]"),
        ("defaults.activation=mute", "mute (activation, fv-d 1.2) returned values that are not finite"),
        ("defaults.activation=stubborn", "stubborn (activation, fv-d 1.2) failed: RuntimeError: shape"),
        ("defaults.activation=cutter", "soundstream (encoder, flowvae 0.1.0) failed: "),
    ],
)
def test_a_component_that_breaks_its_contract_is_blamed_before_the_first_step(tiny, setting, message):
    with pytest.raises(PluginError) as caught:
        probed(tiny, setting)
    assert message in caught.value.what
    assert caught.value.do == "flowvae check-plugin fv-d"


def test_the_memory_of_training_grows_with_the_batch_and_with_what_the_model_keeps(tiny):
    small = probed(tiny, "train.batch_size=2").memory
    large = probed(tiny, "train.batch_size=2002").memory
    a_sound = (large - small) / 2000
    # One layer at the full rate keeps 4 channels of 4,096 samples, and there are a few dozen layers.
    assert 4 * 4096 * 4 < a_sound < 400 * 4 * 4096 * 4


def test_weights_are_no_more_for_a_larger_batch(tiny):
    def more(width):
        wide = f'model.encoder={{ use = "soundstream", width = 4, strides = [64], dilations = [1], features = {width} }}'
        return (
            probed(tiny, "train.batch_size=1002", wide).memory
            - probed(tiny, "train.batch_size=2", wide).memory
        )

    assert more(4096) < 1.5 * more(16)


def test_a_clip_that_is_too_short_for_the_bands_is_their_fault(tiny, catalogue):
    short = ("model.n_samples=320", "model.bands=pqmf")
    losses = ("losses.multi_scale_mel.n_ffts=[256]", "losses.multi_resolution_stft.n_ffts=[256]")
    recipe = resolve(read_recipe("percussion_small", (*tiny, *losses, *short)), catalogue)
    with pytest.raises(RecipeError) as caught:
        probe(recipe, catalogue)
    [fault] = caught.value.faults
    assert (fault.path, fault.what) == (
        "model.bands.n_bands",
        "n_bands must be at most 13 for 320 samples, got 16; a clip has model.n_samples = 320 and model.channels = 1",
    )


@pytest.mark.parametrize(
    ("settings", "path", "what"),
    [
        (  # the bands are what nobody set, and are given 112 samples instead of the 100 that somebody did
            ("model.n_samples=100", "model.bands=pqmf"),
            "model.bands.n_bands",
            "n_bands must be at most 4 for 112 samples, got 16; a clip has model.n_samples = 100",
        ),
        (
            (
                "model.n_samples=320",
                'model.bands="none"',
                'losses={ subband_stft = { n_ffts = [4], bands = "pqmf" } }',
            ),
            "losses.subband_stft.bands",
            "a clip has model.n_samples = 320",
        ),
        (
            ("losses.mid_side_stft={ n_ffts = [256] }",),
            "losses.mid_side_stft",
            "a clip has model.n_samples = 4096 and model.channels = 1",
        ),
        (
            ("augmentations.random_crop.jitter_ms=2000",),
            "augmentations.random_crop.jitter_ms",
            "a clip has model.n_samples = 4096",
        ),
    ],
)
def test_what_a_part_refuses_of_a_clip_is_told_with_the_keys_of_the_clip(
    settings, path, what, tiny, catalogue
):
    windows = ("losses.multi_scale_mel.n_ffts=[64]", "losses.multi_scale_mel.n_mels=[4]")
    windows += ("losses.multi_resolution_stft.n_ffts=[64]",)
    recipe = resolve(read_recipe("percussion_small", (*tiny, *windows, *settings)), catalogue)
    with pytest.raises(RecipeError) as caught:
        probe(recipe, catalogue)
    [fault] = caught.value.faults
    assert fault.path == path
    assert what in fault.what
