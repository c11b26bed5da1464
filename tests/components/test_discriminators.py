"""Discriminators: the published sizes, what each hears, and what it must not."""

import math
from contextlib import nullcontext
from itertools import pairwise
from unittest.mock import patch

import pytest
import torch
from torch import nn

from flowvae.building.shared_stft import SharedStft
from flowvae.contracts import Refused
from flowvae.testing import discriminator as conformance
from flowvae.testing.loss import plain_stft
from flowvae.testing.properties import noise
from flowvae.testing.streams import SeededStream
from flowvae_components.discriminators.decimation import Decimation
from flowvae_components.discriminators.melgan import MelGANDiscriminator
from flowvae_components.discriminators.multi_period import MultiPeriod
from flowvae_components.discriminators.multi_resolution import MultiResolution, bins_of
from flowvae_components.discriminators.multi_scale import MultiScale
from flowvae_components.discriminators.phase_shuffle import phase_shuffle
from flowvae_components.discriminators.scale_stack import groups_of
from flowvae_components.discriminators.wavegan import WaveGANDiscriminator
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm

T = 4096


def multi_period(channels, n_samples, stft=plain_stft, normalization=weight_norm, **keys):
    return MultiPeriod(channels, n_samples, normalization=normalization, **keys)


def multi_scale(channels, n_samples, stft=plain_stft, normalization=weight_norm, **keys):
    return MultiScale(channels, n_samples, normalization=normalization, **keys)


def multi_resolution(channels, n_samples, stft=plain_stft, normalization=weight_norm, **keys):
    return MultiResolution(channels, n_samples, stft, normalization=normalization, **keys)


def wavegan(channels, n_samples, stft=plain_stft, normalization=weight_norm, **keys):
    return WaveGANDiscriminator(channels, n_samples, normalization=normalization, **keys)


def melgan(channels, n_samples, stft=plain_stft, normalization=weight_norm, **keys):
    return MelGANDiscriminator(channels, n_samples, normalization=normalization, **keys)


ALL = (melgan, multi_period, multi_resolution, multi_scale, wavegan)
every = pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def heard(judge, audio, seed=0):
    """The judgements of one stream."""
    return judge(audio, SeededStream(seed))


def on_meta(make, channels, n_samples, **keys):
    """Shapes without numbers: the published sizes cost nothing there."""
    # autocast does not know the meta device, and there is nothing to cast there.
    with torch.device("meta"), patch("torch.autocast", lambda *_, **__: nullcontext()):
        judge = make(channels, n_samples, **keys)
        return judge, judge(torch.empty(1, channels, n_samples), SeededStream(0))


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


# As a recipe has them by default, all are checked with every other component.
OTHERWISE = {
    "match_stride": lambda c, rate, n, stft: multi_resolution(c, n, stft, width=4, match_stride=True),
    # Not narrower: see test_encoders_decoders.
    "phase_shuffle": lambda c, rate, n, stft: wavegan(c, n, width=16, phase_shuffle=5),
}


@pytest.mark.parametrize("make", OTHERWISE.values(), ids=OTHERWISE)
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_discriminators_do_what_a_discriminator_must(make, check):
    check(make)


# The published sizes


def test_parameter_counts_are_the_published_ones():
    periods, _ = on_meta(multi_period, 1, 44100)
    resolutions, _ = on_meta(multi_resolution, 1, 44100)
    scales, _ = on_meta(multi_scale, 1, 44100)
    assert [n_parameters(part) for part in periods.discriminators] == [8_221_154] * 5
    assert [n_parameters(part) for part in resolutions.discriminators] == [471_330] * 3
    assert [n_parameters(part) for part in scales.discriminators] == [5_641_362] * 3
    assert n_parameters(periods) + n_parameters(resolutions) == 42_519_760


def test_melgan_has_the_stack_of_the_codec_that_took_it_over():
    judge, _ = on_meta(melgan, 1, 16384)
    assert [n_parameters(part) for part in judge.discriminators] == [5_641_362] * 3
    for part in judge.discriminators:
        assert [conv.groups for conv in part.convs] == [1, 4, 16, 64, 256, 1]
        assert [conv.kernel_size[0] for conv in part.convs] == [15, 41, 41, 41, 41, 5]


