"""A response is the one of its file: at its place, at its level, read once and with care."""

import os
import shutil

import numpy as np
import pytest
import soundfile
import torch
from scipy import signal

from flowvae.catalogue import Catalogue
from flowvae.errors import RecipeError
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.identity import identity
from flowvae.testing.streams import SeededStream
from flowvae_components.augmentations.impulse_response import ImpulseResponse

RATE, N_SAMPLES, SLACK = 44100, 3000, 200
T = N_SAMPLES + 2 * SLACK
LEAD = 88  # 2 ms


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tail(n_samples=900, channels=1, seed=1):
    """A direct sound of 1 and a tail well below it."""
    response = (
        0.05 * noise(n_samples, channels, seed=seed).numpy() * np.exp(-np.arange(n_samples) / 200)[:, None]
    )
    response[0] = 1.0
    return response.astype(np.float32)


@pytest.fixture
def room(tmp_path):
    """Writes responses (t, c) and takes the augmentation that plays them."""

    def room(*responses, rate=RATE, probability=1.0, mix=1.0):
        for index, response in enumerate(responses):
            soundfile.write(tmp_path / f"{index}.wav", response, rate, subtype="FLOAT")
        return ImpulseResponse(RATE, N_SAMPLES, path=tmp_path, probability=probability, mix=mix)

    return room


def unit(response):
    """At the energy of 1 in the mean of its channels."""
    return response / np.sqrt((response.astype(np.float64) ** 2).sum(0).mean())


@pytest.mark.parametrize("mix", [0.0, 0.3, 1.0])
def test_played_sound_is_scipys_convolution(room, mix):
    response, x = tail(), 0.1 * noise(3, 2, T)
    wet = signal.oaconvolve(x.numpy(), unit(response).T[None], axes=-1)[..., :T]
    out = room(response, mix=mix)(x, SeededStream(0))
    assert np.abs(out.numpy() - (1 - mix) * x.numpy() - mix * wet).max() < 1e-6


@pytest.mark.parametrize("silence", [0, 50, 5000])
def test_the_direct_sound_keeps_its_place(room, silence):
    click = torch.zeros(1, 1, T).double()
    click[..., SLACK] = 1
    late = np.concatenate((np.zeros((silence, 1), np.float32), tail()))
    out = room(late)(click, SeededStream(0))[0, 0]
    assert out.abs().argmax() == SLACK
    assert np.abs(out[SLACK : SLACK + 900].numpy() - unit(tail())[:, 0]).max() < 1e-6
    assert out[: SLACK - LEAD].abs().max() < 1e-9


def test_a_loud_echo_is_no_direct_sound(room):
    response = np.zeros((2000, 1), np.float32)
    response[300], response[1500] = 0.2, 1.0
    click = torch.zeros(1, 1, T).double()
    click[..., SLACK] = 1
    out = room(response)(click, SeededStream(0))[0, 0].abs()
    assert out.argmax() == SLACK + 1200
    assert out[:SLACK].max() < 1e-9
    assert out[SLACK] == pytest.approx(0.2 * out.max().item(), rel=1e-5)


def test_nothing_comes_round_from_the_end(room):
    click = torch.zeros(1, 1, T).double()
    click[..., -1] = 1
    out = room(tail(N_SAMPLES))(click, SeededStream(0))[0, 0]
    assert out[: -1 - LEAD].abs().max() < 1e-9


def test_noise_keeps_its_level(room):
    x = noise(1, 1, 20 * T)
    out = room(40 * tail(), 0.001 * tail(seed=2))(x, SeededStream(0))
    assert (out.square().mean() / x.square().mean()).sqrt().item() == pytest.approx(1, rel=0.05)


def test_a_response_of_another_rate_sounds_the_same(room):
    x = torch.zeros(1, 1, T).double()
    x[..., SLACK] = 1
    slow = np.exp(-np.arange(2000) / 300).astype(np.float32)[:, None] * np.sin(np.arange(2000) / 20)[:, None]
    fast = signal.resample_poly(slow, 2, 1).astype(np.float32)
    at_rate, doubled = room(slow)(x, SeededStream(0)), room(fast, rate=2 * RATE)(x, SeededStream(0))
    assert torch.nn.functional.cosine_similarity(at_rate[0], doubled[0]).item() > 0.999


def test_each_channel_has_its_own_response_and_a_mono_response_serves_all(room):
    left, right = tail(seed=3), tail(seed=4)
    x = 0.1 * noise(1, 1, T).expand(-1, 2, -1)
    both = np.concatenate((left, right), axis=1)
    out = room(both)(x, SeededStream(0)).numpy()
    wet = signal.oaconvolve(x.numpy(), unit(both).T[None], axes=-1)[..., :T]
    assert np.abs(out - wet).max() < 1e-6
    mono = room(left)(x, SeededStream(0))
    assert torch.equal(mono[:, 0], mono[:, 1])


