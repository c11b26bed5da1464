"""Loudness beside another program that measures it."""

import numpy as np
import pytest
import torch
from torchaudio.functional import loudness as by_torchaudio

from flowvae.report.loudness import Level, loudness


def bursts(rate, channels):
    """Four seconds of hits of several heights in coloured noise: both gates have something to leave out."""
    rng = np.random.default_rng(channels)
    t = np.arange(4 * rate) / rate
    envelope = np.exp(-4 * (t % 1.0)) * (0.2 + 0.2 * np.floor(t))
    hits = np.sin(2 * np.pi * 180 * t)[:, None] + 0.3 * rng.standard_normal((len(t), channels))
    return 0.4 * envelope[:, None] * hits * (t % 2 < 1.2)[:, None]


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_long_sounds_agree_with_torchaudio(rate, channels):
    audio = bursts(rate, channels)
    assert loudness(audio, rate) == pytest.approx(float(by_torchaudio(torch.tensor(audio.T), rate)), abs=0.1)


def test_a_short_sound_is_one_block_and_silence_after_it_is_not_counted_in():
    short = bursts(44_100, 1)[:4410]
    assert loudness(short, 44_100) > loudness(np.pad(short, ((0, 44_100), (0, 0))), 44_100) + 3
    assert loudness(short[:1], 44_100) < 0


def test_twice_as_high_is_six_lu_louder_and_silence_is_endlessly_quiet():
    audio = bursts(44_100, 2)
    assert loudness(audio, 44_100) - loudness(audio / 2, 44_100) == pytest.approx(6.02, abs=0.01)
    assert loudness(0 * audio, 44_100) == -np.inf


def test_no_level_lifts_a_sound():
    assert Level(-20.0).gain_for(-25.0).factor == 1.0
    assert Level(-20.0).gain_for(-14.0).db == pytest.approx(-6.0)
