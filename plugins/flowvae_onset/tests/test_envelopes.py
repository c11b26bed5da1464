import numpy as np
import pytest
import torch
from flowvae.testing import checks

from flowvae_onset.checks import CHECKS
from flowvae_onset.envelope_loss import EnvelopeLoss
from flowvae_onset.envelopes.peak import Peak
from flowvae_onset.envelopes.rms import RMS

RATE = 44100


def sine(cycles, amplitude=1.0, n=RATE):
    time = torch.arange(n, dtype=torch.float64) / RATE
    return amplitude * torch.sin(2 * torch.pi * cycles * time)[None, None]


@pytest.mark.parametrize("make", [RMS, Peak])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_contract_of_envelopes_is_kept(make, check):
    check(make)


@pytest.mark.parametrize("make", [RMS, Peak])
@pytest.mark.parametrize("check", checks("loss"), ids=lambda check: check.__name__)
def test_the_contract_of_losses_is_kept_with_either_envelope(make, check):
    check(lambda sample_rate, stft: EnvelopeLoss(sample_rate, envelope=make))


def test_rms_of_a_sine_is_its_amplitude_by_the_root_of_2():
    # 10 ms hold ten whole periods of 1 kHz.
    envelope = RMS(RATE, window_ms=10.0)(sine(1000, 0.4))[0, :-5]
    assert envelope.numpy() == pytest.approx(0.4 / np.sqrt(2), rel=1e-3)


def test_peak_of_a_sine_is_its_amplitude():
    assert Peak(RATE, window_ms=10.0)(sine(1000, 0.4))[0, :-5].numpy() == pytest.approx(0.4, rel=1e-3)


def test_rms_agrees_with_the_definition_frame_by_frame():
    audio = torch.randn(1, 2, 100, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    envelope = RMS(1000, window_ms=8.0, hop_ms=5.0)(audio)[0]
    expected = [np.sqrt(np.mean(audio[0, :, i : i + 8].numpy() ** 2)) for i in range(0, 100 - 3, 5)]
    assert len(envelope) == len(expected)
    assert np.allclose(envelope, expected, atol=2e-5)


def test_a_gain_costs_the_square_of_its_decibels():
    x = torch.full((1, 1, 4096), 0.1, dtype=torch.float64)
    loss = EnvelopeLoss(RATE, floor=1e-9, envelope=RMS)
    assert float(loss(x, 2 * x)) == pytest.approx((20 * np.log10(2)) ** 2, abs=1e-2)


def test_phase_and_polarity_cost_nothing():
    loss = EnvelopeLoss(RATE, envelope=RMS)
    x = torch.randn(1, 1, 4096)
    assert float(loss(x, -x)) == 0.0


def test_what_is_below_the_floor_costs_little():
    loss = EnvelopeLoss(RATE, floor=1e-3, envelope=Peak)
    silence = torch.zeros(1, 1, 4096)
    assert float(loss(silence, silence + 1e-5)) == pytest.approx((20 * np.log10(1.01)) ** 2, rel=1e-2)


@pytest.mark.parametrize("make", [RMS, Peak])
@pytest.mark.parametrize("name", ["window_ms", "hop_ms"])
def test_durations_must_be_above_0(make, name):
    with pytest.raises(ValueError, match=f"^{name} must be above 0"):
        make(RATE, **{name: 0.0})


def test_the_floor_must_be_above_0():
    with pytest.raises(ValueError, match=r"^floor must be above 0"):
        EnvelopeLoss(RATE, floor=0.0, envelope=RMS)
