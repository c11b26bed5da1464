"""Claims of the mix: names and groups of each source apart, weights that hold over epochs, and what is told when it does not fit."""

import numpy as np
import pytest
import soundfile
import torch
from attrs import evolve

from flowvae.ablation.drive import run_recipe
from flowvae.contracts import BuiltNamedDataset, Refused, Skipped, Sound, Weighed
from flowvae.data.batches import Batches
from flowvae.data.outlook import look_ahead
from flowvae.data.sounds import prepare_sounds, source_of
from flowvae.errors import DataError, RecipeError, UsageError
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.identity import counting_leaves
from flowvae.recipe.writing import write_recipe
from flowvae.streams import SeededStream
from flowvae.testing import dataset as conformance
from flowvae_components.datasets.mix import Mix


class Tones:
    """As many sounds as are asked for, of one class in two groups; it does not know their names before."""

    def __init__(self, rate, channels, n_samples, *, n=4, label="", weight=1.0, pitch=0.1):
        self.rate, self.channels, self.n, self.label, self.weight = rate, channels, n, label, weight
        self.pitch = pitch

    def fingerprint(self):
        return f"{self.rate}{self.n}".ljust(64, "0")

    def read(self):
        yield Skipped("broken.wav", "no sound")
        for i in range(self.n):
            audio = np.sin(np.arange(1, self.rate // 20) * (self.pitch + i / 50))[None].repeat(
                self.channels, 0
            )
            sound = audio.astype(np.float32)
            yield Sound(f"{i % 2}/{i}", f"{i % 2}", sound, label=self.label, weight=self.weight)


class NamedTones(Tones):
    def names(self):
        yield from ((f"{i % 2}/{i}", f"{i % 2}", self.label) for i in range(self.n))


def of(make=Tones, **values):
    return lambda rate, channels, n_samples: make(rate, channels, n_samples, **values)


def mix(*sources):
    return Mix(8000, 1, 1024, sources=tuple(Weighed(*source) for source in sources))


TWO = (("a", of(label="x"), 2.0), ("b", of(n=2, weight=3.0, pitch=0.7), 0.5))


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [Tones, NamedTones])
def test_a_mix_keeps_the_contract(check, make):
    sources = (Weighed("a", of(make), 2.0), Weighed("b", of(make, n=2, pitch=0.7)))
    check(lambda rate, channels, n: Mix(rate, channels, n, sources=sources))


def test_sounds_and_groups_of_one_name_stay_apart_and_weights_are_multiplied():
    found = list(mix(*TWO).read())
    sounds = [(s.name, s.group, s.label, s.weight) for s in found if isinstance(s, Sound)]
    assert sounds[:2] == [("a/0/0", "a/0", "x", 2.0), ("a/1/1", "a/1", "x", 2.0)]
    assert sounds[4:] == [("b/0/0", "b/0", "", 1.5), ("b/1/1", "b/1", "", 1.5)]
    assert [s.name for s in found if isinstance(s, Skipped)] == ["a/broken.wav", "b/broken.wav"]


def test_a_sound_that_two_sources_hold_is_used_once():
    """Else one of them may be trained on while the other is held out."""
    found = list(mix(("a", of(n=2), 1.0), ("b", of(n=4), 1.0)).read())
    assert [s.name for s in found if isinstance(s, Sound)] == ["a/0/0", "a/1/1", "b/0/2", "b/1/3"]
    assert [s for s in found if isinstance(s, Skipped)][2:] == [
        Skipped("b/0/0", "the same sound as a/0/0"),
        Skipped("b/1/1", "the same sound as a/1/1"),
    ]
    with pytest.raises(FileNotFoundError, match="source b has no usable sound: 2 x a sound of a"):
        list(mix(("a", of(n=2), 1.0), ("b", of(n=2), 1.0)).read())


def test_names_are_known_where_every_source_knows_its_own():
    assert not isinstance(mix(("a", of(NamedTones), 1.0), ("b", of(Tones), 1.0)), BuiltNamedDataset)
    both = mix(("a", of(NamedTones, n=1, label="x"), 1.0), ("b", of(NamedTones, n=1), 1.0))
    assert list(both.names()) == [("a/0/0", "a/0", "x"), ("b/0/0", "b/0", "")]


@pytest.mark.parametrize(
    "other",
    [
        [("a", of(), 1.0), TWO[1]],
        [("a", of(), 2.0), ("c", *TWO[1][1:])],
        [("a", of(n=3), 2.0), TWO[1]],
        [TWO[1], TWO[0]],
    ],
    ids=["weight", "name", "content", "order"],
)
def test_the_fingerprint_is_of_all_that_makes_a_mix(other):
    assert mix(*other).fingerprint() != mix(*TWO).fingerprint()


