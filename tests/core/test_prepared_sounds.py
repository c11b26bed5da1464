"""Sounds are read once, kept on disk as they come, and mapped by whoever needs them."""

import hashlib
import os
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest
import torch
from attrs import evolve

from flowvae.contracts import Skipped, Sound
from flowvae.data import clips as clips_module
from flowvae.data import prepare
from flowvae.data.batches import Batches
from flowvae.data.clips import load_clips, verified_clips
from flowvae.data.prepare import cut_clip, prepare_clips
from flowvae.data.sounds import prepare_all, prepare_sounds, source_of
from flowvae.errors import CheckpointError, MachineError, PluginError
from flowvae.recipe import plan_ablation, read_recipe
from pretend import catalogue_with, offering, plugin

READS = []


class Taps:
    """Short noises, and a note of every time that they are read."""

    def __init__(self, sample_rate, channels, n_samples, *, n_sounds: int = 20, also: int = 0):
        self.channels, self.n, self.also, self.n_samples = channels, n_sounds, also, n_samples

    def fingerprint(self):
        return hashlib.sha256(repr((self.n, self.also)).encode()).hexdigest()

    def read(self):
        READS.append(self.also)
        for i in range(self.n):
            audio = np.random.default_rng(i).standard_normal((self.channels, self.n_samples), np.float32)
            yield Sound(f"kit{i % 4}/{'kick' if i % 2 else 'snare'}{i}.wav", f"kit{i % 4}", audio)
        yield Skipped("broken.wav", "no sound")


class OtherTaps:
    """The same from somebody else, of the same name and with the same keys."""

    def __init__(self, sample_rate, channels, n_samples, *, n_sounds: int = 20, also: int = 0):
        self.made = Taps(sample_rate, channels, n_samples, n_sounds=n_sounds, also=also)

    def fingerprint(self):
        return "others".ljust(64, "0")

    def read(self):
        return self.made.read()


@pytest.fixture
def planned(write, tiny):
    """The plan of an ablation over what is given, of sounds that are counted."""
    offers = offering(("dataset", "taps", Taps))
    others = offering(("dataset", "taps", OtherTaps))
    mine = catalogue_with(
        plugin("fv-a", flowvae_components=offers), plugin("fv-b", flowvae_components=others)
    )
    READS.clear()

    def plan(vary, *settings):
        text = f'extends = "percussion_small"\n[ablation]\nmetric = "spectral_distance"\n[ablation.vary]\n{vary}\n'
        data = 'data={ use = "fv-a:taps" }'
        return plan_ablation(read_recipe(write("taps.toml", text), (*tiny, data, *settings)), mine)

    return plan


def quiet(_):
    pass


RATES = f'"train.optimizer.lr" = {[1e-4 * i for i in range(1, 13)]}'


def test_arms_that_hear_the_same_are_read_once(planned, tmp_path):
    plan = planned(RATES)
    sounds = prepare_all(plan.arms, tmp_path, quiet)
    assert len(sounds) == 12
    assert READS == [0]
    assert len({id(one.clips.audio) for one in sounds.values()}) == 1


def test_each_way_to_hear_is_read_once(planned, tmp_path):
    plan = planned(f'{RATES}\n"data.also" = [0, 1]')
    sounds = prepare_all(plan.arms, tmp_path, quiet)
    assert READS == [0, 1]
    assert len({one.folder for one in sounds.values()}) == 2


def test_components_of_one_name_are_two_ways_to_hear(planned, tmp_path):
    one = planned(RATES).arms[0]
    other = evolve(planned(RATES, 'data={ use = "fv-b:taps" }').arms[0], name="other")
    found = prepare_all([one, other], tmp_path, quiet)
    assert found[one.name].folder != found["other"].folder


@pytest.mark.parametrize("n_arms", [2, 12])
def test_another_start_verifies_the_array_once_whatever_the_number_of_arms(
    n_arms, planned, tmp_path, monkeypatch
):
    plan = planned(RATES)
    prepare_all(plan.arms, tmp_path, quiet)
    looks = []
    monkeypatch.setattr(
        hashlib, "file_digest", lambda *given, look=hashlib.file_digest: looks.append(1) or look(*given)
    )
    prepare_all(plan.arms[:n_arms], tmp_path, quiet)
    assert (len(looks), READS) == (1, [0])