@pytest.mark.parametrize(
    ("period", "n_samples", "rows"),
    [
        (2, 44102, [7351, 2451, 817, 273, 273]),  # the row more that the published padding adds to 44100
        (2, 44100, [7350, 2450, 817, 273, 273]),
        (11, 44100, [1337, 446, 149, 50, 50]),
    ],
)
def test_rows_of_a_period(period, n_samples, rows):
    _, [(logits, features)] = on_meta(multi_period, 1, n_samples, periods=(period,), width=1)
    assert [feature.shape[3] for feature in features] == rows
    assert [feature.shape[1] for feature in features] == [1, 4, 16, 32, 32]
    assert logits.shape == (1, 1, period, rows[-1])


def test_bands_are_the_published_bins():
    edges = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
    pairs = {n_fft: list(pairwise(bins_of(edges, n_fft))) for n_fft in (2048, 1024, 512)}
    assert pairs == {
        2048: [(0, 102), (102, 256), (256, 512), (512, 768), (768, 1025)],
        1024: [(0, 51), (51, 128), (128, 256), (256, 384), (384, 513)],
        512: [(0, 25), (25, 64), (64, 128), (128, 192), (192, 257)],
    }


def test_frames_and_widths_at_44100_are_the_published_ones():
    _, [(logits, features)] = on_meta(multi_resolution, 1, 44100, n_ffts=(2048,), match_stride=True)
    assert logits.shape == (1, 1, 87, 130)
    assert [feature.shape[3] for feature in features[4::5]] == [13, 20, 32, 32, 33]
    assert len(features) == 25
    assert {feature.shape[:3] for feature in features} == {(1, 32, 87)}


