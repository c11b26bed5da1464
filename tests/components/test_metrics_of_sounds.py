"""Onsets, tails, bands and envelopes: built sounds whose figure is known."""

import math

import pytest
import scipy.signal
import torch

from flowvae.contracts import Evidence
from flowvae_components.metrics.envelope_ripple import EnvelopeRipple
from flowvae_components.metrics.faintest_sample import FaintestSample
from flowvae_components.metrics.high_band_ratio import HighBandRatio
from flowvae_components.metrics.level_error import LevelError
from flowvae_components.metrics.log_spectral_distance import LogSpectralDistance
from flowvae_components.metrics.onset_error import OnsetError
from flowvae_components.metrics.tail_click import TailClick

RATE = 44100
METRICS = {
    "onset_error": lambda: OnsetError(RATE),
    "tail_click": lambda: TailClick(RATE),
    "high_band_ratio": lambda: HighBandRatio(RATE),
    "envelope_ripple": lambda: EnvelopeRipple((32, 512)),
    "level_error": LevelError,
}


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def evidence(real, estimate):
    codes = torch.zeros(len(real), 2)
    return Evidence(real=real, estimate=estimate, generated=estimate, codes=codes, kl=codes[:, 0])


def impulses(*places, length=8000):
    x = torch.zeros(1, 1, length).double()
    x[..., list(places)] = 0.5
    return x


def sine(hz, length=8000, level=0.5):
    return level * torch.sin(2 * math.pi * hz / RATE * torch.arange(length).double())[None, None]


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("kind", ["silence", "constant", "impulse", "huge", "one", "odd", "short"])
def test_figures_are_finite_whatever_the_sounds(name, kind):
    x = {
        "silence": torch.zeros(2, 2, 4096),
        "constant": torch.ones(2, 2, 4096),
        "impulse": impulses(700).float().expand(2, 2, -1),
        "huge": 1e15 * noise(2, 2, 4096).float(),
        "one": noise(1, 1, 4096).float(),
        "odd": noise(2, 2, 4097).float(),
        "short": noise(2, 1, 3).float(),
    }[kind]
    y = noise(*x.shape, seed=1).float()
    for real, estimate in ((x, x), (x, y), (y, x), (x, 0 * x), (0 * x, x)):
        figure = METRICS[name]()(evidence(real, estimate))
        assert figure.shape == (len(x),)
        assert figure.isfinite().all()


@pytest.mark.parametrize("name", METRICS)
def test_equal_sounds_and_silences_give_0(name):
    x = noise(3, 2, 6000)
    assert (METRICS[name]()(evidence(x, x)) == 0).all()
    assert (METRICS[name]()(evidence(0 * x, 0 * x)) == 0).all()


def test_onsets_elsewhere_are_the_error_and_their_share_is_its_size():
    error = lambda x, y: OnsetError(RATE)(evidence(x, y)).item()  # noqa: E731
    assert error(impulses(1000), impulses(4000)) == pytest.approx(1)
    assert error(impulses(1000, 4000), impulses(1000)) == pytest.approx(0.5, abs=0.02)
    assert error(impulses(1000, 3000, 5000, 7000), impulses(1000, 3000, 5000)) == pytest.approx(
        0.25, abs=0.02
    )
    assert error(impulses(1000), 0 * impulses(1000)) == error(0 * impulses(1000), impulses(1000)) == 1


def test_onset_error_does_not_hear_level_and_grows_with_the_delay():
    hit = noise(1, 1, 8000) * torch.exp(-torch.arange(8000) / 800) * (torch.arange(8000) >= 1000)
    assert OnsetError(RATE)(evidence(hit, 0.01 * hit)).item() == pytest.approx(0, abs=1e-9)
    late = [OnsetError(RATE)(evidence(hit, hit.roll(delay, 2))).item() for delay in (0, 40, 110, 220, 441)]
    assert late == sorted(set(late))
    assert late[-1] > 0.5


def test_the_first_sample_can_be_an_onset():
    assert OnsetError(RATE)(evidence(impulses(0), impulses(4000))).item() > 0.9


