"""Every augmentation takes every sound: silence, an offset, a click, noise; loud and faint, long, short and alone."""

import copy

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flowvae.testing.streams import SeededStream
from flowvae_components.augmentations.channel_swap import ChannelSwap
from flowvae_components.augmentations.compress import Compress
from flowvae_components.augmentations.dequantize import Dequantize
from flowvae_components.augmentations.gain import Gain
from flowvae_components.augmentations.impulse_response import ImpulseResponse
from flowvae_components.augmentations.mute import Mute
from flowvae_components.augmentations.normalize import Normalize
from flowvae_components.augmentations.phase_mangle import PhaseMangle
from flowvae_components.augmentations.phase_rotation import PhaseRotation
from flowvae_components.augmentations.pitch_shift import PitchShift
from flowvae_components.augmentations.polarity import Polarity
from flowvae_components.augmentations.random_crop import RandomCrop

RATE, N_SAMPLES, SLACK = 44100, 301, 40
T = N_SAMPLES + 2 * SLACK


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("responses")
    for index in range(3):
        response = (
            np.random.default_rng(index).normal(size=(200, 1 + index % 2)) * 0.9 ** np.arange(200)[:, None]
        )
        soundfile.write(folder / f"{index}.wav", response.astype(np.float32), RATE, subtype="FLOAT")
    return folder


@pytest.fixture(scope="module")
def drawn(folder):
    """Those that change a share of the sounds, made for a share."""
    room = ImpulseResponse(RATE, N_SAMPLES, path=folder)

    def of_share(probability):
        other = copy.copy(room)  # the folder is read once
        other.probability = probability
        return other

    return {
        "channel_swap": lambda p: ChannelSwap(probability=p),
        "compress": lambda p: Compress(RATE, probability=p),
        "gain": lambda p: Gain(probability=p, high_db=30.0),
        "impulse_response": of_share,
        "mute": lambda p: Mute(probability=p),
        "phase_mangle": lambda p: PhaseMangle(RATE, probability=p),
        "phase_rotation": lambda p: PhaseRotation(probability=p),
        "pitch_shift": lambda p: PitchShift(N_SAMPLES, probability=p),
        "polarity": lambda p: Polarity(probability=p),
    }


@pytest.fixture(scope="module")
def every(drawn):
    built = {name: make(0.5) for name, make in drawn.items()}
    crop = RandomCrop(RATE, N_SAMPLES, jitter_ms=0.5)
    return {**built, "dequantize": Dequantize(), "normalize": Normalize(), "random_crop": crop}


DRAWN = (
    "channel_swap",
    "compress",
    "gain",
    "impulse_response",
    "mute",
    "phase_mangle",
    "phase_rotation",
    "pitch_shift",
    "polarity",
)
EVERY = (*DRAWN, "dequantize", "normalize", "random_crop")


def sound(form, level, size, dtype=torch.float32):
    """A batch of one form: (b, c, t)."""
    made = torch.zeros(size, dtype=dtype)
    if form == "offset":
        made += 1
    elif form == "click":
        made[..., size[-1] // 3] = -1
    elif form == "last sample":
        made[..., -1] = 1
    elif form == "noise":
        made = torch.randn(size, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return level * made


FORMS = ("silence", "offset", "click", "last sample", "noise")
LEVELS = (1e4, 1.0, 1e-30)


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=40, deadline=None)
@given(
    form=st.sampled_from(FORMS),
    level=st.sampled_from(LEVELS),
    n_items=st.integers(1, 4),
    n_channels=st.integers(1, 3),
    dtype=st.sampled_from((torch.float32, torch.float64)),
    seed=st.integers(0, 2**31),
)
def test_any_sound_stays_a_sound_of_its_size(every, name, form, level, n_items, n_channels, dtype, seed):
    x = sound(form, level, (n_items, n_channels, T), dtype)
    given = x.clone()
    out = every[name](x, SeededStream(seed))
    length = N_SAMPLES if name == "random_crop" else T
    assert out.shape == (n_items, n_channels, length)
    assert out.dtype == dtype
    assert out.isfinite().all()
    assert torch.equal(x, given)


@pytest.mark.parametrize("name", sorted({*EVERY} - {"random_crop"}))
@pytest.mark.parametrize("n_samples", [1, 2, 7, 127, 129, 1025])
def test_any_length_is_kept(every, name, n_samples):
    for form in FORMS:
        x = sound(form, 1.0, (2, 2, n_samples))
        out = every[name](x, SeededStream(0))
        assert out.shape == x.shape
        assert out.isfinite().all()


@pytest.mark.parametrize("name", DRAWN)
def test_none_changed_is_the_same_to_the_last_bit(drawn, name):
    unchanged = drawn[name](0.0)
    for form in FORMS:
        for level in LEVELS:
            for dtype in (torch.float32, torch.float64):
                x = sound(form, level, (3, 2, T), dtype)
                assert torch.equal(unchanged(x, SeededStream(0)), x)


@pytest.mark.parametrize("name", DRAWN)
def test_as_many_numbers_are_drawn_whatever_the_probability(drawn, name):
    streams = {p: SeededStream(0) for p in (0.0, 0.5, 1.0)}
    x = sound("noise", 0.1, (5, 2, T))
    outs = {p: drawn[name](p)(x, stream) for p, stream in streams.items()}
    after = {stream.integers(0, 2**40, (1,), x.device).item() for stream in streams.values()}
    assert len(after) == 1
    # A sound that is changed is changed in the same way, however many others are.
    changed = (outs[0.5] != x).any(-1).any(-1)
    assert torch.equal(outs[0.5][changed], outs[1.0][changed])


@pytest.mark.parametrize("name", sorted({*EVERY} - {"dequantize", "impulse_response"}))
def test_two_equal_channels_stay_equal(every, name):
    """All but the noise of rounding, of which each has its own, and a response of two channels."""
    x = sound("noise", 0.1, (6, 1, T)).expand(-1, 2, -1)
    out = every[name](x, SeededStream(0))
    assert torch.equal(out[:, 0], out[:, 1])