@pytest.mark.parametrize("n_samples", [4096, 4097, 5000])
@pytest.mark.parametrize(
    ("match_stride", "frames"), [(True, lambda t: math.ceil(t / 256)), (False, lambda t: 1 + t // 256)]
)
def test_number_of_frames(n_samples, match_stride, frames):
    judge, _ = on_meta(multi_resolution, 1, n_samples, n_ffts=(1024,), width=1, match_stride=match_stride)
    assert judge.spectrum(torch.zeros(1, 1, n_samples), 1024).shape[2] == frames(n_samples)


def test_wavegan_ends_in_16_frames_of_16384_samples():
    judge, [(logits, features)] = on_meta(wavegan, 1, 16384)
    assert [tuple(feature.shape[1:]) for feature in features] == [
        (64, 4096),
        (128, 1024),
        (256, 256),
        (512, 64),
        (1024, 16),
    ]
    assert logits.shape == (1, 1)
    assert judge.linear.in_features == 16 * 1024


def reached(judge, audio, logit_of):
    """The number of samples from the first to the last that moves one logit."""
    with torch.no_grad():
        for parameter in judge.parameters():
            parameter.fill_(0.01)
    audio = audio.double().requires_grad_()
    logit_of(heard(judge.double(), audio)).backward()
    at = audio.grad.flatten().nonzero()
    return int(at.max() - at.min()) + 1


def test_a_period_sees_647_rows():
    judge = multi_period(1, 6000, normalization=none, periods=(3,), width=1)
    # One column of the three, so two samples less than 647 rows of 3.
    assert reached(judge, torch.ones(1, 1, 6000), lambda said: said[0][0][0, 0, 1, 12]) == 647 * 3 - 2


def test_a_scale_sees_4951_samples():
    judge = multi_scale(1, 16384, normalization=none, factors=(1,), width=1)
    assert reached(judge, torch.ones(1, 1, 16384), lambda said: said[0][0][0, 0, 32]) == 4951


# Periods


def test_column_j_holds_every_pth_sample_from_j():
    judge = multi_period(1, 98, normalization=none, periods=(7,), width=1)
    [(logits, _)] = heard(judge, torch.zeros(1, 1, 98))
    sound = torch.zeros(1, 1, 98)
    sound[..., 3::7] = 1
    [(other, _)] = heard(judge, sound)
    changed = (other != logits).any(-1).flatten().tolist()
    assert changed == [j == 3 for j in range(7)]


@pytest.mark.parametrize("n_samples", [12, 13])
def test_rows_are_filled_up_only_where_some_are_missing(n_samples):
    seen = []
    judge = multi_period(1, n_samples, normalization=none, periods=(4,), width=1)
    judge.discriminators[0].convs[0].register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    heard(judge, torch.arange(1.0, n_samples + 1).reshape(1, 1, -1))
    rows = seen[0][0, 0].T.flatten().tolist()
    whole = list(range(1, n_samples + 1))
    assert rows == whole + ([12, 11, 10] if n_samples == 13 else [])


def test_a_period_is_the_published_convolution_with_its_axes_swapped():
    judge = multi_period(2, 500, periods=(5,), width=4).discriminators[0]
    audio = noise(3, 2, 500)
    x, features = audio.reshape(3, 2, 100, 5), judge(audio)[1]
    for conv, stride, feature in zip(judge.convs, (3, 3, 3, 3, 1), features, strict=True):
        weight = conv.weight.transpose(2, 3)
        x = nn.functional.conv2d(x, weight, conv.bias, (stride, 1), (2, 0))
        x = nn.functional.leaky_relu(x, 0.1)
        assert torch.allclose(feature.transpose(2, 3), x, atol=1e-6)


# Rates


def tone(cycles_a_sample, n=4096):
    return torch.sin(2 * torch.pi * cycles_a_sample * torch.arange(n).double())[None, None]


def level_db(x):
    return 20 * math.log10(float(x[..., 100:-100].square().mean().sqrt()) * math.sqrt(2))


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("share", [0.01, 0.4, 0.78])
def test_a_tone_below_the_new_nyquist_frequency_passes_as_it_is(factor, share):
    frequency = share / (2 * factor)
    low = Decimation(factor).double()(tone(frequency))
    assert low.shape[2] == math.ceil(4096 / factor)
    assert (low - tone(frequency)[..., ::factor])[..., 100:-100].abs().max() < 1e-3


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("share", [1.0, 1.2, 1.5, 1.9])
def test_a_tone_above_the_new_nyquist_frequency_dies(factor, share):
    # Of a tone at the new Nyquist frequency itself every second sample could be 0: this one is a little above.
    low = Decimation(factor).double()(tone((share + 0.003) / (2 * factor)))
    assert level_db(low) < -78


def test_a_constant_stays_what_it_is_up_to_the_ends():
    for factor in (1, 2, 3, 4):
        assert torch.allclose(
            Decimation(factor)(torch.ones(1, 2, 50)), torch.ones(1, 2, math.ceil(50 / factor))
        )


def test_a_factor_of_one_hands_the_sound_on():
    x = noise(1, 2, 50)
    assert Decimation(1)(x) is x


def test_decimation_ignores_half_precision():
    low, x = Decimation(2), noise(1, 1, 500)
    with torch.autocast("cpu", torch.bfloat16):
        half = low(x)
    assert torch.equal(half, low(x))


def test_the_filter_is_no_weight():
    assert not [name for name in multi_scale(1, T, width=4).state_dict() if "decimation" in name]


def test_melgan_hears_means_of_four_samples_two_apart():
    seen = []
    judge = melgan(1, 64, width=4, scales=2)
    judge.discriminators[1].convs[0].register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    x = noise(1, 1, 64)
    heard(judge, x)
    assert seen[0].shape[2] == 32
    assert torch.allclose(seen[0][0, 0, 5], x[0, 0, 9:13].mean(), atol=1e-6)
    assert torch.allclose(seen[0][0, 0, 0], x[0, 0, 0:3].mean(), atol=1e-6)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 6, 8, 10, 16])
def test_groups_divide_at_every_width(width):
    judge, _ = on_meta(multi_scale, 1, T, width=width, factors=(1,))
    for conv in judge.discriminators[0].convs[1:5]:
        assert conv.in_channels % conv.groups == conv.out_channels % conv.groups == 0
        in_a_group = conv.in_channels // conv.groups
        assert in_a_group == 4 if conv.in_channels % 4 == 0 else in_a_group >= min(4, conv.in_channels)


def test_a_prime_width_is_one_group():
    assert [groups_of(channels) for channels in (7, 13, 26)] == [1, 1, 2]


# Spectra


