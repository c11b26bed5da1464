"""Our discriminators and losses beside those of the Descript audio codec, with its weights."""

import pytest
import torch
from torch.nn.functional import pad

from flowvae.testing.loss import plain_stft
from flowvae.testing.streams import SeededStream
from flowvae_components.adversarial_losses.least_squares import LeastSquares
from flowvae_components.conditionings.peak_scaled import PeakScaled
from flowvae_components.discriminators.multi_period import MultiPeriod, PeriodDiscriminator
from flowvae_components.discriminators.multi_resolution import MultiResolution
from flowvae_components.discriminators.scale_stack import ScaleDiscriminator
from flowvae_components.feature_matchings.l1 import L1
from flowvae_components.normalizations.weight_norm import weight_norm

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore"),  # theirs
]
PRIME = 8111
"""A length that no period and no hop divides."""
RATE = 44100


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("period", [2, 3, 5, 7, 11])
def test_a_period_where_it_does_not_divide_the_sound(period, descript, take, noise, same):
    theirs = descript.discriminator.MPD(period)
    ours = take(PeriodDiscriminator(1, period, 32, weight_norm), theirs)
    assert count(ours) == count(theirs) == 8_221_154
    sound = noise(2, 1, PRIME)
    with torch.no_grad():
        same(ours(sound), theirs(sound), turned=True)


@pytest.mark.parametrize("period", [2, 5])
def test_where_it_does_the_codec_has_one_mirrored_row_more_and_that_is_all(
    period, descript, take, noise, same
):
    theirs = descript.discriminator.MPD(period)
    ours, sound = take(PeriodDiscriminator(1, period, 32, weight_norm), theirs), noise(2, 1, 4000)
    with torch.no_grad():
        assert ours(sound)[1][0].shape[-1] == -(-4000 // period // 3)
        assert theirs(sound)[0].shape[-2] == -(-(4000 // period + 1) // 3)
        same(ours(pad(sound, (0, period), mode="reflect")), theirs(sound), turned=True)


def test_the_full_rate(descript, take, noise, same):
    theirs = descript.discriminator.MSD(1)
    ours = take(ScaleDiscriminator(1, 16, slope=0.1, ends="zeros", normalization=weight_norm), theirs)
    assert count(ours) == count(theirs) == 5_641_362
    sound = noise(2, 1, PRIME)
    with torch.no_grad():
        same(ours(sound), theirs(sound))


@pytest.mark.parametrize("n_samples", [PRIME, 8192])
@pytest.mark.parametrize("n_fft", [2048, 1024, 512])
def test_a_resolution(n_fft, n_samples, descript, take, noise, same):
    theirs, sound = descript.discriminator.MRD(n_fft), noise(2, 1, n_samples)
    ours = resolutions(1, n_samples, (n_fft,))
    take(ours.discriminators[0], theirs)
    assert count(ours) == count(theirs) == 471_330
    assert [*zip(ours.discriminators[0].bins, ours.discriminators[0].bins[1:], strict=False)] == theirs.bands
    with torch.no_grad():
        [judgement] = ours(sound, SeededStream(0))
        same(judgement, theirs(sound))


def resolutions(channels, n_samples, n_ffts=(2048, 1024, 512), *, match_stride=True):
    return MultiResolution(
        channels, n_samples, plain_stft, n_ffts=n_ffts, match_stride=match_stride, normalization=weight_norm
    )


@pytest.fixture
def both(descript, take):
    """The whole second player: theirs, and ours with its weights as a function to judgements."""
    theirs = descript.discriminator.Discriminator(rates=[])
    periods, spectra = MultiPeriod(1, PRIME, normalization=weight_norm), resolutions(1, PRIME)
    for ours, other in zip(
        [*periods.discriminators, *spectra.discriminators], theirs.discriminators, strict=True
    ):
        take(ours, other)
    assert count(periods) + count(spectra) == count(theirs) == 42_519_760
    condition = PeakScaled(peak=0.8, floor=1e-9)

    def judge(sound):
        heard = condition(sound)
        return [*periods(heard, SeededStream(0)), *spectra(heard, SeededStream(0))]

    return theirs, judge


def test_the_whole_second_player(both, noise, same):
    theirs, judge = both
    sound = noise(2, 1, PRIME) + 0.1
    with torch.no_grad():
        for index, (mine, other) in enumerate(zip(judge(sound), theirs(sound), strict=True)):
            same(mine, other, turned=index < 5)


def test_the_losses_of_both_players_and_feature_matching(both, descript, noise):
    from audiotools import AudioSignal

    theirs, judge = both
    real, estimate = noise(2, 1, PRIME), noise(2, 1, PRIME).flip(0) * 0.7
    losses = descript.loss.GANLoss(theirs)
    signals = AudioSignal(estimate, RATE), AudioSignal(real, RATE)
    with torch.no_grad():
        adversarial, matching = losses.generator_loss(*signals)
        discriminator = losses.discriminator_loss(*signals)
        heard, made = judge(real), judge(estimate)
    pairs = [*zip(heard, made, strict=True)]
    mine = sum(LeastSquares().discriminator(r, e) for (r, _), (e, _) in pairs)
    assert mine.item() == pytest.approx(discriminator.item(), rel=1e-5)
    mine = sum(LeastSquares().generator(e) for e, _ in made)
    assert mine.item() == pytest.approx(adversarial.item(), rel=1e-5)
    # They sum over the features of a part, ours is their mean.
    mine = sum(len(r) * L1()(r, e) for (_, r), (_, e) in pairs)
    assert mine.item() == pytest.approx(matching.item(), rel=1e-5)
