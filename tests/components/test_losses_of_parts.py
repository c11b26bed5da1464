"""Losses that hear a part for itself: what two channels share, one band, the beginning."""

import math

import numpy as np
import pytest
import torch
from scipy import signal

from flowvae.building.parts import Parts
from flowvae.contracts import Refused
from flowvae.errors import RecipeError
from flowvae.probe.probe import probe
from flowvae.recipe import read_recipe, resolve
from flowvae.testing.loss import plain_stft
from flowvae_components.bands.pqmf import PQMF
from flowvae_components.losses.mid_side_stft import MidSideSTFT
from flowvae_components.losses.multi_resolution_stft import MultiResolutionSTFT
from flowvae_components.losses.onset_weighted import OnsetWeighted
from flowvae_components.losses.subband_stft import SubbandSTFT

RATE, FLOOR, QUIET = 44100, 1e-4, 1e-3


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def magnitudes(audio, n_fft):
    """Of one channel, (f, n), by NumPy."""
    padded = np.pad(audio, n_fft // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[:: n_fft // 4]
    spectra = np.fft.rfft(frames * signal.get_window("hann", n_fft)).T
    return np.sqrt(np.abs(spectra * 4 / n_fft) ** 2 + FLOOR**2)


def size(x):
    return np.sqrt((x**2 + QUIET**2).sum())


def apart(x, y, relative_to):
    return np.linalg.norm(y - x) / relative_to + np.abs(np.log(y / x)).mean()


@pytest.mark.parametrize("left_right", [0.0, 0.5, 1.0])
def test_mid_and_side_follow_their_formula(left_right):
    target, estimate = 0.1 * noise(1, 2, 4096), 0.1 * noise(1, 2, 4096, seed=1)
    target[:, 1] = 0.9 * target[:, 0] + 0.1 * target[:, 1]  # a narrow image: mid far above side
    (one, two), (three, four) = target[0].numpy(), estimate[0].numpy()
    total = 0.0
    for n_fft in (1024, 256):
        mid, side, left, right = (magnitudes(a, n_fft) for a in ((one + two) / 2, (one - two) / 2, one, two))
        others = [magnitudes(a, n_fft) for a in ((three + four) / 2, (three - four) / 2, three, four)]
        louder = max(size(mid), size(side))
        between = apart(mid, others[0], louder) + apart(side, others[1], louder)
        alone = apart(left, others[2], size(left)) + apart(right, others[3], size(right))
        total += (between + left_right * alone) / (1 + 2 * left_right)
    loss = MidSideSTFT(plain_stft, n_ffts=(1024, 256), left_right=left_right)
    assert loss(target, estimate).item() == pytest.approx(total / 2, rel=1e-9)


@pytest.mark.parametrize("left_right", [0.0, 1.0, 3.0])
def test_duplicated_mono_costs_what_its_one_channel_costs(left_right):
    x, y = 0.1 * noise(3, 1, 4096), 0.1 * noise(3, 1, 4096, seed=1)
    stereo = MidSideSTFT(plain_stft, left_right=left_right)(x.expand(-1, 2, -1), y.expand(-1, 2, -1))
    assert stereo.item() == pytest.approx(MultiResolutionSTFT(plain_stft)(x, y).item(), rel=1e-12)


def test_equal_duplicated_mono_costs_nothing_and_pulls_at_nothing():
    x = noise(2, 1, 4096).expand(-1, 2, -1)
    estimate = x.clone().requires_grad_()
    price = MidSideSTFT(plain_stft)(x, estimate)
    price.backward()
    assert price == 0
    assert estimate.grad.abs().max() == 0


def test_a_side_that_the_target_does_not_have_is_measured_by_the_mid():
    mono, wrong = noise(1, 1, 8192), noise(1, 1, 8192, seed=1)
    estimate = torch.cat((mono + wrong, mono - wrong), dim=1).requires_grad_()
    price = MidSideSTFT(plain_stft, left_right=0.0)(mono.expand(-1, 2, -1), estimate)
    # As loud as the mid, and far above the floor in the logarithm: relative to its own silence it would cost 50.
    assert 1 < price < 1.1 + math.log(1 / FLOOR)
    price.backward()
    assert estimate.grad.isfinite().all()


def test_a_polarity_between_the_channels_costs_what_each_channel_does_not_tell():
    x = 0.1 * noise(1, 2, 4096)
    x[:, 1] = x[:, 0]
    turned = x * torch.tensor([1.0, -1.0])[:, None]
    assert MultiResolutionSTFT(plain_stft)(x, turned) < 1e-12
    assert MidSideSTFT(plain_stft)(x, turned) > 1


def test_a_mono_model_with_a_loss_of_two_channels_is_refused_with_its_line(tiny, catalogue):
    stereo = "losses={ mid_side_stft = { n_ffts = [256] } }"
    recipe = resolve(read_recipe("percussion_small", (*tiny, stereo)), catalogue)
    with pytest.raises(RecipeError) as caught:
        probe(recipe, catalogue)
    [fault] = caught.value.faults
    assert fault.path == "losses.mid_side_stft"
    assert fault.what.startswith("sum and difference need two channels (model.channels = 2), got 1;")


def test_a_negative_weight_of_left_and_right_is_refused_by_name():
    with pytest.raises(Refused, match=r"^left_right must"):
        MidSideSTFT(plain_stft, left_right=-1.0)


def test_each_band_costs_as_if_it_were_a_sound_of_its_own():
    bank = PQMF(n_bands=4).double()
    x, y = 0.1 * noise(2, 2, 8192), 0.1 * noise(2, 2, 8192, seed=1)
    loss = SubbandSTFT(plain_stft, bands=lambda: bank, n_ffts=(256, 64))
    plain = MultiResolutionSTFT(plain_stft, n_ffts=(256, 64))
    bands = zip(bank.analysis(x).unbind(1), bank.analysis(y).unbind(1), strict=True)
    alone = [plain(band[:, None], other[:, None]).item() for band, other in bands]
    assert len(alone) == 8
    assert loss(x, y).item() == pytest.approx(np.mean(alone), rel=1e-12)


class Halves:
    """Even and odd samples: a bank whose bands can be changed one by one."""

    n_bands = 2

    def analysis(self, audio):
        return torch.cat((audio[..., ::2], audio[..., 1::2]), dim=1)


def test_a_band_weighs_the_same_however_faint_it_is():
    x, y = noise(1, 1, 8192), noise(1, 1, 8192, seed=1)
    gain = 100 * torch.tensor([1.0, 0.01]).double().repeat(4096)
    loss = SubbandSTFT(plain_stft, bands=Halves, floor=1e-9)
    assert loss(gain * x, gain * y).item() == pytest.approx(loss(100 * x, 100 * y).item(), rel=1e-3)


def test_a_length_that_the_bank_cannot_divide_is_followed_by_silence():
    bank = PQMF(n_bands=4).double()
    loss = SubbandSTFT(plain_stft, bands=lambda: bank, n_ffts=(64,))
    x, y = noise(1, 1, 4097), noise(1, 1, 4097, seed=1)
    padded = (torch.nn.functional.pad(a, (0, 3)) for a in (x, y))
    assert torch.equal(loss(x, y), loss(*padded))


def test_a_window_that_is_too_long_for_a_band_is_refused_by_name():
    x = noise(1, 1, 4096)
    loss = SubbandSTFT(plain_stft, bands=lambda: PQMF(n_bands=16).double(), n_ffts=(64, 511))
    assert loss(x, x) == 0  # 256 samples a band
    loss = SubbandSTFT(plain_stft, bands=lambda: PQMF(n_bands=16).double(), n_ffts=(64, 512))
    with pytest.raises(
        Refused, match=r"^n_ffts must be at most 511: 16 bands have 256 samples each, got 512"
    ) as no:
        loss(x, x)
    assert no.value.key == "n_ffts"


def test_a_sound_that_is_too_short_for_the_bank_is_refused_at_its_slot():
    loss = SubbandSTFT(plain_stft, bands=lambda: PQMF(n_bands=4).double(), n_ffts=(16,))
    with pytest.raises(Refused, match=r"^bands cannot split a sound of 80 samples") as no:
        loss(noise(1, 1, 80), noise(1, 1, 80))
    assert no.value.key == "bands"


def test_the_bands_of_a_loss_are_built_by_the_engine(tiny, catalogue):
    keys = 'losses={ subband_stft = { n_ffts = [128], bands = { use = "pqmf", n_bands = 8 } } }'
    parts = Parts(resolve(read_recipe("percussion_small", (*tiny, keys)), catalogue), 0)
    loss, x = parts.losses["subband_stft"], noise(2, 1, 4096).float()
    assert loss.bank.n_bands == 8
    assert loss(x, x) == 0
    assert loss(x, 2 * x) > 1


def log_distance(x, y, n_fft):
    """By frame, for one channel."""
    return np.abs(np.log(magnitudes(y, n_fft) / magnitudes(x, n_fft))).mean(axis=0)


def test_a_weight_of_one_is_the_plain_distance():
    x, y = noise(2, 1, 4096), noise(2, 1, 4096, seed=1)
    plain = np.mean(
        [log_distance(x[i, 0].numpy(), y[i, 0].numpy(), n).mean() for i in range(2) for n in (512, 256, 128)]
    )
    price = OnsetWeighted(RATE, plain_stft, weight_on_onset=1.0)(x, y)
    assert price.item() == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("weight_on_onset", [0.2, 7.0])
def test_frames_of_the_onset_count_more_with_a_smooth_end(weight_on_onset):
    x, y = noise(8192), noise(8192, seed=1)
    distance = log_distance(x.numpy(), y.numpy(), 256)
    time_ms = np.arange(len(distance)) * 64 / RATE * 1000
    half_cosine = (1 + np.cos(np.pi * (time_ms - 30) / 30)) / 2
    fall = np.where(time_ms <= 30, 1.0, np.where(time_ms < 60, half_cosine, 0.0))
    assert 10 < ((fall > 0) & (fall < 1)).sum() < 30
    expected = np.average(distance, weights=1 + (weight_on_onset - 1) * fall)
    keys = {"onset_ms": 30.0, "weight_on_onset": weight_on_onset, "n_ffts": (256,)}
    price = OnsetWeighted(RATE, plain_stft, **keys)(x[None, None], y[None, None])
    assert price.item() == pytest.approx(expected, rel=1e-12)


def test_the_same_fault_costs_more_in_the_attack_than_later():
    x = noise(1, 1, 16384)
    early, late = x.clone(), x.clone()
    early[..., :800] *= 2
    late[..., 8000:8800] *= 2
    loss = OnsetWeighted(RATE, plain_stft)
    assert loss(x, early) > 8 * loss(x, late)


@pytest.mark.parametrize("wrong", [{"onset_ms": 0.0}, {"weight_on_onset": 0.0}, {"n_ffts": ()}], ids=str)
def test_an_onset_without_meaning_is_refused_by_name(wrong):
    with pytest.raises(Refused, match=f"^{next(iter(wrong))} must"):
        OnsetWeighted(RATE, plain_stft, **wrong)
