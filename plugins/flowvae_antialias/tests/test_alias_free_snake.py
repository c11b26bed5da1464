import numpy as np
import pytest
import torch
from flowvae.testing import checks
from scipy import signal

from flowvae_antialias.alias_free_snake import AliasFreeSnake, doubled, halved
from flowvae_antialias.half_band import half_band_taps

TAPS = half_band_taps()
N = 4096


def tone(share_of_rate, amplitude=1.0):
    """A sine that fits a whole number of periods into N samples, near the share that was asked for."""
    cycles = round(share_of_rate * N)
    return amplitude * torch.sin(2 * torch.pi * cycles * torch.arange(N, dtype=torch.float64) / N)[None, None]


def there_and_back(x):
    return halved(doubled(x, TAPS), TAPS)


def spectrum(x):
    """Amplitudes without the ends, where the sound was continued."""
    middle = x[0, 0, 512:-512].detach().numpy()
    return np.abs(np.fft.rfft(middle * signal.windows.blackmanharris(len(middle))))


@pytest.mark.parametrize("check", checks("activation"), ids=lambda check: check.__name__)
def test_the_contract_of_activations_is_kept(check):
    check(AliasFreeSnake)


def test_taps_are_those_of_a_kaiser_window_of_51_db():
    expected = [0.00203, 0.00939, -0.02554, -0.05766, 0.12857, 0.44321]
    assert np.allclose(TAPS[:6], expected, atol=1e-5)
    assert torch.equal(TAPS, TAPS.flip(0))
    assert np.allclose(TAPS, signal.firwin(12, 0.5, window=("kaiser", signal.kaiser_beta(51.023))), atol=2e-5)


@pytest.mark.parametrize(
    ("share", "gain_db"), [(0.2, 0.04), (0.3, -0.77), (0.35, -1.9), (0.4, -3.5), (0.45, -5.2)]
)
def test_small_signals_lose_what_the_filters_take_and_are_not_delayed(share, gain_db):
    x = tone(share)
    y = there_and_back(x)[..., 512:-512]
    x = x[..., 512:-512]
    gain = float((x * y).sum() / x.square().sum())
    assert 20 * np.log10(gain) == pytest.approx(gain_db, abs=0.06)
    # Nothing is left beside the scaled input: no delay, no image.
    if share <= 0.4:
        assert float((y - gain * x).norm() / x.norm()) < 0.1


def test_doubling_agrees_with_scipy():
    x = torch.randn(1, 1, 64, dtype=torch.float64)
    expected = signal.upfirdn(2 * TAPS.numpy(), np.pad(x[0, 0], 5, mode="edge"), up=2)[15:-15]
    assert np.allclose(doubled(x, TAPS)[0, 0], expected[:128], atol=1e-12)


def test_halving_agrees_with_numpy():
    x = torch.randn(1, 1, 64, dtype=torch.float64)
    expected = np.convolve(np.pad(x[0, 0], (5, 6), mode="edge"), TAPS, "valid")[::2]
    assert np.allclose(halved(x, TAPS)[0, 0], expected, atol=1e-12)


def test_a_constant_becomes_what_snake_makes_of_it():
    y = AliasFreeSnake(1, alpha=2.0).double()(torch.full((1, 1, 33), 0.7, dtype=torch.float64))
    expected = 0.7 + np.sin(2.0 * 0.7) ** 2 / 2.0
    assert y.detach().numpy() == pytest.approx(expected, abs=1e-6)


def test_a_slow_tone_becomes_what_snake_makes_of_it():
    x = tone(0.005, 0.8)
    y = AliasFreeSnake(1, alpha=1.5).double()(x)
    expected = x + torch.sin(1.5 * x).square() / 1.5
    assert torch.allclose(y, expected, atol=2e-3)


def test_folded_overtones_are_7_db_down():
    # The square of a sine has even harmonics: of a tone at 0.27 of the rate they lie at 0.54 and 1.08, and fold to
    # 0.46 and 0.08.
    x = tone(0.27)
    plain = x + torch.sin(3.0 * x).square() / 3.0
    clean = AliasFreeSnake(1, alpha=3.0).double()(x)

    def beside_the_tone_db(y):
        energy = spectrum(y - y.mean()) ** 2
        peak = round(0.27 * (N - 1024))
        near = np.abs(np.arange(len(energy)) - peak) <= 6
        return 10 * np.log10(energy[~near].sum() / energy[near].sum())

    assert beside_the_tone_db(plain) - beside_the_tone_db(clean) > 6.0


@pytest.mark.parametrize("t", [1, 2, 7, 64])
def test_every_length_is_kept(t):
    assert AliasFreeSnake(3)(torch.randn(2, 3, t)).shape == (2, 3, t)


def test_alpha_must_be_above_0():
    with pytest.raises(ValueError, match=r"^alpha must be above 0"):
        AliasFreeSnake(4, alpha=0.0)