def test_onset_strength_is_the_spectral_flux_of_scipy():
    x = noise(1, 1, 4410).numpy()
    n_fft = OnsetError(RATE).n_fft
    transform = scipy.signal.ShortTimeFFT(
        scipy.signal.windows.hann(n_fft, sym=False), hop=n_fft // 4, fs=1, scale_to=None
    )
    # As torch centres frames: the first lies around the first sample, and the ends are filled up with silence.
    magnitude = abs(transform.stft(x[0, 0], p0=0, p1=1 + 4410 // (n_fft // 4)))
    flux = [
        sum(max(0.0, now - before) for now, before in zip(column, last, strict=True))
        for column, last in zip(magnitude.T, [0 * magnitude.T[0], *magnitude.T[:-1]], strict=True)
    ]
    expected = torch.tensor(flux) / sum(flux)
    assert torch.allclose(OnsetError(RATE)._curve(torch.from_numpy(x))[0], expected, atol=1e-9)


def test_a_cut_tail_is_a_step_to_silence():
    silent = torch.zeros(1, 1, 8000).double()
    for level in (0.01, 0.1, 1.0):
        figure = TailClick(RATE)(evidence(silent, silent + level)).item()
        assert figure == pytest.approx(20 * math.log10((level + 1e-4) / 1e-4))


def test_a_click_in_the_tail_counts_and_one_before_it_does_not():
    quiet = 0.01 * noise(1, 1, 8000) * torch.exp(-torch.arange(8000) / 1000.0)
    click = lambda place: quiet + impulses(place)  # noqa: E731
    assert TailClick(RATE)(evidence(quiet, click(7900))).item() > 60
    assert TailClick(RATE)(evidence(quiet, click(8000 - 882 - 2))).item() == 0
    assert TailClick(RATE, tail_ms=25.0)(evidence(quiet, click(8000 - 882 - 2))).item() > 60
    assert TailClick(RATE)(evidence(click(7900), click(7950))).item() < 0.1
    assert TailClick(RATE)(evidence(click(7900), quiet)).item() == 0


def test_a_slow_fade_has_no_click():
    fade = sine(100, 8000, 0.1) * torch.linspace(1, 0, 8000)
    assert TailClick(RATE)(evidence(fade, 0.9 * fade)).item() == 0


@pytest.mark.parametrize("length", [8000, 7999])
def test_the_high_band_is_what_a_sine_above_the_cutoff_adds(length):
    low, high = sine(1000, length), 10 * sine(9000, length)
    ratio = HighBandRatio(RATE)(evidence(low + high, low + 0.5 * high)).item()
    assert ratio == pytest.approx(20 * math.log10(0.5), abs=0.01)
    assert HighBandRatio(RATE)(evidence(low + 0.5 * high, low + high)).item() == pytest.approx(-ratio)
    assert abs(HighBandRatio(RATE, cutoff_hz=500.0)(evidence(10 * low, 20 * low)).item() - 6.02) < 0.01


@pytest.mark.parametrize("length", [500, 501])
def test_energy_of_all_bands_is_the_power_of_the_sound(length):
    x = noise(2, 2, length)
    power = HighBandRatio(RATE, cutoff_hz=1e-9)._energy(x)
    expected = (x - x.mean(dim=2, keepdim=True)).square().mean(dim=(1, 2))
    assert torch.allclose(power, expected)


def test_a_silent_high_band_is_told_from_the_floor():
    x = sine(10000)
    found = HighBandRatio(RATE)(evidence(0 * x, x)).item()
    assert found == pytest.approx(10 * math.log10((0.125 + 1e-8) / 1e-8), abs=0.1)


def trembling(x, period, depth):
    return x * (1 + depth * torch.cos(2 * math.pi * torch.arange(x.shape[-1]).double() / period))


@pytest.mark.parametrize("period", [64, 256, 512])
@pytest.mark.parametrize("depth", [0.05, 0.2])
def test_the_depth_of_a_ripple_is_found(period, depth):
    steady = torch.ones(1, 1, 16384).double()
    expected = 20 * math.log10((math.sin(math.pi / 4) / (math.pi / 4) * depth + 0.01) / 0.01)
    figure = EnvelopeRipple((period,))(evidence(steady, trembling(steady, period, depth))).item()
    assert figure == pytest.approx(expected, abs=0.1)


def test_a_ripple_is_found_in_a_sound_that_decays():
    decaying = noise(4, 1, 16384) * torch.exp(-torch.arange(16384) / 6000.0)
    figures = EnvelopeRipple((512,))(evidence(decaying, trembling(decaying, 512, 0.5)))
    assert (figures > 10).all()


def test_a_ripple_at_another_rate_or_in_both_sounds_is_no_excess():
    steady = torch.ones(1, 1, 16384).double()
    ripple = trembling(steady, 512, 0.2)
    assert EnvelopeRipple((512,))(evidence(steady, trembling(steady, 380, 0.2))).item() < 5
    assert EnvelopeRipple((512,))(evidence(ripple, 0.3 * ripple)).item() == pytest.approx(0, abs=1e-3)
    assert EnvelopeRipple((512,))(evidence(ripple, steady)).item() == 0


def test_level_and_another_noise_are_no_ripple():
    x, y = noise(8, 1, 16384), noise(8, 1, 16384, seed=1)
    assert EnvelopeRipple((512,))(evidence(x, 0.1 * y)).median() < 8


def test_what_trembles_where_the_sound_is_not_steady_does_not_count():
    """The attack, the silence around a hit, and what lies 40 dB below it."""
    time = torch.arange(16384)
    x = torch.where(time < 4096, 0.0, torch.where(time < 12000, 1.0, 0.001)).double()[None, None]
    y = torch.where((time < 4096 - 600) | (time > 12000 + 600), trembling(x + 0.001, 256, 0.5), x)
    assert EnvelopeRipple((256,))(evidence(x, y)).item() == 0
    rising = torch.exp((torch.arange(16384).double() - 16384) / 500)[None, None]  # 4 dB in a period
    assert EnvelopeRipple((256,))(evidence(rising, trembling(rising, 256, 0.5))).item() == 0


@pytest.mark.parametrize("periods", [(), (2, 8, 31), (4000,)])
def test_rates_that_are_tones_or_too_slow_for_the_clip_are_left_out(periods):
    x = torch.ones(2, 1, 16384).double()
    y = trembling(x, max(periods, default=64), 0.5)
    assert (EnvelopeRipple(periods)(evidence(x, y)) == 0).all()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: OnsetError(RATE, window_ms=0.0), "window_ms"),
        (lambda: TailClick(RATE, tail_ms=0.0), "tail_ms"),
        (lambda: HighBandRatio(RATE, cutoff_hz=0.0), "cutoff_hz"),
        (lambda: HighBandRatio(8000, cutoff_hz=4000.0), "cutoff_hz"),
    ],
)
def test_values_without_meaning_are_refused_by_name(make, name):
    with pytest.raises(ValueError, match=f"^{name} must"):
        make()