@pytest.mark.parametrize("make", [Tones, NamedTones])
def test_a_source_without_a_sound_is_told_and_not_passed_over(make):
    source = mix(("a", of(make), 1.0), ("b", of(make, n=0), 1.0))
    with pytest.raises(FileNotFoundError, match="source b has no usable sound: 1 x no sound"):
        list(source.read())
    if make is NamedTones:
        with pytest.raises(FileNotFoundError, match="source b has no usable sound"):
            list(source.names())


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_draws_nothing_is_refused(weight):
    with pytest.raises(Refused, match="weight of a must be above 0"):
        mix(("a", of(), weight))
    with pytest.raises(Refused, match="at least one"):
        mix()


MIXED = """
extends = "percussion_small"
[data]
use = "mix"
[data.sources.loud]
use = "synthetic_percussion"
n_sounds = 72
weight = 2
[data.sources.soft]
use = "synthetic_percussion"
n_sounds = 48
seed = 1
[model]
n_samples = 2048
channels = 2
"""


@pytest.fixture(scope="module")
def mixed(catalogue, tmp_path_factory):
    """The recipe above, and its sounds as a run finds them; tests do not change them."""
    folder = tmp_path_factory.mktemp("mixed")
    (folder / "mixed.toml").write_text(MIXED)
    recipe = resolve(read_recipe(str(folder / "mixed.toml"), ("train.batch_size=1",)), catalogue)
    return recipe, prepare_sounds(recipe, folder / "data", lambda _: None).clips


def batches_of(mixed, seed=0):
    return Batches(mixed[1], mixed[0], {}, seed, torch.device("cpu"))


@pytest.fixture
def recipe(catalogue, tmp_path):
    def write(text=MIXED, *settings):
        (tmp_path / "mixed.toml").write_text(text)
        return resolve(read_recipe(str(tmp_path / "mixed.toml"), settings), catalogue)

    return write


def test_a_recipe_says_weights_in_the_tables_of_the_sources(recipe, catalogue, tmp_path):
    mixed = recipe()
    assert [source.weight for source in source_of(mixed).sources] == [2.0, 1.0]
    assert counting_leaves(mixed)["data.sources.loud.weight"] == 2.0
    (tmp_path / "again.toml").write_text(write_recipe(mixed))
    again = resolve(read_recipe(str(tmp_path / "again.toml")), catalogue)
    assert counting_leaves(again) == counting_leaves(mixed)
    heavier = recipe(MIXED, "data.sources.soft.weight=4")
    assert source_of(heavier).fingerprint() != source_of(mixed).fingerprint()


def test_the_split_is_foretold_and_both_sources_are_held_out(mixed):
    recipe, clips = mixed
    outlook = look_ahead(recipe)
    assert (outlook.sounds, outlook.told) == (120, clips.told)
    held = [clip for clip in clips.info if clip.held_out]
    assert {clip.name.partition("/")[0] for clip in held} == {"loud", "soft"}
    assert {clip.weight for clip in clips.info if clip.name.startswith("loud/")} == {2.0}
    trained = {clip.group for clip in clips.info if not clip.held_out}
    assert not trained & {clip.group for clip in held}


