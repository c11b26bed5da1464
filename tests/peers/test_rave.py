"""Our discriminators and losses beside those of RAVE, with its weights."""

import pytest
import torch

from flowvae.testing.loss import plain_stft
from flowvae.testing.streams import SeededStream
from flowvae_components.adversarial_losses.hinge import Hinge
from flowvae_components.adversarial_losses.least_squares import LeastSquares
from flowvae_components.conditionings.peak_scaled import PeakScaled
from flowvae_components.discriminators.multi_period import MultiPeriod
from flowvae_components.discriminators.multi_resolution import MultiResolution
from flowvae_components.discriminators.scale_stack import ScaleDiscriminator
from flowvae_components.feature_matchings.l1 import L1
from flowvae_components.feature_matchings.relative_l1 import RelativeL1
from flowvae_components.losses.rave_spectral import RaveSpectral
from flowvae_components.normalizations.weight_norm import weight_norm

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore"),  # theirs
]
PRIME = 8111
"""A length that no period and no hop divides."""


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_whole_second_player_in_mono_and_stereo(channels, rave, take, noise, same):
    theirs = rave.descript_discriminator.DescriptDiscriminator(n_channels=channels)
    periods = MultiPeriod(channels, PRIME, normalization=weight_norm)
    # Centred frames, which RAVE has in place of the codec's.
    spectra = MultiResolution(channels, PRIME, plain_stft, match_stride=False, normalization=weight_norm)
    for ours, other in zip(
        [*periods.discriminators, *spectra.discriminators], theirs.discriminators, strict=True
    ):
        take(ours, other)
        assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in other.parameters())
    sound = noise(2, channels, PRIME) + 0.1
    with torch.no_grad():
        heard = PeakScaled(peak=0.8, floor=1e-9)(sound)
        judgements = [*periods(heard, SeededStream(0)), *spectra(heard, SeededStream(0))]
        for index, (mine, other) in enumerate(zip(judgements, theirs(sound), strict=True)):
            same(mine, other, turned=index < 5)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_full_rate_in_mono_and_stereo(channels, rave, take, noise, same):
    theirs, sound = rave.descript_discriminator.MSD(1, n_channels=channels), noise(2, channels, PRIME)
    ours = take(ScaleDiscriminator(channels, 16, slope=0.1, ends="zeros", normalization=weight_norm), theirs)
    with torch.no_grad():
        same(ours(sound), theirs(sound))


@pytest.mark.parametrize(("ours", "name"), [(Hinge, "hinge_gan"), (LeastSquares, "ls_gan")])
def test_the_losses_of_both_players(ours, name, rave, noise):
    real, estimate = 5 * noise(2, 1, 50), -3 * noise(2, 1, 50).flip(-1)
    discriminator, generator = getattr(rave.core, name)(real, estimate)
    assert ours().discriminator(real, estimate).item() == pytest.approx(discriminator.item(), rel=1e-6)
    assert ours().generator(estimate).item() == pytest.approx(generator.item(), rel=1e-6)


@pytest.mark.parametrize(("ours", "relative"), [(L1, False), (RelativeL1, True)])
def test_feature_matching(ours, relative, rave, noise):
    real = [noise(2, 8, 50), 10 * noise(2, 4, 9, 7)]
    estimate = [0.7 * f.flip(0) for f in real]
    each = [
        rave.core.mean_difference(r, e, norm="L1", relative=relative)
        for r, e in zip(real, estimate, strict=True)
    ]
    assert ours()(real, estimate).item() == pytest.approx(float(sum(each)) / len(each), rel=1e-6)


def test_the_distance_of_one_sound(rave, noise):
    """Of several, theirs is relative to the loudest; and a floor of ours lies as low as theirs."""
    target, estimate = 30 * noise(1, 1, PRIME) + 1, 20 * noise(1, 1, PRIME).flip(-1) + 2
    n_ffts = (2048, 1024, 512, 256, 128)
    theirs = rave.core.AudioDistanceV1(lambda: rave.core.MultiScaleSTFT(n_ffts, 44100), 1e-7)
    ours = RaveSpectral(plain_stft, n_ffts=n_ffts, floor=1e-9)
    found, gradients = [], []
    for distance in (ours, lambda x, y: theirs(x, y)["spectral_distance"]):
        heard = estimate.clone().requires_grad_()
        price = distance(target, heard)
        price.backward()
        found.append(price.item())
        gradients.append(heard.grad)
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    assert (gradients[0] - gradients[1]).norm() <= 1e-3 * gradients[1].norm()
