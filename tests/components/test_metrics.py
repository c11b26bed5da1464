"""Metrics find what they were made to find, and stay finite where there is nothing."""

import math

import pytest
import torch

from flowvae.contracts import Evidence
from flowvae.testing import metric as conformance
from flowvae_components.metrics.active_units import ActiveUnits
from flowvae_components.metrics.attack_error import AttackError
from flowvae_components.metrics.kl_nats import KLNats
from flowvae_components.metrics.si_sdr import SISDR
from flowvae_components.metrics.spectral_distance import SpectralDistance
from flowvae_components.metrics.tonal_artefact import TonalArtefact

RATE = 44100
METRICS = {
    "spectral_distance": lambda sample_rate, periods: SpectralDistance(),
    "si_sdr": lambda sample_rate, periods: SISDR(),
    "attack_error": lambda sample_rate, periods: AttackError(sample_rate),
    "tonal_artefact": lambda sample_rate, periods: TonalArtefact(periods),
    "kl_nats": lambda sample_rate, periods: KLNats(),
    "active_units": lambda sample_rate, periods: ActiveUnits(),
}


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def evidence(real, estimate, codes=None):
    codes = torch.zeros(len(real), 2) if codes is None else codes
    return Evidence(real=real, estimate=estimate, generated=estimate, codes=codes, kl=torch.zeros(len(real)))