@pytest.mark.parametrize(
    ("settings", "path", "said"),
    [
        (("data.sources.loud.weight=0",), "data.sources.loud.weight", "out of range"),
        (("data.sources.loud.weight=-2",), "data.sources.loud.weight", "out of range"),
        (('data.sources.loud.weight="much"',), "data.sources.loud.weight", "not a number"),
        (("data.sources.loud.held_out=0.5",), "data.sources.loud.held_out", 'no key "held_out"'),
        (("data.sources.loud.n_sounds=0",), "data.sources.loud.n_sounds", "n_sounds must be"),
        (("data.sources={}", "data.sources.loud=false", "data.sources.soft=false"), "data.sources", "at least one"),
        (('data.sources.loud="snare"',), "data.sources.loud", "snare"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_at_its_key(recipe, settings, path, said):
    with pytest.raises(RecipeError) as caught:
        look_ahead(recipe(MIXED, *settings))
    [fault] = caught.value.faults
    assert fault.path == path
    assert said in fault.what


def test_a_mix_without_sources_is_told(recipe):
    with pytest.raises(RecipeError) as caught:
        recipe('extends = "percussion_small"\ndata = "mix"\n')
    assert [fault.path for fault in caught.value.faults] == ["data.sources"]


def write_kit(folder, names):
    for seed, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng([seed, *folder.name.encode()]).standard_normal((2000, 1 + seed % 2))
        soundfile.write(folder / name, 0.1 * noise * np.exp(-np.arange(2000) / 300)[:, None], 44_100)


def in_folders(tmp_path, *names):
    text = "".join(
        f'[data.sources.{name}]\nuse = "folder"\npath = "{(tmp_path / name).as_posix()}"\n' for name in names
    )
    return f'extends = "percussion_small"\n[data]\nuse = "mix"\n{text}[model]\nn_samples = 2048\n'


def test_folders_of_classes_are_no_kits_in_a_mix_either(recipe, tmp_path):
    names = [f"{kind}/{i}.wav" for kind in ("kicks", "snares") for i in range(5)]
    write_kit(tmp_path / "one", names)
    write_kit(tmp_path / "two", [f"kit-{k}/{i}.wav" for k in range(5) for i in range(2)])
    clips = prepare_sounds(recipe(in_folders(tmp_path, "one", "two")), tmp_path / "d", lambda _: None).clips
    groups = {clip.name: clip.group for clip in clips.info}
    assert groups["two/kit-0/0.wav"] == "two/kit-0"
    assert {clip.held_out for clip in clips.info if clip.name.startswith("one/kicks/")} == {False, True}


def test_an_empty_folder_is_told_by_the_name_of_its_source(recipe, tmp_path):
    write_kit(tmp_path / "one", ["a.wav", "b.wav", "c.wav"])
    (tmp_path / "none").mkdir()
    mixed = recipe(in_folders(tmp_path, "one", "none"))
    for use in (look_ahead, lambda r: prepare_sounds(r, tmp_path / "d", lambda _: None)):
        with pytest.raises(DataError, match="source none has no usable sound"):
            use(mixed)


def test_no_place_on_this_machine_is_told_of_a_source(recipe, tmp_path):
    mixed = recipe(in_folders(tmp_path, "one"))
    assert str(tmp_path) in mixed.data.said()
    assert str(tmp_path) not in mixed.data.said(paths=False)


def counted(batches, epochs):
    """How often each row comes in each epoch."""
    n = len(batches.names)
    drawn = torch.cat([batches.rows(step) for step in range(epochs * n // batches.size)])
    return torch.stack([part.bincount(minlength=n) for part in drawn.split(n)])


def test_a_sound_of_weight_two_is_drawn_twice_as_often(mixed):
    batches = batches_of(mixed)
    counts = counted(batches, 60).numpy()
    loud = np.array([name.startswith("loud/") for name in batches.names])
    share = len(loud) / (2 * loud.sum() + (~loud).sum())
    for which, expected in ((loud, 2 * share), (~loud, share)):
        assert counts[:, which].min() >= np.floor(expected)
        assert counts[:, which].max() <= np.ceil(expected)
        # Of 60 epochs every sound has its part: the spread of a lot in each, four times over.
        spread = (60 * (expected % 1) * (1 - expected % 1)) ** 0.5
        assert abs(counts[:, which].sum(0) - 60 * expected).max() < 4 * spread
        # All sounds of a source together have their share in every single epoch.
        assert abs(counts[:, which].sum(1) - expected * which.sum()).max() < 1


def test_sources_of_other_weights_are_mixed_within_an_epoch(mixed):
    batches = batches_of(mixed)
    n, is_loud = len(batches.names), torch.tensor([name.startswith("loud/") for name in batches.names])
    drawn = torch.cat([batches.rows(step) for step in range(60 * n // batches.size)])
    early = sum(int(is_loud[epoch[: n // 2]].sum()) for epoch in drawn.split(n))
    # Half of them, as far as chance goes.
    assert early / int(is_loud[drawn].sum()) == pytest.approx(0.5, abs=0.05)


def test_a_batch_stays_a_function_of_seed_and_step(mixed):
    there, back, other = (batches_of(mixed, seed) for seed in (0, 0, 1))
    steps = range(250)
    rows = [there.rows(step) for step in steps]
    assert all(torch.equal(back.rows(step), rows[step]) for step in reversed(steps))
    assert not all(torch.equal(other.rows(step), rows[step]) for step in steps)


@pytest.mark.parametrize("weight", [1, 3])
def test_equal_weights_change_no_batch(mixed, weight):
    recipe, clips = mixed
    alike = evolve(clips, info=tuple(evolve(clip, weight=float(weight)) for clip in clips.info))
    batches, count = batches_of((recipe, alike)), len(clips.rows(held_out=False))
    for epoch in range(2):
        order = torch.randperm(count, generator=SeededStream.of(0, "order", epoch).generator)
        rows = [batches.rows(step) for step in range(epoch * count, (epoch + 1) * count)]
        assert torch.equal(torch.cat(rows), order)


def test_output_is_never_written_among_the_sounds_of_a_source(recipe, tmp_path, catalogue):
    write_kit(tmp_path / "one", ["a.wav", "b.wav", "c.wav"])
    recipe(in_folders(tmp_path, "one"))
    source = read_recipe(str(tmp_path / "mixed.toml"))
    with pytest.raises(UsageError, match="lies inside the sounds"):
        run_recipe(source, tmp_path / "one" / "out", lambda _: None, catalogue)
