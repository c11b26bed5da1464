import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flowvae.contracts import Sound
from flowvae.data.prepare import cut_clip


def ramp(length, start=0):
    return Sound("a", "g", np.arange(1, length + 1, dtype=np.float32)[None], start)


@given(st.integers(1, 400), st.integers(0, 399), st.integers(64, 200), st.integers(0, 20))
def test_a_clip_has_its_length_and_begins_where_the_sound_says(length, start, n_samples, slack):
    start = min(start, length - 1)
    clip = cut_clip(ramp(length, start), n_samples, slack, 8000)
    assert clip.shape == (1, n_samples + 2 * slack)
    faded = n_samples - min(slack, n_samples // 2) - 40
    if faded > 0:
        assert clip[0, slack] == start + 1


def test_a_long_sound_ends_in_silence_however_it_is_shifted():
    clip = cut_clip(ramp(10_000), 1000, 100, 44100)
    for shift in (-100, 0, 100):
        view = clip[0, 100 + shift : 1100 + shift]
        assert abs(view[-1]) == 0.0
    assert clip[0, 100 + 600] == 601


def test_a_sound_that_ends_by_itself_is_not_faded():
    clip = cut_clip(ramp(500), 1000, 100, 44100)
    assert np.array_equal(clip[0, 100:600], np.arange(1, 501, dtype=np.float32))
