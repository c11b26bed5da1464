"""Claims of the copies of a sound: they are found whatever was done to them, and held out or trained on as one."""

import json

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from flowvae.cli.survey import survey
from flowvae.data import copies as looking
from flowvae.data.copies import COPY_DB, copies, fingerprint, joined
from flowvae.data.prepare import prepare_clips
from flowvae.data.sounds import source_of
from flowvae.recipe import plan_ablation, read_recipe

RATE = 44100


def hit(seed, channels=1, seconds=0.3):
    generator = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * generator.uniform(60, 400) * t) * np.exp(-t * generator.uniform(8, 30))
    noise = generator.normal(0, 0.3, len(t)) * np.exp(-t * generator.uniform(20, 80))
    return np.repeat((tone + noise)[:, None] * 0.4, channels, 1).astype(np.float32)


ALTERED = {
    "quieter": lambda x: (x * 0.1, RATE, "wav", "PCM_16"),
    "at another rate": lambda x: (soxr.resample(x, RATE, 48000), 48000, "wav", "PCM_24"),
    "at half the rate": lambda x: (soxr.resample(x, RATE, 22050), 22050, "wav", "PCM_16"),
    "later": lambda x: (np.concatenate([np.zeros((37, x.shape[1]), x.dtype), x]), RATE, "wav", "PCM_16"),
    "of a codec": lambda x: (x, RATE, "ogg", "VORBIS"),
    "of unlike channels": lambda x: (x.repeat(2, 1) * np.float32([0.9, 0.4]), RATE, "wav", "PCM_16"),
    "upside down": lambda x: (-x, RATE, "wav", "PCM_16"),
}


def kits(folder, n_kits=6, n_sounds=8):
    for kit in range(n_kits):
        (folder / f"kit{kit}").mkdir(parents=True)
        for i in range(n_sounds):
            kind = ("kick", "snare", "hat", "tom")[i % 4]
            soundfile.write(folder / f"kit{kit}" / f"{kind}{i}.wav", hit(100 * kit + i), RATE)
    return folder


@pytest.fixture
def prepared(write, tiny, catalogue, tmp_path):
    def prepare(folder, *settings):
        path = write("copies.toml", 'extends = "percussion_small"\n')
        data = f'data={{ use = "folder", path = "{folder}" }}'
        recipe = plan_ablation(read_recipe(path, (*tiny, data, *settings)), catalogue).arms[0].recipe
        return prepare_clips(source_of(recipe), recipe.data, recipe.model, tmp_path / "clips")

    return prepare


def sides(clips):
    return {clip.name: (clip.group, clip.held_out) for clip in clips.info}


@pytest.mark.parametrize("how", ALTERED)
def test_a_copy_in_another_kit_is_on_the_side_of_its_original(how, prepared, tmp_path):
    folder = kits(tmp_path / "sounds")
    audio, rate, ending, encoding = ALTERED[how](hit(102))
    soundfile.write(folder / "kit4" / f"mine.{ending}", audio, rate, subtype=encoding)
    clips = prepared(folder)
    found = sides(clips)
    assert found["kit1/hat2.wav"] == found[f"kit4/mine.{ending}"]
    assert {clip.group for clip in clips.info} >= {"kit1 + kit4", "kit0"}
    assert f"copies of one sound, kept on one side: kit1/hat2.wav and kit4/mine.{ending}" in clips.told


def test_sounds_that_are_no_copies_leave_the_split_as_their_names_decide(prepared, tmp_path):
    clips = prepared(kits(tmp_path / "sounds"))
    assert {clip.group for clip in clips.info} == {f"kit{i}" for i in range(6)}
    assert not any("copies" in line for line in clips.told)


def test_sounds_of_no_kit_are_held_out_with_their_copies(prepared, tmp_path):
    folder = tmp_path / "sounds"
    folder.mkdir()
    for i in range(8):
        for level in (0.9, 0.31, 0.11):
            soundfile.write(folder / f"tom{i}-{level}.wav", hit(i) * level, RATE)
    found = sides(prepared(folder, "data.held_out=0.3"))
    assert len(found) == 24
    assert 0 < sum(held for _, held in found.values()) < 24
    for i in range(8):
        assert len({side for name, side in found.items() if name.startswith(f"tom{i}")}) == 1


