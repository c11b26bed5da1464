"""Metrics of sets of sounds agree with double loops, and move with what they are there to hear."""

import math

import numpy as np
import pytest
import torch

from flowvae.contracts import Evidence
from flowvae_components.datasets.synthetic_percussion import SyntheticPercussion
from flowvae_components.metrics.aggregate_mismatch import AggregateMismatch
from flowvae_components.metrics.coverage import Coverage
from flowvae_components.metrics.discrepancy import discrepancy, spread, squared_distances
from flowvae_components.metrics.kernel_distance import KernelDistance
from flowvae_components.metrics.kernel_distance_ceiling import KernelDistanceCeiling
from flowvae_components.metrics.kernel_distance_floor import KernelDistanceFloor
from flowvae_components.metrics.neighbours import reached
from flowvae_components.metrics.precision import Precision
from flowvae_components.metrics.reconstruction_generation_gap import ReconstructionGenerationGap
from flowvae_components.spectra.mel_statistics import WINDOWS, MelStatistics

RATE = 44100
OF_SETS = (
    KernelDistance, KernelDistanceFloor, KernelDistanceCeiling, Precision, Coverage, ReconstructionGenerationGap
)  # fmt: skip


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def evidence(real, other, estimate=None):
    codes = torch.zeros(len(real), 2)
    return Evidence(
        real=real,
        estimate=real if estimate is None else estimate,
        generated=other,
        codes=codes,
        kl=codes[:, 0],
        trained=other,
    )