def test_the_log_spectral_distance_of_a_gain_is_the_gain_in_decibels_and_its_floor_is_what_silence_costs():
    x = torch.randn(2, 1, 8192, generator=torch.Generator().manual_seed(0))
    codes = torch.zeros(2, 2)
    of = lambda y, **keys: LogSpectralDistance(**keys)(  # noqa: E731 - one line, used four times
        Evidence(real=x, estimate=y, generated=x, codes=codes, kl=codes[:, 0])
    )
    assert torch.allclose(of(0.5 * x), torch.full((2,), 6.02), atol=0.05)
    assert not of(x).any()
    high, low = of(0 * x, floor=1e-5).mean(), of(0 * x, floor=1e-3).mean()
    assert 35 < high - low < 41
    frames = [
        20 * torch.stft(a[0, 0], 2048, 512, window=torch.hann_window(2048), pad_mode="constant", return_complex=True).abs().log10()
        for a in (x, x.flip(-1))
    ]  # fmt: skip
    by_hand = (frames[0] - frames[1]).square().mean(0).sqrt().mean()
    assert float(of(x.flip(-1))[0]) == pytest.approx(float(by_hand), rel=1e-3)


def test_too_loud_and_too_faint_do_not_cancel():
    x = noise(1, 2, 4000).expand(4, -1, -1)
    gain = 10 ** (torch.tensor([6.0, -6.0, 0.0, -20.0]) / 20)
    figure = LevelError()(evidence(x, gain[:, None, None] * x))
    assert figure == pytest.approx([6, 6, 0, 20], abs=1e-3)


def test_the_level_of_a_clip_is_heard_wherever_its_energy_lies():
    early, late = impulses(100), impulses(7000)
    assert LevelError()(evidence(early, late)).item() == pytest.approx(0, abs=1e-9)


def test_silence_in_place_of_a_sound_and_the_reverse_are_as_far_off():
    x = 0.1 * noise(1, 1, 4000)
    assert LevelError()(evidence(x, 0 * x)).item() == LevelError()(evidence(0 * x, x)).item() > 50


def test_the_faintest_sample_is_seen_beside_the_median_of_the_sounds():
    x = noise(1, 1, 4000).expand(5, -1, -1)
    levels = 10 ** (torch.tensor([0.0, -6.0, -15.0, -40.0, 20.0]) / 20)[:, None, None]
    heard = Evidence(
        real=levels * x, estimate=x, generated=levels[:4] * x[:4], codes=x[:, 0, :2], kl=x[:, 0, 0]
    )
    assert FaintestSample()(heard).item() == pytest.approx(34, abs=1e-3)


def test_a_set_of_faint_sounds_has_a_median_of_its_own():
    x = 1e-2 * noise(1, 1, 4000).expand(5, -1, -1)
    assert FaintestSample()(evidence(x, x)).item() == pytest.approx(0, abs=1e-3)
