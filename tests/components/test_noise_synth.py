"""Filtered noise against SciPy: gains of its filters, its level, silence, and where frames meet."""

import numpy
import pytest
import torch
from scipy import signal
from torch import nn

from flowvae.testing import head
from flowvae_components.activations.leaky_relu import LeakyReLU
from flowvae_components.blocks.filtered_noise import filtered, impulse_responses
from flowvae_components.blocks.mod_sigmoid import mod_sigmoid
from flowvae_components.heads.noise_synth import NoiseSynth
from flowvae_components.heads.plain import PlainHead
from flowvae_components.normalizations.none import none
from flowvae_components.normalizations.weight_norm import weight_norm


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def make(in_channels=3, out_channels=2, normalization=none, **keys):
    return NoiseSynth(
        in_channels,
        out_channels,
        head=lambda i, o: PlainHead(i, o, normalization=normalization),
        activation=lambda channels: LeakyReLU(),
        normalization=normalization,
        **{"hidden": 16} | keys,
    )


def saying(level, **keys):
    """A synth whose network says one number, whatever it hears."""
    synth = make(**keys).double()
    with torch.no_grad():
        synth.net[-1].weight.zero_()
        synth.net[-1].bias.fill_(level)
    return synth


# Not narrower than 16: see test_encoders_decoders.
@pytest.mark.parametrize("check", head.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("keys", [{}, {"strides": (4, 4), "bands": 32}])
def test_conforms(keys, check):
    check(lambda i, o: make(i, o, weight_norm, **keys))


def gains_at_band_centres(amplitudes):
    taps = impulse_responses(torch.tensor(amplitudes, dtype=torch.float64)).numpy()
    _, response = signal.freqz(taps, worN=numpy.linspace(0, numpy.pi, len(amplitudes)))
    # Of no delay once it begins half of its taps early.
    return response * numpy.exp(1j * numpy.linspace(0, numpy.pi, len(amplitudes)) * (len(taps) // 2))


@pytest.mark.parametrize("bands", [2, 5, 32])
def test_equal_amplitudes_are_the_filters_gain_at_every_band(bands):
    assert numpy.allclose(gains_at_band_centres([0.7] * bands), 0.7, atol=1e-12)


@pytest.mark.parametrize("bands", [5, 32])
def test_gains_at_band_centres_are_the_amplitudes_smoothed_by_the_window(bands):
    amplitudes = numpy.random.default_rng(0).uniform(0, 2, bands)
    mirrored = numpy.pad(amplitudes, 1, mode="reflect")
    expected = (mirrored[:-2] + 2 * mirrored[1:-1] + mirrored[2:]) / 4
    assert numpy.allclose(gains_at_band_centres(amplitudes), expected, atol=1e-12)


@pytest.mark.parametrize(("frame", "bands"), [(8, 5), (4, 17), (64, 5)])
def test_each_sample_of_noise_leaves_its_frames_response_whole(frame, bands):
    noise = torch.randn(2, 3, 6, frame, dtype=torch.float64)
    responses = impulse_responses(torch.rand(2, 3, 6, bands, dtype=torch.float64))
    taps, length = responses.shape[-1], 6 * frame
    expected = numpy.zeros((2, 3, length + taps))
    for n in range(6):
        for b, c in numpy.ndindex(2, 3):
            tail = numpy.convolve(noise[b, c, n], responses[b, c, n])
            expected[b, c, n * frame : n * frame + len(tail)] += tail
    expected = expected[..., taps // 2 : taps // 2 + length]
    assert numpy.allclose(filtered(noise, responses), expected, atol=1e-12)


def test_with_one_filter_for_all_frames_no_seam_is_left():
    noise = torch.randn(1, 1, 10, 8, dtype=torch.float64)
    response = impulse_responses(torch.rand(5, dtype=torch.float64))
    through = filtered(noise, response.expand(1, 1, 10, -1))
    expected = signal.fftconvolve(noise.flatten(), response)[4 : 4 + 80]
    assert numpy.allclose(through.flatten(), expected, atol=1e-12)


@pytest.mark.parametrize("level", [0.0, 5.0, 12.0])
def test_noise_is_uniform_noise_times_the_gate(level):
    noise = saying(level).noise(torch.randn(4, 3, 8000, dtype=torch.float64))
    gate = float(mod_sigmoid(torch.tensor(level - 5)))
    assert noise.std().item() == pytest.approx(gate / 3**0.5, rel=0.02)
    assert abs(noise.mean().item()) < 0.02 * gate


@pytest.mark.parametrize("x", [torch.randn(2, 3, 4000), torch.zeros(2, 3, 4000)], ids=["noise", "silence"])
def test_a_new_synth_is_94_db_below_full_scale(x):
    assert 20 * make().noise(x).detach().abs().max().log10() == pytest.approx(-94, abs=1)
    assert float(mod_sigmoid(torch.tensor(-5.0))) == pytest.approx(10 ** (-94 / 20), rel=0.01)


def test_the_noise_is_added_to_what_the_other_head_makes():
    synth, x = make(), torch.randn(2, 3, 40)
    torch.manual_seed(5)
    noise = synth.noise(x)
    torch.manual_seed(5)
    assert torch.equal(synth(x), synth.head(x) + noise)


def test_each_call_each_sound_and_each_channel_has_noise_of_its_own():
    synth, x = saying(5.0), torch.zeros(2, 3, 64, dtype=torch.float64)
    noise = torch.cat((synth.noise(x), synth.noise(x))).flatten(0, 1)
    assert (torch.corrcoef(noise) - torch.eye(8, dtype=torch.float64)).abs().max() < 0.6


@pytest.mark.parametrize("t", [1, 7, 8, 9, 63])
def test_any_length_is_kept(t):
    assert make()(torch.randn(2, 3, t)).shape == (2, 2, t)


@pytest.mark.parametrize(("convolution", "last"), [(None, 26), (lambda missing: (missing, 0), 23)])
def test_every_sample_reaches_a_frame_and_causal_stages_hear_none_beyond_it(convolution, last):
    synth = make(convolution=convolution, strides=(2, 2)).double()
    x = torch.randn(1, 3, 40, dtype=torch.float64, requires_grad=True)
    frames = synth.net(x).sum(1).squeeze(0)
    [heard] = torch.autograd.grad(frames.sum(), x, retain_graph=True)
    assert heard.abs().sum(1).min() > 0
    [heard] = torch.autograd.grad(frames[5], x)  # whose own samples are 20 to 23
    assert int(heard.abs().sum(1).nonzero().max()) == last


def test_stages_have_two_strides_of_taps():
    layers = [layer for layer in make(strides=(2, 4)).net if isinstance(layer, nn.Conv1d)]
    assert [layer.kernel_size for layer in layers] == [(4,), (8,)]
    assert layers[-1].out_channels == 5 * 2


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"bands": 1}, "bands must be at least 2, got 1"),
        ({"strides": ()}, "strides must be one or more"),
        ({"strides": (2, 1)}, "strides must be one or more, of 2 or more each"),
        ({"hidden": 0}, "hidden must be at least 1"),
    ],
)
def test_impossible_sizes_are_refused_by_name(keys, message):
    with pytest.raises(ValueError, match=message):
        make(**keys)


def test_a_length_that_the_frames_do_not_divide_is_followed_by_silence():
    synth, x = make().double(), torch.randn(2, 3, 21, dtype=torch.float64)
    torch.manual_seed(1)
    noise = synth.noise(x)
    torch.manual_seed(1)
    whole = synth.noise(nn.functional.pad(x, (0, 3)))
    assert torch.equal(noise, whole[..., :21])


def test_double_precision_hears_the_same_noise_as_single():
    synth, x = saying(3.0), torch.randn(1, 3, 64, dtype=torch.float64)
    torch.manual_seed(1)
    double = synth.noise(x)
    torch.manual_seed(1)
    single = synth.float().noise(x.float())
    assert double.abs().max() > 0.01
    assert (double - single).abs().max() < 1e-6
