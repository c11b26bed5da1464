"""The filter bank against its design formulas, pure tones and noise."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.signal import firwin, freqz, kaiser_beta
from torch.utils._python_dispatch import TorchDispatchMode

from flowvae.testing import bands
from flowvae_components.bands import pqmf
from flowvae_components.bands.none import NoBands
from flowvae_components.bands.pqmf import PQMF

N = 4096


def sounds(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def snr_db(sound, copy):
    return 10 * math.log10(float(sound.square().sum() / (sound - copy).square().sum()))


def prototype(n_bands, attenuation_db, cutoff):
    taps = 24 * n_bands + 1
    window = ("kaiser", kaiser_beta(attenuation_db))
    return firwin(taps, cutoff / math.pi, window=window, scale=False)


def worst_neighbour(n_bands, attenuation_db, cutoff):
    correlation = np.convolve(*2 * (prototype(n_bands, attenuation_db, cutoff),))
    middle = len(correlation) // 2
    return np.abs(correlation[middle + 2 * n_bands :: 2 * n_bands]).max()


@pytest.mark.parametrize("check", bands.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [PQMF, NoBands, lambda: PQMF(n_bands=4)], ids=["pqmf", "none", "pqmf_4"])
def test_conforms(make, check):
    check(make)


@pytest.mark.parametrize("attenuation_db", [70, 80, 90, 100])
def test_table_of_cut_offs_minimises_the_worst_neighbour(attenuation_db):
    found = minimize_scalar(
        lambda cutoff: worst_neighbour(16, attenuation_db, cutoff),
        bounds=(1.4 / 16, 1.9 / 16),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert pqmf._CUTOFFS[attenuation_db] == pytest.approx(16 * found.x, abs=2e-5)


@pytest.mark.parametrize("n_bands", [2, 16])
def test_rows_are_the_modulated_prototype(n_bands):
    p = prototype(n_bands, 90, pqmf._CUTOFFS[90] / n_bands)
    n = np.arange(24 * n_bands + 1) - 12 * n_bands
    for k, row in enumerate(pqmf._bank(n_bands, 90).numpy()):
        tone = np.cos((2 * k + 1) * np.pi * n / (2 * n_bands) + (-1) ** k * np.pi / 4)
        assert np.allclose(row, 2 * np.sqrt(n_bands) * p * tone, atol=1e-12)


@pytest.mark.parametrize("n_frames", [24, 25, 40])
@pytest.mark.parametrize("n_bands", [2, 16])
def test_bands_are_the_rows_on_the_sound_with_shaped_ends_odd_frames_of_odd_bands_turned(n_bands, n_frames):
    bank, sound = PQMF(n_bands=n_bands).double(), sounds(2, 3, n_bands * n_frames).double()
    shaped = torch.cat((sound[..., : 12 * n_bands] @ bank.first, sound[..., 12 * n_bands :]), dim=-1)
    shaped[..., -12 * n_bands :] = shaped[..., -12 * n_bands :] @ bank.last
    padded = torch.nn.functional.pad(shaped, (12 * n_bands - n_bands // 2, 12 * n_bands))
    rows = pqmf._bank(n_bands, 90).float().double()  # as the bank holds them
    expected = torch.einsum("bcnt,kt->bckn", padded.unfold(-1, rows.shape[1], n_bands)[:, :, :n_frames], rows)
    expected[:, :, 1::2, 1::2] *= -1
    assert torch.allclose(bank.analysis(sound), expected.flatten(1, 2), atol=1e-12)


class Kernels(TorchDispatchMode):
    """What is computed, views left out, and how the operands of convolutions lie in memory."""

    def __init__(self):
        super().__init__()
        self.names, self.in_order = [], []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not func.is_view:
            self.names.append(func.overloadpacket.__name__)
        if func is torch.ops.aten.convolution.default:
            self.in_order += [x.is_contiguous(memory_format=torch.channels_last) for x in args[:2]]
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("direction", ["analysis", "synthesis"])
def test_a_convolution_reads_sound_and_filters_as_they_lie(direction):
    """Where channels do not lie last, or in one dimension, torch copies both or takes a slower kernel."""
    given = sounds(2, 1, N) if direction == "analysis" else sounds(2, 16, N // 16)
    with Kernels() as seen:
        getattr(PQMF(), direction)(given)
    assert seen.in_order == [True, True]


def test_analysis_is_one_convolution_of_the_sound_with_shaped_ends():
    bank, sound = PQMF(), sounds(2, 1, N)
    with Kernels() as seen:
        bank.analysis(sound)
    assert sorted(seen.names) == ["cat", "convolution", "mm", "mm", "new_zeros", "new_zeros"]


@pytest.mark.parametrize("attenuation_db", [70, 80, 90, 100])
def test_a_band_is_silent_beyond_its_neighbours(attenuation_db):
    frequency, response = freqz(prototype(16, attenuation_db, pqmf._CUTOFFS[attenuation_db] / 16), worN=16384)
    beyond = 20 * np.log10(np.abs(response[frequency > np.pi / 16]).max())
    assert beyond < 1 - attenuation_db


@pytest.mark.parametrize(
    ("n_bands", "attenuation_db", "least"),
    [(2, 90, 62), (8, 90, 62), (16, 90, 63), (16, 100, 59), (32, 80, 61)],
)
def test_noise_comes_back_with_an_error_below_59_db_at_the_ends_too(n_bands, attenuation_db, least):
    bank, sound = PQMF(n_bands=n_bands, attenuation_db=attenuation_db), sounds(4, 1, N)
    copy = bank.synthesis(bank.analysis(sound))
    for part in (slice(None), slice(256), slice(-256, None)):
        assert snr_db(sound[..., part], copy[..., part]) > least


def test_bands_hold_the_energy_of_the_sound():
    sound = sounds(4, 1, N)
    ratio = PQMF().analysis(sound).square().sum() / sound.square().sum()
    assert float(ratio) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("at", [0, 1000, N - 1])
def test_a_click_comes_back_where_it_was(at):
    sound = torch.zeros(1, 1, N)
    sound[..., at] = 1
    bank = PQMF()
    copy = bank.synthesis(bank.analysis(sound))
    assert int(copy.abs().argmax()) == at
    assert (copy - sound).abs().max() < 2e-3


@pytest.mark.parametrize("k", [0, 1, 7, 15])
def test_a_tone_inside_a_band_stays_in_it(k):
    tone = torch.cos(math.pi * (k + 0.5) / 16 * torch.arange(N) + 1).reshape(1, 1, -1)
    energy = PQMF().analysis(tone)[..., 16:-16].square().sum((0, 2))
    assert energy[k] / energy.sum() > 0.998


@pytest.mark.parametrize("k", [0, 1, 2, 5])
def test_low_frequencies_are_low_in_every_band(k):
    tone = torch.cos(math.pi * (k + 0.2) / 16 * torch.arange(N)).reshape(1, 1, -1)
    spectrum = torch.fft.rfft(PQMF().analysis(tone)[0, k] * torch.hann_window(N // 16)).abs()
    assert int(spectrum.argmax()) / (N // 32) == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("n_frames", [64, 65])
def test_analysis_is_linear_and_synthesis_its_transpose(n_frames):
    bank = PQMF(n_bands=4).double()
    x, y = sounds(1, 1, 4 * n_frames).double(), sounds(1, 1, 4 * n_frames, seed=1).double()
    assert torch.allclose(bank.analysis(2 * x - y), 2 * bank.analysis(x) - bank.analysis(y), atol=1e-12)
    z = sounds(1, 4, n_frames, seed=2).double()
    assert float((bank.analysis(x) * z).sum()) == pytest.approx(
        float((x * bank.synthesis(z)).sum()), abs=1e-10
    )


def test_filter_bank_stays_in_float32_under_autocast():
    bank, sound = PQMF(), sounds(1, 1, N)
    with torch.autocast("cpu", torch.bfloat16):
        copy = bank.synthesis(bank.analysis(sound))
    assert copy.dtype == torch.float32
    assert snr_db(sound, copy) > 60


def test_filter_bank_adds_nothing_to_the_weights():
    assert not PQMF().state_dict()


@pytest.mark.parametrize("n_bands", [1, 3, 0])
def test_pqmf_refuses_a_number_of_bands_that_it_cannot_build(n_bands):
    with pytest.raises(ValueError, match="n_bands must be even"):
        PQMF(n_bands=n_bands)


def test_pqmf_refuses_an_attenuation_without_a_cut_off():
    # A checker of annotations, where one is on, comes first with a TypeError.
    with pytest.raises((ValueError, TypeError), match="attenuation_db"):
        PQMF(attenuation_db=75)


@pytest.mark.parametrize(
    ("t", "said"), [(1000, "multiple of n_bands = 16, got 1000"), (368, "at most 15 for 368 samples, got 16")]
)
def test_pqmf_refuses_lengths_that_do_not_fit(t, said):
    with pytest.raises(ValueError, match=said):
        PQMF().analysis(torch.zeros(1, 1, t))


def test_no_bands_hands_back_what_it_is_given():
    sound = sounds(1, 2, 16)
    assert NoBands().analysis(sound) is sound
    assert NoBands().synthesis(sound) is sound


def line_db(sound, period):
    """The highest line at a multiple of rate / period over what lies beside it."""
    spectrum = torch.fft.rfft(sound * torch.hann_window(sound.shape[-1])).abs().square().mean((0, 1))
    lines = range(len(spectrum) // (period // 2), len(spectrum) - 8, len(spectrum) // (period // 2))
    beside = [torch.cat((spectrum[k - 8 : k - 3], spectrum[k + 4 : k + 9])).mean() for k in lines]
    return max(10 * math.log10(float(spectrum[k] / b)) for k, b in zip(lines, beside, strict=True))


def test_a_mean_of_a_band_is_a_tone_between_bands_and_is_gone_where_means_are_removed():
    bands = sounds(4, 16, N // 16) + 1.0
    kept, removed = PQMF().synthesis(bands), PQMF(means="removed").synthesis(bands)
    assert line_db(kept, 32) > 15
    assert line_db(removed, 32) < 6


def test_removed_means_change_nothing_else():
    bands = sounds(2, 32, N // 16)
    without = bands - bands.mean(-1, keepdim=True)
    assert torch.equal(PQMF(means="removed").synthesis(bands), PQMF().synthesis(without))
    assert torch.equal(PQMF(means="removed").analysis(sounds(1, 1, N)), PQMF().analysis(sounds(1, 1, N)))