def test_real_and_imaginary_parts_of_each_channel_follow_each_other():
    x = noise(2, 2, T)
    seen = multi_resolution(2, T, width=1).spectrum(x, 512)
    expected = plain_stft(x, 512, 128).reshape(2, 2, 257, -1).transpose(2, 3)
    assert torch.equal(seen[:, 0::2], expected.real)
    assert torch.equal(seen[:, 1::2], expected.imag)


@pytest.mark.parametrize("n_samples", [4096, 5001])
def test_the_published_frames_are_those_inside_the_mirrored_clip(n_samples):
    x = noise(1, 1, n_samples)
    seen = multi_resolution(1, n_samples, width=1, match_stride=True).spectrum(x, 1024)
    whole = nn.functional.pad(x, (384, 384 + -n_samples % 256), mode="reflect")[0]
    frames = torch.stft(whole, 1024, 256, window=torch.hann_window(1024), center=False, return_complex=True)
    assert torch.allclose(seen[0, 0], frames[0].real.T, atol=1e-4)
    assert torch.allclose(seen[0, 1], frames[0].imag.T, atol=1e-4)


def test_centred_frames_are_shared_with_the_losses():
    shared, x = SharedStft(), noise(1, 1, T)
    mine = shared(x, 512, 128)
    heard(multi_resolution(1, T, shared, width=1), x)
    assert shared(x, 512, 128) is mine
    assert len(shared._results) == 3


def test_each_band_has_a_stack_of_its_own_and_all_share_the_end():
    judge = multi_resolution(1, T, width=4, n_ffts=(512,))
    sound = tone(0.3, T).float()  # the fourth band holds 0.25 to 0.375 cycles a sample
    sound = sound * torch.hann_window(T)  # its ends would be heard everywhere
    with torch.no_grad():
        [(_, silent)], [(_, features)] = heard(judge, torch.zeros_like(sound)), heard(judge, sound)
    moved = [float((a - b).abs().max()) for a, b in zip(features[::5], silent[::5], strict=True)]
    assert moved.index(max(moved)) == 3
    assert sorted(moved)[-2] < 0.01 * max(moved)


# Phase shuffle


@pytest.mark.parametrize("seed", range(8))
def test_shuffled_samples_come_from_within_the_radius(seed):
    x = torch.arange(20.0).expand(2, 3, 20)
    y = phase_shuffle(x, 2, SeededStream(seed))
    shift = float(y[0, 0, 10] - 10)
    assert abs(shift) <= 2
    mirrored = [abs(n + shift) if n + shift <= 19 else 38 - (n + shift) for n in range(20)]
    assert torch.equal(y, torch.tensor(mirrored).expand(2, 3, 20))


def test_all_shifts_occur_and_none_beyond():
    x = torch.arange(20.0).expand(1, 1, 20)
    shifts = {int(phase_shuffle(x, 2, SeededStream(seed))[0, 0, 10]) - 10 for seed in range(60)}
    assert shifts == {-2, -1, 0, 1, 2}


class Counting(SeededStream):
    def __init__(self, seed):
        super().__init__(seed)
        self.asked = []

    def integers(self, low, high, size, device):
        self.asked.append((low, high, size))
        return super().integers(low, high, size, device)


def test_a_radius_of_zero_is_the_identity_and_draws_nothing():
    stream, x = Counting(0), noise(2, 1, T)
    wavegan(1, T, width=4, phase_shuffle=0)(x, stream)
    assert not stream.asked
    assert torch.equal(phase_shuffle(x, 0, SeededStream(1)), x)


def test_one_shift_is_drawn_for_each_of_four_layers():
    stream = Counting(0)
    wavegan(1, T, width=4, phase_shuffle=3)(noise(5, 1, T), stream)
    assert stream.asked == [(-3, 3, (1,))] * 4


def test_the_layers_of_a_shuffled_judge_move_and_the_first_does_not():
    judge, x = wavegan(1, T, width=4), noise(1, 1, T)
    (_, one), (_, two) = heard(judge, x, 0)[0], heard(judge, x, 1)[0]
    assert torch.equal(one[0], two[0])
    assert not any(torch.equal(a, b) for a, b in zip(one[1:], two[1:], strict=True))


# All of them


