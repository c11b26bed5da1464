"""What a model makes of silence: its level, and its strongest tone, of built answers."""

import math

import pytest
import torch

from flowvae.contracts import Evidence
from flowvae.testing import metric as conformance
from flowvae_components.metrics.silence_level import SilenceLevel
from flowvae_components.metrics.silence_tone import SilenceTone

RATE, LENGTH = 44100, 16384
METRICS = {
    "silence_level": lambda sample_rate, periods: SilenceLevel(),
    "silence_tone": lambda sample_rate, periods: SilenceTone(sample_rate),
}


def answer(silence):
    """An evaluation that holds an answer to silence and nothing else that is read."""
    nothing = torch.zeros(0)
    return Evidence(
        real=nothing, estimate=nothing, generated=nothing, codes=nothing, kl=nothing, silence=silence
    )


def level(silence):
    return SilenceLevel()(answer(silence)).item()


def tone(silence):
    return SilenceTone(RATE)(answer(silence)).item()


def sine(hz, amplitude, length=LENGTH):
    return amplitude * torch.sin(2 * math.pi * hz / RATE * torch.arange(length).double())[None, None]


def noise(rms, length=LENGTH):
    return rms * torch.randn(1, 1, length, generator=torch.Generator().manual_seed(0)).double()


@pytest.mark.parametrize("make", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_metrics_of_silence_do_what_a_metric_must(make, check):
    check(make)


@pytest.mark.parametrize("amplitude", [1.0, 0.1, 1e-3])
def test_a_sine_has_its_amplitude_as_a_tone_and_3_db_less_as_a_level(amplitude):
    on_a_line = sine(RATE * 1024 / LENGTH, amplitude)
    assert tone(on_a_line) == pytest.approx(20 * math.log10(amplitude), abs=1e-6)
    assert level(on_a_line) == pytest.approx(20 * math.log10(amplitude) - 3.0103, abs=1e-3)
    between = tone(sine(RATE * 1024.5 / LENGTH, amplitude))
    assert between == pytest.approx(20 * math.log10(amplitude) - 1.42, abs=0.01)


def test_the_strongest_of_several_tones_counts_and_noise_hides_none():
    quiet, loud = sine(5512.5, 0.003), sine(2756.25, 0.01)
    assert tone(quiet + loud + noise(0.003)) == pytest.approx(-40, abs=0.5)


def test_noise_is_loud_and_has_next_to_no_tone_the_less_the_longer_it_is():
    assert level(noise(0.01)) == pytest.approx(-40, abs=0.1)
    assert tone(noise(0.01)) < -60
    assert tone(noise(0.01, 4 * LENGTH)) < tone(noise(0.01)) - 4


@pytest.mark.parametrize("length", [LENGTH, 700])
def test_an_offset_and_what_is_slower_than_20_hz_are_no_tones(length):
    assert tone(torch.full((1, 1, length), 0.5).double()) < -115
    assert tone(sine(6, 0.5)) < -60
    assert level(torch.full((1, 1, length), 0.5)) == pytest.approx(-6.02, abs=0.01)


def test_a_tone_in_one_of_two_channels_is_as_loud_as_it_is_there():
    one = sine(2756.25, 0.01)
    assert tone(torch.cat([one, 0 * one], dim=1)) == pytest.approx(tone(one))


@pytest.mark.parametrize("length", [1, 2, 3, LENGTH])
def test_an_exact_silence_is_told_as_the_limit(length):
    silence = torch.zeros(1, 2, length)
    assert level(silence) == pytest.approx(-120)
    assert tone(silence) == pytest.approx(-120)
    assert SilenceLevel.limits == SilenceTone.limits == (-120.0, None)
