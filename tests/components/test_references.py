"""What is never trained: the sound itself, partials and noise, and networks from files."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from flowvae.contracts import Refused
from flowvae_components.references.codec import Codec
from flowvae_components.references.identity import Identity
from flowvae_components.references.sines_and_noise import SinesAndNoise

RATE, N = 44100, 16384


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def decay_of(hz):
    time = torch.arange(N) / RATE
    return (torch.sin(2 * math.pi * hz * time) * torch.exp(-20 * time))[None, None]


def snr_db(sound, copy):
    return float(10 * torch.log10(sound.square().sum() / (sound - copy).square().sum()))


def test_identity_gives_the_sound_in_other_memory():
    sound = noise(2, 1, N)
    copy = Identity()(sound)
    assert torch.equal(copy, sound)
    assert copy.data_ptr() != sound.data_ptr()


def test_a_partial_is_kept_with_its_phase():
    sound = decay_of(440.0)
    assert snr_db(sound, SinesAndNoise(RATE)(sound)) > 15
    assert snr_db(sound, SinesAndNoise(RATE, n_partials=0)(sound)) < 1


def test_with_every_peak_a_partial_little_is_left_to_noise():
    sound = 0.1 * noise(2, 1, N)
    assert snr_db(sound, SinesAndNoise(RATE, n_partials=300)(sound)) > 20


def test_the_flank_of_a_loud_partial_takes_no_place_of_a_soft_one():
    time = torch.arange(N) / RATE
    sound = (torch.sin(2 * math.pi * 440 * time) + 0.1 * torch.sin(2 * math.pi * 5000 * time))[None, None]
    heard = SinesAndNoise(RATE, n_partials=2)(sound)
    inside = slice(2048, N - 2048)  # at the ends a sine has no single peak
    assert snr_db(sound[..., inside], heard[..., inside]) > 30  # as noise, the soft one alone would leave 17


def test_bands_of_noise_are_evenly_wide_in_mels():
    bands = SinesAndNoise(RATE).bands
    edges = 700 * (10 ** (torch.linspace(0, 2595 * math.log10(1 + RATE / 2 / 700), 25) / 2595) - 1)
    hz = torch.arange(513) * RATE / 1024
    expected = torch.tensor([((low <= hz) & (hz < high)).sum() for low, high in pairwise(edges)])
    expected[-1] += 1  # the last bin is the upper edge of all
    assert torch.equal(bands.sum(1), expected[expected > 0].double())
    assert torch.equal(bands.sum(0), torch.ones(513, dtype=torch.float64))


def test_noise_keeps_its_level_and_its_colour_and_loses_its_shape():
    spectrum = torch.fft.rfft(0.1 * noise(4, 1, N))
    spectrum[..., N // 8 :] *= 0.01  # 40 dB less above a quarter of the range
    sound = torch.fft.irfft(spectrum, N)
    heard = SinesAndNoise(RATE, n_partials=0)(sound)
    assert snr_db(sound, heard) < 0
    for low, high in ((400, 1900), (N // 8 + 1000, N // 2)):
        energy = [torch.fft.rfft(s)[..., low:high].abs().square().sum() for s in (sound, heard)]
        assert abs(float(10 * torch.log10(energy[1] / energy[0]))) < 1


@pytest.mark.parametrize("n_samples", [257, 1000, 4097])
def test_any_length_comes_out_at_its_length(n_samples):
    sound = 0.1 * noise(1, 2, n_samples)
    assert SinesAndNoise(RATE)(sound).shape == sound.shape


@pytest.mark.parametrize(
    ("values", "key"),
    [({"n_fft": 15}, "n_fft"), ({"n_partials": -1}, "n_partials"), ({"n_bands": 0}, "n_bands")],
)
def test_impossible_values_are_refused(values, key):
    with pytest.raises(Refused) as caught:
        SinesAndNoise(RATE, **values)
    assert caught.value.key == key


class Halved(nn.Module):
    """A network that gives the half of a sound, one sample short."""

    def forward(self, audio):
        return 0.5 * audio[..., :-1]


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("codec") / "half.ts"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.trace(Halved(), torch.zeros(1, 1, 64)).save(str(path))
    return path


def test_a_codec_is_what_its_file_computes(script):
    sound = noise(2, 2, 500)
    heard = Codec(RATE, path=script)(sound)
    assert torch.equal(heard[..., :-1], 0.5 * sound[..., :-1])
    assert not heard[..., -1].any()


def test_a_codec_of_another_rate_hears_that_rate(script):
    sound = decay_of(440.0)
    heard = Codec(RATE, path=script, codec_rate=22050, mono=True)(torch.cat((sound, sound), 1))
    assert heard.shape == (1, 2, N)
    assert snr_db(0.5 * sound[..., :8000], heard[:, :1, :8000]) > 30


def test_a_file_that_holds_no_network_is_refused(tmp_path):
    for name in ("codec.ts", "codec.onnx"):
        file = tmp_path / name
        file.write_bytes(b"no network")
        with pytest.raises(Refused) as caught:
            Codec(RATE, path=file)
        assert caught.value.key == "path"


class Summed(nn.Module):
    """A network that gives no audio."""

    def forward(self, audio):
        return audio.sum((1, 2))


def test_a_network_that_gives_no_audio_is_refused(tmp_path):
    path = tmp_path / "sum.ts"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.trace(Summed(), torch.zeros(1, 1, 64)).save(str(path))
    with pytest.raises(Refused, match="a network from audio to audio"):
        Codec(RATE, path=path)(noise(2, 1, 64))


class Flat(nn.Module):
    def forward(self, audio):
        return audio[:, :, 0]


class Slower(nn.Module):
    def forward(self, audio):
        return audio[..., ::2]


class Whole(nn.Module):
    def forward(self, audio):
        return (100 * audio).to(torch.int16)


class Divided(nn.Module):
    def forward(self, audio):
        return audio / torch.zeros_like(audio)


class Stereo(nn.Module):
    def __init__(self):
        super().__init__()
        self.mixed = nn.Conv1d(2, 2, 1)

    def forward(self, audio):
        return self.mixed(audio)


@pytest.mark.parametrize(
    ("network", "channels", "said"),
    [
        (Flat(), 1, r"\(2, 1, 64\) gave \(2, 1\)$"),
        (Slower(), 1, r"\(2, 1, 64\) gave \(2, 1, 32\)$"),
        (Whole(), 1, r"gave torch\.int16$"),
        (Divided(), 1, "gave values that are not finite$"),
        (Stereo(), 2, r"\(2, 1, 64\) failed: .*expected input.* to have 2 channels"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_network_does_wrong_is_a_fault_of_its_file(network, channels, said, tmp_path):
    path = tmp_path / "network.ts"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.trace(network, torch.zeros(1, channels, 64)).save(str(path))
    with pytest.raises(Refused, match=said) as caught:
        Codec(RATE, path=path)(noise(2, 1, 64))
    assert caught.value.key == "path"


def test_a_folder_is_not_called_missing(tmp_path):
    with pytest.raises(Refused, match="this is a folder"):
        Codec(RATE, path=tmp_path)


@pytest.mark.parametrize("rate", [0, 1, 10**9])
def test_a_rate_that_no_sound_has_is_refused(script, rate):
    with pytest.raises(Refused) as caught:
        Codec(RATE, path=script, codec_rate=rate)
    assert caught.value.key == "codec_rate"