@pytest.mark.parametrize("make", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_metrics_do_what_a_metric_must(make, check):
    check(make)


def test_twice_the_amplitude_is_6_db_away():
    x = 100 * noise(2, 2, 6000)
    distance = SpectralDistance(floor=1e-9)(evidence(x, 2 * x))
    assert torch.allclose(distance, torch.full((2,), 20 * math.log10(2)).double(), atol=1e-6)


def test_equal_sounds_are_no_distance_apart_and_more_noise_is_farther():
    x = 0.1 * noise(1, 1, 6000)
    distances = [
        SpectralDistance()(evidence(x, x + level * noise(1, 1, 6000, seed=1))).item()
        for level in (0, 1e-3, 1e-2, 1e-1)
    ]
    assert distances[0] == 0
    assert distances == sorted(set(distances))


def test_spectral_distance_takes_sounds_shorter_than_its_windows():
    assert SpectralDistance()(evidence(noise(2, 1, 100), noise(2, 1, 100, seed=1))).isfinite().all()


def test_spectral_distance_does_not_depend_on_its_chunks():
    x, y = noise(70, 1, 300), noise(70, 1, 300, seed=1)
    whole, last = SpectralDistance()(evidence(x, y)), SpectralDistance()(evidence(x[65:], y[65:]))
    assert whole.shape == (70,)
    assert torch.allclose(whole[65:], last, rtol=1e-9)


def test_si_sdr_of_orthogonal_noise_is_the_ratio_of_the_powers():
    x, w = noise(1, 1, 5000), noise(1, 1, 5000, seed=1)
    w = w - (w * x).sum() / x.square().sum() * x
    w = 0.1 * w * x.norm() / w.norm()
    assert SISDR()(evidence(x, x + w)).item() == pytest.approx(20.0, abs=1e-6)


def test_si_sdr_does_not_hear_gain_but_hears_polarity_as_gain():
    x, y = noise(3, 2, 1000), noise(3, 2, 1000, seed=1) + noise(3, 2, 1000)
    for gain in (0.01, -1.0, 50.0):
        assert torch.allclose(SISDR()(evidence(x, y)), SISDR()(evidence(x, gain * y)), atol=1e-9)


def test_si_sdr_is_at_its_ends_for_equal_and_for_silent_sounds():
    x, silence = noise(1, 1, 1000), torch.zeros(1, 1, 1000).double()
    assert SISDR()(evidence(x, x)).item() == 100
    for pair in ((x, silence), (silence, x), (silence, silence)):
        assert SISDR()(evidence(*pair)).item() == -30


def hit(start=1000, rise_ms=0.0, length=8000):
    time = (torch.arange(length) - start).double() / RATE
    rise = (time / (rise_ms / 1000)).clamp(0, 1) if rise_ms else torch.ones_like(time)
    return (0.5 * noise(1, 1, length) * torch.exp(-time * 20) * rise) * (time >= 0)


def test_softer_attacks_have_more_error():
    real = hit()
    errors = [AttackError(RATE)(evidence(real, hit(rise_ms=rise))).item() for rise in (0, 1, 2, 5, 20)]
    assert errors[0] == 0
    assert errors == sorted(set(errors))
    assert errors[3] > 0.1


def test_attack_error_counts_silence_as_one_and_a_doubled_hit_as_one():
    real = hit()
    assert AttackError(RATE)(evidence(real, 0 * real)).item() == pytest.approx(1, abs=1e-6)
    assert AttackError(RATE)(evidence(real, 2 * real)).item() == pytest.approx(1, abs=1e-6)


def test_attack_error_ends_20_ms_after_the_onset_of_the_real_sound():
    real, window = hit(), round(0.001 * RATE) + 1
    end = 1000 + round(0.020 * RATE)
    late = real.clone()
    late[..., end + window :] = 0
    early = real.clone()
    early[..., end - window :] = 0
    assert AttackError(RATE)(evidence(real, late)).item() == 0
    assert AttackError(RATE)(evidence(real, early)).item() > 0


def test_attack_at_the_very_end_of_the_clip_is_measured():
    real = hit(start=7900)
    assert AttackError(RATE)(evidence(real, 0 * real)).item() == pytest.approx(1, abs=1e-4)


def test_an_onset_is_not_hidden_by_quiet_noise_before_it():
    real, loud_noise = hit(), 1e-3 * noise(1, 1, 8000, seed=3)
    clean = AttackError(RATE)(evidence(real, hit(rise_ms=5))).item()
    noisy = AttackError(RATE)(evidence(real + loud_noise, hit(rise_ms=5))).item()
    assert noisy == pytest.approx(clean, abs=0.02)


def decaying(n_sounds=24, length=16384):
    return noise(n_sounds, 1, length) * torch.exp(-torch.arange(length) / 3000.0)


def tones(period, level, length=16384):
    time = torch.arange(length).double()
    return level * sum(torch.cos(2 * torch.pi * k * time / period) for k in range(1, (period + 1) // 2))


@pytest.mark.parametrize("period", [8, 40, 320])
def test_tones_of_a_period_are_found_and_louder_ones_stand_higher(period):
    sounds = decaying()
    figures = [
        TonalArtefact((period,))(evidence(sounds, sounds + tones(period, level))).mean().item()
        for level in (0, 3e-3, 3e-2)
    ]
    assert figures[0] < 2
    assert figures[1] > figures[0] + 10
    assert figures[2] == pytest.approx(figures[1] + 20, abs=4)


def test_tones_between_the_lines_are_not_taken_for_lines():
    sounds = decaying()
    other = 1e-2 * torch.cos(2 * torch.pi * torch.arange(16384).double() * 0.1903)
    figures = TonalArtefact((8,))(evidence(sounds, sounds + other))
    assert figures.mean() < 2


def test_a_notch_is_no_artefact():
    sounds = noise(8, 1, 16384)
    spectrum = torch.fft.rfft(sounds)
    spectrum[..., ::2048] = 0
    spectrum[..., 1::2048] *= 0.01
    spectrum[..., 2047::2048] *= 0.01
    assert (TonalArtefact((8,), tail=1.0)(evidence(sounds, torch.fft.irfft(spectrum))) == 0).all()


def test_tones_before_the_tail_do_not_count():
    sounds = decaying()
    early = tones(8, 0.1) * (torch.arange(16384) < 10000)
    assert torch.equal(
        TonalArtefact((8,))(evidence(sounds, sounds + early)), TonalArtefact((8,))(evidence(sounds, sounds))
    )


def test_a_fresh_transposed_convolution_is_caught():
    """Random taps, stride 8, on noise with a mean: the case that the metric was made for."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = torch.nn.ConvTranspose1d(8, 1, 16, stride=8, padding=4)
        with torch.no_grad():
            sounds = layer(torch.randn(16, 8, 2048) + 1).double()
    assert TonalArtefact((8,))(evidence(sounds, sounds)).mean() > 15


@pytest.mark.parametrize("periods", [(), (2,), (1,), (100000,)])
def test_periods_without_a_line_in_reach_give_zero(periods):
    assert (TonalArtefact(periods)(evidence(decaying(2), decaying(2))) == 0).all()


def test_units_are_active_where_the_codes_vary():
    codes = torch.stack((torch.zeros(50), torch.linspace(-1, 1, 50), torch.linspace(-0.1, 0.1, 50)), dim=1)
    assert ActiveUnits()(evidence(torch.zeros(50, 1, 4), torch.zeros(50, 1, 4), codes)).item() == 1
    assert (
        ActiveUnits(threshold=1e-3)(evidence(torch.zeros(50, 1, 4), torch.zeros(50, 1, 4), codes)).item() == 2
    )


def test_one_sound_has_no_active_unit():
    assert ActiveUnits()(evidence(torch.zeros(1, 1, 4), torch.zeros(1, 1, 4), torch.ones(1, 3))).item() == 0


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: SpectralDistance(n_ffts=()), "n_ffts"),
        (lambda: SpectralDistance(floor=0.0), "floor"),
        (lambda: AttackError(RATE, duration_ms=0.0), "duration_ms"),
        (lambda: TonalArtefact((8,), tail=0.0), "tail"),
        (lambda: ActiveUnits(threshold=0.0), "threshold"),
    ],
)
def test_values_without_meaning_are_refused_by_name(make, name):
    with pytest.raises(ValueError, match=f"^{name} must"):
        make()