def test_the_discrepancy_is_that_of_a_double_loop():
    x, y = noise(7, 3).numpy(), 0.5 + noise(5, 3, seed=1).numpy()
    pairs = sorted(((x[i] - x[j]) ** 2).sum() for i in range(7) for j in range(i))
    gamma = 1 / pairs[(len(pairs) - 1) // 2]
    kernel = lambda a, b: math.exp(-gamma * ((a - b) ** 2).sum())  # noqa: E731
    expected = (
        np.mean([kernel(x[i], x[j]) for i in range(7) for j in range(7) if i != j])
        + np.mean([kernel(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
        - 2 * np.mean([kernel(a, b) for a in x for b in y])
    )
    assert discrepancy(torch.from_numpy(x), torch.from_numpy(y)).item() == pytest.approx(expected, abs=1e-12)


def test_the_discrepancy_has_no_bias():
    found = [discrepancy(noise(8, 2, seed=i), noise(8, 2, seed=1000 + i)).item() for i in range(400)]
    error = np.std(found) / math.sqrt(len(found))
    assert abs(np.mean(found)) < 3 * error
    assert min(found) < 0 < max(found)


def test_a_spread_is_never_less_than_about_a_quarter_of_the_usual_one():
    features = noise(1000, 5) * torch.tensor([2.0, 2.0, 2.0, 2.0, 0.0])
    found = spread(features, least=0.1)
    assert torch.allclose(found[:4], torch.full((4,), 2 * math.sqrt(1 + 1 / 16)).double(), rtol=0.1)
    assert found[4].item() == pytest.approx(0.5, rel=0.1)
    assert (spread(torch.ones(4, 3), least=0.1) == 0.1).all()


def test_mel_statistics_are_those_of_a_plain_loop():
    """Against NumPy's FFT, frame by frame, with torchaudio's filters."""
    from torchaudio.functional import melscale_fbanks

    audio = 0.3 * noise(2, 2, 3000)
    expected = []
    for n_fft, n_mels in WINDOWS:
        filters = melscale_fbanks(n_fft // 2 + 1, 0.0, RATE / 2, n_mels, RATE, "slaney", "slaney").numpy()
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
        padded = np.pad(audio.numpy(), ((0, 0), (0, 0), (n_fft // 2, n_fft // 2)))
        levels = []
        for start in range(0, padded.shape[2] - n_fft + 1, n_fft // 4):
            spectrum = np.fft.rfft(padded[:, :, start : start + n_fft] * window) / (n_fft / 4)
            power = (np.abs(spectrum) ** 2).mean(1) @ filters * RATE / n_fft
            levels.append(10 * np.log10(power + 1e-9))
        levels = np.stack(levels)
        expected += [levels.mean(0), levels.std(0), levels.max(0)]
    found = MelStatistics(RATE)(audio)
    assert found.shape == (2, 648)
    assert np.allclose(found.numpy(), np.concatenate(expected, axis=1), atol=1e-3)


@pytest.mark.filterwarnings("ignore:At least one mel filterbank")
def test_mel_statistics_do_not_hear_phase_delay_or_the_number_of_channels():
    sounds = torch.zeros(2, 1, 20000).double()
    sounds[..., 4096:8192] = noise(2, 1, 4096)
    of = MelStatistics(RATE)
    assert torch.allclose(of(sounds), of(-sounds), atol=1e-9)
    assert torch.allclose(of(sounds), of(sounds.roll(1024, 2)), atol=0.1)
    assert torch.allclose(of(sounds), of(sounds.expand(2, 2, -1)), atol=1e-9)
    assert (of(0 * sounds).view(2, -1)[:, :24] == -90).all()
    loud = of(1e-1 * sounds)[:, :24] - of(1e-2 * sounds)[:, :24]
    assert (loud <= 20 + 1e-9).all()


def test_who_is_reached_is_what_a_double_loop_finds():
    real, other = noise(9, 2).numpy(), 1.5 * noise(6, 2, seed=1).numpy()
    reach = [sorted(math.dist(a, b) for b in real)[5] for a in real]
    expected = [[math.dist(a, b) <= r for b in other] for a, r in zip(real, reach, strict=True)]
    found = reached(torch.from_numpy(real), torch.from_numpy(other))
    assert found.tolist() == expected
    assert found.any()
    assert not found.all()


@pytest.fixture(scope="module")
def drums():
    """64 real sounds and 64 others of the same kinds, a tenth of a second each."""
    source = SyntheticPercussion(22050, 1, 2205, n_sounds=128, seed=3)
    sounds = torch.stack([torch.from_numpy(np.asarray(one.audio)[:, :2205]) for one in source.read()])
    order = torch.randperm(len(sounds), generator=torch.Generator().manual_seed(0))
    return sounds[order]


def of_split(metric, sounds, damage=lambda x: x, seed=0):
    order = torch.randperm(len(sounds), generator=torch.Generator().manual_seed(seed))
    real, other = sounds[order[:64]], sounds[order[64:]]
    return metric(22050)(evidence(real, damage(other))).item()


@pytest.fixture(scope="module")
def clean(drums):
    """The mean and the deviation of the distance over splits of the same drums."""
    found = [of_split(KernelDistance, drums, seed=seed) for seed in range(5)]
    return np.mean(found), np.std(found)


def with_noise(sounds):
    level = sounds.square().mean(dim=2, keepdim=True).sqrt()
    return sounds + 0.1 * level * noise(*sounds.shape).float()


def low_passed(sounds):
    spectrum = torch.fft.rfft(sounds)
    spectrum[..., spectrum.shape[-1] * 4000 // 11025 :] = 0
    return torch.fft.irfft(spectrum, sounds.shape[-1])


DAMAGES = {
    "noise 20 dB below": with_noise,
    "nothing above 4 kHz": low_passed,
    "one sound repeated": lambda sounds: sounds[:1].expand_as(sounds),
    "silence": lambda sounds: 0 * sounds,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_the_kernel_distance_hears_damage_far_above_the_noise_of_splits(damage, drums, clean):
    mean, deviation = clean
    assert of_split(KernelDistance, drums, damage) > mean + 10 * deviation


def test_the_kernel_distance_of_one_kind_is_about_0_and_so_is_its_floor(drums, clean):
    mean, deviation = clean
    assert abs(mean) < 2 * deviation < 50
    assert of_split(KernelDistanceFloor, drums) == of_split(KernelDistance, drums)


def test_the_ceiling_lies_far_above_the_floor_and_is_the_same_each_time(drums, clean):
    mean, deviation = clean
    ceiling = of_split(KernelDistanceCeiling, drums)
    assert ceiling > mean + 10 * deviation
    assert ceiling == of_split(KernelDistanceCeiling, drums)


def test_the_noise_of_the_ceiling_has_the_level_of_each_sound():
    """Steady noise is at no distance from it, whatever the levels; less than none, for each has its twin there."""
    x = noise(32, 1, 3000).float() * torch.logspace(-2, 0, 32)[:, None, None]
    assert -100 < KernelDistanceCeiling(RATE)(evidence(x, x)).item() < 0


def test_precision_sees_quality_and_coverage_variety(drums):
    precision, coverage = of_split(Precision, drums), of_split(Coverage, drums)
    assert precision > 0.9
    assert coverage > 0.9
    one = DAMAGES["one sound repeated"]
    assert of_split(Precision, drums, one) == 1
    assert of_split(Coverage, drums, one) < 0.2
    assert of_split(Precision, drums, with_noise) < precision
    assert of_split(Coverage, drums, with_noise) < 0.5 * coverage
    assert of_split(Precision, drums, DAMAGES["silence"]) == 0


def test_the_gap_is_the_distance_of_samples_less_that_of_reconstructions(drums):
    real, copies, samples = drums[:40], with_noise(drums[:40]), low_passed(drums[40:80])
    gap = ReconstructionGenerationGap(22050)(evidence(real, samples, copies)).item()
    distance = KernelDistance(22050)
    of_samples, of_copies = distance(evidence(real, samples)), distance(evidence(real, copies))
    assert gap == pytest.approx((of_samples - of_copies).item(), rel=1e-5)
    assert ReconstructionGenerationGap(22050)(evidence(real, real, real)).item() == 0


@pytest.mark.parametrize("make", OF_SETS)
@pytest.mark.parametrize("kind", ["silence", "constant", "impulse", "huge", "odd"])
def test_figures_of_sets_are_finite_whatever_the_sounds(make, kind):
    time = torch.arange(1999)
    sound = {
        "silence": torch.zeros(1999),
        "constant": torch.ones(1999),
        "impulse": (time == 700).float(),
        "huge": 1e15 * torch.sin(time),
        "odd": torch.sin(time),
    }[kind]
    same, others = sound.expand(8, 1, -1), noise(8, 1, 1999, seed=2).float()
    for given in (evidence(same, others), evidence(others, same), evidence(same, same)):
        figure = make(RATE)(given)
        assert figure.dtype == torch.float32
        assert figure.isfinite()


@pytest.mark.parametrize("make", OF_SETS)
def test_one_sound_is_no_set(make):
    one = noise(1, 1, 500)
    assert make(RATE)(evidence(one, one)).isnan()


@pytest.mark.parametrize("make", [Precision, Coverage])
def test_five_real_sounds_have_no_fifth_neighbour(make):
    assert make(RATE)(evidence(noise(5, 1, 500), noise(9, 1, 500))).isnan()
    assert make(RATE)(evidence(noise(6, 1, 500), noise(9, 1, 500))).isfinite()


def latents(posterior, prior):
    x, kl = torch.zeros(len(posterior), 1, 8), torch.zeros(len(posterior))
    return Evidence(
        real=x, estimate=x, generated=x, codes=posterior, kl=kl, latents=posterior, prior_latents=prior
    )


def test_a_prior_that_is_the_aggregate_has_no_mismatch_and_a_hole_has():
    metric = AggregateMismatch()
    same = [metric(latents(noise(64, 4, seed=i), noise(64, 4, seed=100 + i))).item() for i in range(10)]
    assert abs(np.mean(same)) < 20
    ring = noise(64, 4)
    ring = 3 * ring / ring.norm(dim=1, keepdim=True)
    for wrong in (ring, noise(64, 4) + 2, 0.2 * noise(64, 4)):
        assert metric(latents(wrong, noise(64, 4, seed=9))).item() > 10 * np.std(same)


def test_the_mismatch_does_not_depend_on_units_of_the_latent_space():
    posterior, prior, units = noise(64, 4) + 1, noise(64, 4, seed=1), torch.tensor([0.1, 1.0, 30.0, 5.0])
    one = AggregateMismatch()(latents(posterior, prior)).item()
    # Not exactly: the spread that a dimension counts in at least is a quarter of the median one.
    other = AggregateMismatch()(latents(5 * posterior, 5 * prior)).item()
    assert other == pytest.approx(one, rel=1e-9)
    assert AggregateMismatch()(latents(posterior * units, prior * units)).item() > one / 2


def test_equal_vectors_are_no_hair_apart():
    x = 1000 + noise(40, 8)
    assert not squared_distances(x, x.clone()).diagonal().any()


def test_the_ceiling_is_noise_as_loud_as_each_channel_by_itself():
    real = 0.1 * noise(8, 2, 2000) * torch.tensor([1.0, 0.0])[:, None]
    left = torch.randn(real.shape, generator=torch.Generator().manual_seed(0))[:, :1].to(real)
    left = left * real[:, :1].square().mean(-1, keepdim=True).sqrt()
    expected = KernelDistance(RATE)(evidence(real, torch.cat((left, 0 * left), dim=1))).item()
    assert KernelDistanceCeiling(RATE)(evidence(real, real)).item() == pytest.approx(expected, rel=1e-9)


def test_the_mismatch_is_in_units_of_the_spread_of_the_prior():
    prior, posterior = noise(64, 2), noise(64, 2, seed=1) * torch.tensor([0.02, 3.0])
    deviation = prior.std(dim=0, correction=0)
    scale = (deviation**2 + (0.25 * deviation.min()) ** 2).sqrt()  # of two, the lower one is torch's median
    expected = 1000 * discrepancy(prior / scale, posterior / scale).item()
    assert AggregateMismatch()(latents(posterior, prior)).item() == pytest.approx(expected, rel=1e-9)


def test_latents_of_one_point_and_of_one_sound_give_what_is_said():
    point = torch.zeros(8, 3)
    assert AggregateMismatch()(latents(point, point)).item() == 0
    assert AggregateMismatch()(latents(point + 1, point)).item() > 500
    assert AggregateMismatch()(latents(point[:1], point[:1])).isnan()