def test_where_nothing_else_would_be_left_the_copies_on_both_sides_are_named(prepared, tmp_path):
    folder = kits(tmp_path / "sounds", n_kits=2)
    soundfile.write(folder / "kit0" / "mine.wav", hit(103) * 0.1, RATE)
    clips = prepared(folder)
    [line] = [line for line in clips.told if "trained on as well" in line]
    assert "kit0/mine.wav and kit1/tom3.wav" in line
    found = sides(clips)
    assert found["kit0/mine.wav"][1] != found["kit1/tom3.wav"][1]


def test_the_survey_names_copies(tmp_path, capsys):
    folder = kits(tmp_path / "sounds")
    soundfile.write(folder / "kit4" / "mine.wav", hit(102) * 0.1, RATE)
    assert survey(folder, RATE, as_json=True) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["groups"]["kit1 + kit4"] == 17
    assert any("kit1/hat2.wav and kit4/mine.wav" in line for line in content["split"])


@pytest.mark.parametrize("n_samples", [64, 700, 4096])
@pytest.mark.parametrize("rate", [1000, 44100])
def test_a_clip_of_any_length_and_rate_has_a_fingerprint(n_samples, rate):
    clips = np.random.default_rng(0).normal(size=(2, 2, n_samples)).astype(np.float32)
    one, other = (fingerprint(clip, rate) for clip in clips)
    assert one.shape == other.shape
    assert np.isfinite(one).all()
    assert np.isfinite(fingerprint(clips[0] * 0, rate)).all()


def test_copies_are_those_within_the_limit_wherever_the_blocks_end(monkeypatch):
    generator = np.random.default_rng(3)
    prints = generator.uniform(-40, 0, (1100, 60)).astype(np.float32)
    prints[900] = prints[4] + COPY_DB * 0.9
    prints[1099] = prints[600] - COPY_DB * 1.1
    prints[513] = prints[511]
    names = [str(i) for i in range(1100)]
    monkeypatch.setattr(looking, "CELLS", 512 * 1100)
    assert copies(list(prints), names, names) == [(4, 900), (511, 513)]
    assert copies(list(prints), ["one"] * 1100, names) == []


@pytest.mark.parametrize("most", [0, 10, 60])
@settings(deadline=None)  # the first example imports scipy
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 4)), min_size=2, max_size=24),
    st.permutations(range(24)),
)
def test_pairs_that_are_left_out_change_no_join(most, kinds, places):
    """Sounds of a few kinds, those of one kind all alike, in a few kits: first listed whole, then but a few of them."""
    prints = [np.full(60, 5.0 * kind, np.float32) for kind, _ in kinds]
    units = [f"kit{kit}" for _, kit in kinds]
    names = [f"{place}.wav" for place in places[: len(kinds)]]
    whole = copies(prints, units, names)
    with pytest.MonkeyPatch.context() as here:
        here.setattr(looking, "MOST_PAIRS", most)
        here.setattr(looking, "CELLS", 3 * len(kinds))
        few = copies(prints, units, names)
    assert set(few) <= set(whole)
    assert len(few) <= max(most, len(set(units)) - 1)
    assert joined(units, few, names, len(kinds)) == joined(units, whole, names, len(kinds))


def test_the_order_of_reading_does_not_decide_which_pairs_are_kept(monkeypatch):
    monkeypatch.setattr(looking, "MOST_PAIRS", 0)
    monkeypatch.setattr(looking, "CELLS", 3 * 12)
    prints, units = [np.zeros(60, np.float32)] * 12, [f"kit{i % 4}" for i in range(12)]
    names = [f"{(7 * i) % 12:02d}.wav" for i in range(12)]

    def kept(order):
        pairs = copies(prints, [units[i] for i in order], [names[i] for i in order])
        return {frozenset(names[order[i]] for i in pair) for pair in pairs}

    assert len(kept(range(12))) == 3
    assert kept(range(12)) == kept(range(11, -1, -1))


def test_the_order_of_reading_decides_no_join():
    names = ["a", "b", "c", "d"]
    one = joined(names, [(0, 1), (1, 2), (2, 3)], names, 2)
    back = joined(names[::-1], [(3, 2), (2, 1), (1, 0)], names[::-1], 2)
    assert one == back[::-1] == ["a + b", "a + b", "c + d", "c + d"]