def test_one_channel_gets_the_mean_of_a_response_and_none_where_it_cancels(room, tmp_path):
    both = np.concatenate((tail(seed=3), tail(seed=4)), axis=1)
    x = 0.1 * noise(1, 1, T)
    wet = signal.oaconvolve(x.numpy(), unit(both.mean(1, keepdims=True)).T[None], axes=-1)[..., :T]
    assert np.abs(room(both)(x, SeededStream(0)).numpy() - wet).max() < 1e-6
    opposite = np.concatenate((tail(), -tail()), axis=1)
    assert (room(opposite)(x, SeededStream(0)) == 0).all()


def test_all_responses_are_drawn_alike(room):
    echoes = [np.float32([[1.0], *[[0.0]] * k, [1.0]]) for k in range(1, 4)]
    x = torch.zeros(600, 1, 64)
    x[..., 0] = 1
    out = room(*echoes)(x, SeededStream(0))[..., 1:].argmax(-1).flatten()
    counts = torch.bincount(out, minlength=4)[1:]
    assert counts.sum() == 600
    assert counts.min() > 150


def test_files_that_are_not_named_like_audio_are_no_responses(room, tmp_path):
    (tmp_path / "licence.txt").write_text("free")
    assert len(room(tail()).responses) == 1


def test_what_a_clip_has_no_room_for_is_not_kept(room):
    assert room(tail(50_000)).responses.shape == (1, 1, LEAD + N_SAMPLES)


def broken(folder, what):
    file = folder / "b.wav"
    match what:
        case "text":
            file.write_text("no audio")
        case "empty":
            file.write_bytes(b"")
        case "no samples":
            soundfile.write(file, np.zeros((0, 1), np.float32), RATE, subtype="FLOAT")
        case "non-finite":
            soundfile.write(file, np.float32([[1.0], [np.nan]]), RATE, subtype="FLOAT")
        case "silent":
            soundfile.write(file, np.zeros((9, 1), np.float32), RATE, subtype="FLOAT")
        case "pipe":
            os.mkfifo(file)


@pytest.mark.parametrize("what", ["text", "empty", "no samples", "non-finite", "silent", "pipe"])
def test_a_file_that_gives_no_response_is_told_by_name(room, tmp_path, what):
    broken(tmp_path, what)
    with pytest.raises(
        ValueError, match=r"^path must hold responses that can be read, got b\.wav: "
    ) as caught:
        room(tail())
    assert caught.value.key == "path"
    assert what not in {"no samples", "non-finite", "silent", "pipe"} or what in str(caught.value)


def test_a_folder_without_responses_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^path must hold a response, got .* without any audio file$"):
        ImpulseResponse(RATE, N_SAMPLES, path=tmp_path)
    with pytest.raises(
        ValueError, match=r"^path must be a folder of responses, got .*: there is no such folder$"
    ):
        ImpulseResponse(RATE, N_SAMPLES, path=tmp_path / "gone")
    (tmp_path / "file.wav").write_text("x")
    with pytest.raises(ValueError, match=r"^path must be a folder of responses, got .*file\.wav: not a dir"):
        ImpulseResponse(RATE, N_SAMPLES, path=tmp_path / "file.wav")


@pytest.mark.parametrize("key", ["probability", "mix"])
def test_shares_without_meaning_are_refused_by_name(room, key):
    with pytest.raises(ValueError, match=f"^{key} must"):
        room(tail(), **{key: 1.5})


def test_a_very_loud_response_is_as_any_other(room):
    x = 0.1 * noise(1, 1, T).float()
    loud = np.float32(1e38) * tail()
    assert torch.allclose(room(loud)(x, SeededStream(0)), room(tail())(x, SeededStream(0)), atol=1e-6)


def test_the_content_of_the_folder_is_part_of_the_identity(tmp_path):
    def recipe(folder):
        keys = f'augmentations.room={{ use = "impulse_response", path = "{folder}" }}'
        return resolve(read_recipe("percussion_small", (keys,)), Catalogue.installed())

    first, moved, other, named = (tmp_path / name for name in ("first", "moved", "other", "named"))
    first.mkdir()
    soundfile.write(first / "hall.wav", tail(), RATE)
    for copy in (moved, other, named):
        shutil.copytree(first, copy)
    soundfile.write(other / "hall.wav", tail(seed=9), RATE)
    (named / "hall.wav").rename(named / "room.wav")
    known = identity(recipe(first), 0, "sounds")
    assert identity(recipe(moved), 0, "sounds") == known
    assert identity(recipe(other), 0, "sounds") != known
    assert identity(recipe(named), 0, "sounds") != known
    shutil.rmtree(moved)
    with pytest.raises(RecipeError, match="there is no file or folder"):
        recipe(moved)