@every
def test_stereo_enters_as_channels(make):
    mono, _ = on_meta(make, 1, T, width=4)
    stereo, said = on_meta(make, 2, T, width=4)
    firsts = [next(m for m in judge.modules() if hasattr(m, "in_channels")) for judge in (mono, stereo)]
    assert firsts[1].in_channels == 2 * firsts[0].in_channels
    assert all(tensor.shape[0] == 1 for logits, features in said for tensor in (logits, *features))


@every
def test_every_layer_is_normalized(make):
    seen = []

    def noted(layer):
        seen.append(layer)
        return layer

    judge = make(1, T, normalization=noted, width=4)
    layers = [m for m in judge.modules() if isinstance(m, nn.Conv1d | nn.Conv2d | nn.Linear)]
    assert {id(layer) for layer in seen} == {id(layer) for layer in layers}
    assert len(seen) == len(layers)


@every
def test_weights_start_as_torch_starts_them(make):
    judge = make(1, T, normalization=none, width=4)
    for module in judge.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            assert module.weight.abs().max() <= 1 / math.sqrt(module.weight[0].numel())
            assert module.bias.any()


@every
@pytest.mark.parametrize("width", [1, 4, 8])
def test_small_widths_are_built(make, width):
    on_meta(make, 2, T, width=width)


REFUSED = [
    *((make, {"width": 0}, "width", "width must be at least 1, got 0") for make in ALL),
    (multi_period, {"periods": ()}, "periods", "at least one"),
    (multi_period, {"periods": (2, 0)}, "periods", "got 0"),
    (multi_period, {"periods": (2, 4097)}, "periods", "from 1 to the 4096 samples.*got 4097"),
    (multi_scale, {"factors": ()}, "factors", "at least one"),
    (multi_scale, {"factors": (0,)}, "factors", "got 0"),
    (multi_scale, {"factors": (4097,)}, "factors", "from 1 to the 4096 samples.*got 4097"),
    (multi_resolution, {"n_ffts": ()}, "n_ffts", "at least one"),
    (multi_resolution, {"n_ffts": (8192,)}, "n_ffts", "no longer than the 4096 samples.*got 8192"),
    (multi_resolution, {"n_ffts": (1028,)}, "n_ffts", "multiples of 8, got 1028"),
    (multi_resolution, {"n_ffts": (0,)}, "n_ffts", "multiples of 8, got 0"),
    (multi_resolution, {"band_edges": (0.0,)}, "band_edges", "two or more"),
    (multi_resolution, {"band_edges": (0.0, 1.5)}, "band_edges", "from 0 to 1"),
    (multi_resolution, {"band_edges": (0.0, 0.5, 0.4)}, "band_edges", "must rise"),
    (multi_resolution, {"band_edges": (0.0, 0.001, 1.0)}, "band_edges", r"bins \(0, 1, 1025\)|bins \(0, 0"),
    (wavegan, {"phase_shuffle": -1}, "phase_shuffle", "at least 0"),
    (wavegan, {"phase_shuffle": 16}, "phase_shuffle", "below the 16 samples.*4096, got 16"),
    (melgan, {"scales": 0}, "scales", "at least 1"),
    (melgan, {"scales": 11}, "scales", "leave 8 samples of the clip's 4096.*got 11, which leave 4"),
]


@pytest.mark.parametrize(
    ("make", "wrong", "key", "said"), REFUSED, ids=lambda value: getattr(value, "__name__", str(value)[:40])
)
def test_what_cannot_be_is_refused_by_its_key(make, wrong, key, said):
    with pytest.raises(Refused, match=said) as refused:
        make(1, T, **{"width": 4} | wrong)
    assert refused.value.key == key


@every
def test_the_shortest_clip_that_is_not_refused_is_judged(make):
    shortest = {multi_period: 11, multi_scale: 4, multi_resolution: 2048, wavegan: 513, melgan: 32}[make]
    for logits, features in heard(make(1, shortest, width=4), noise(1, 1, shortest)):
        assert all(tensor.numel() and tensor.isfinite().all() for tensor in (logits, *features))
    with pytest.raises(Refused):
        make(1, shortest - 1, width=4)


def test_wavegan_refuses_a_sound_of_another_length():
    with pytest.raises(ValueError, match="n_samples is 4096 in this discriminator, got 4097"):
        heard(wavegan(1, T, width=4), torch.zeros(1, 1, T + 1))