def test_the_array_is_what_numpy_writes_of_all_clips(planned, tmp_path):
    recipe = planned(RATES).arms[0].recipe
    found = prepare_sounds(recipe, tmp_path / "data", quiet)
    slack, rate = found.clips.slack, recipe.model.sample_rate
    sounds = [s for s in source_of(recipe).read() if isinstance(s, Sound)]
    whole = np.stack([cut_clip(s, recipe.model.n_samples, slack, rate) for s in sounds])
    np.save(tmp_path / "whole.npy", whole)
    assert (found.folder / "clips.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
    record = (found.folder / "clips.json").read_text()
    assert f'"array": "{hashlib.sha256(whole.tobytes()).hexdigest()}"' in record


def test_no_more_than_one_clip_is_held_while_preparing(planned, tmp_path, monkeypatch):
    recipe = planned(RATES).arms[0].recipe
    alive, most = weakref.WeakSet(), 0

    class Held(np.ndarray):
        __hash__ = object.__hash__

    def cut(*given):
        nonlocal most
        clip = cut_clip(*given).view(Held)
        alive.add(clip)
        most = max(most, len(alive))
        return clip

    monkeypatch.setattr(prepare, "cut_clip", cut)
    prepare_sounds(recipe, tmp_path, quiet)
    assert 1 <= most <= 2


def test_memory_does_not_grow_with_the_number_of_sounds(planned, tmp_path):
    peaks = []
    for n in (10, 110):
        recipe = planned(RATES, f"data.n_sounds={n}").arms[0].recipe
        tracemalloc.start()
        prepare_sounds(recipe, tmp_path / str(n), quiet)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    one_clip = 4 * (recipe.model.n_samples + 882)
    assert peaks[1] - peaks[0] < 20 * one_clip  # of 100 more


def test_clips_of_a_run_are_mapped_and_its_batches_read_the_map(planned, tmp_path):
    recipe = planned(RATES).arms[0].recipe
    folder = prepare_sounds(recipe, tmp_path, quiet).folder
    clips = load_clips(folder)
    assert isinstance(clips.audio, np.memmap)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batches = Batches(clips, recipe, {}, 0, torch.device("cpu"))
        batch = batches(3)
    start = clips.audio.ctypes.data
    assert start <= batches.clips.data_ptr() < start + clips.audio.nbytes
    rows = [clips.rows(held_out=False)[i] for i in batches.rows(3)]
    inner = slice(clips.slack, clips.slack + recipe.model.n_samples)
    assert np.array_equal(batch.numpy(), clips.audio[rows][..., inner])


def test_what_a_run_writes_to_its_clips_stays_in_the_run(planned, tmp_path):
    folder = prepare_sounds(planned(RATES).arms[0].recipe, tmp_path, quiet).folder
    load_clips(folder).audio[:] = 0
    assert verified_clips(folder).audio.any()


def test_a_run_hashes_the_array_only_where_it_was_written_to_since(planned, tmp_path, monkeypatch):
    folder = prepare_sounds(planned(RATES).arms[0].recipe, tmp_path, quiet).folder
    looked = []
    monkeypatch.setattr(
        clips_module,
        "_verify",
        lambda *given, verify=clips_module._verify: looked.append(1) or verify(*given),
    )
    load_clips(folder)
    assert looked == []
    array = folder / "clips.npy"
    data = bytearray(array.read_bytes())
    data[-4] ^= 1
    array.write_bytes(data)
    later = (folder / "clips.json").stat().st_mtime_ns + 1_000_000
    os.utime(array, ns=(later, later))
    with pytest.raises(CheckpointError, match="is damaged"):
        load_clips(folder)
    os.utime(array, ns=(0, 0))
    with pytest.raises(CheckpointError, match="is damaged"):
        verified_clips(folder)


DAMAGE = {
    "shorter": lambda whole: whole[:-4],
    "longer": lambda whole: whole + bytes(4),
    "of no array": lambda whole: b"something else",
    "empty": lambda whole: b"",
    "of fewer clips": lambda whole: whole[: -((len(whole) - 128) // 20)].replace(b"(20,", b"(19,", 1),
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("look", [load_clips, verified_clips])
def test_an_array_of_another_size_is_told_without_a_hash(look, how, planned, tmp_path, monkeypatch):
    folder = prepare_sounds(planned(RATES).arms[0].recipe, tmp_path, quiet).folder
    array = folder / "clips.npy"
    array.write_bytes(DAMAGE[how](array.read_bytes()))
    os.utime(array, ns=(0, 0))
    with pytest.raises(CheckpointError, match=r"clips\.npy is not what was prepared"):
        look(folder)


@pytest.mark.parametrize("look", [load_clips, verified_clips])
def test_an_array_that_is_gone_is_told(look, planned, tmp_path):
    folder = prepare_sounds(planned(RATES).arms[0].recipe, tmp_path, quiet).folder
    (folder / "clips.npy").unlink()
    with pytest.raises(CheckpointError, match=r"clips\.npy is not what was prepared"):
        look(folder)


def test_a_full_disk_is_told_and_leaves_nothing(planned, tmp_path, monkeypatch):
    recipe = planned(RATES).arms[0].recipe

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", full)
    with pytest.raises(MachineError, match=r"clips\.npy could not be written: No space left"):
        prepare_sounds(recipe, tmp_path / "data", quiet)
    assert [*(tmp_path / "data").iterdir()] == []


def test_sounds_with_other_channels_than_asked_for_are_their_data_sets_fault(planned, tmp_path):
    recipe = planned(RATES).arms[0].recipe
    source = source_of(recipe)
    source.channels = 2
    with pytest.raises(PluginError, match=r"taps.*gave kit0/snare0\.wav the shape \[2, 4096\]"):
        prepare_clips(source, recipe.data, recipe.model, tmp_path / "data")
    assert not (tmp_path / "data").exists()
