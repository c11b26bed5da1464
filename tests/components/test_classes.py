"""Claims of the table of classes beside a folder: what it says counts, and what does not fit is told with its line."""

import numpy as np
import pytest
import soundfile

from flowvae.contracts import Refused, Sound
from flowvae.data.outlook import look_ahead
from flowvae.data.sounds import prepare_sounds
from flowvae.errors import RecipeError
from flowvae.recipe import read_recipe, resolve
from flowvae.testing import dataset as conformance
from flowvae_components.datasets.classes import read_classes
from flowvae_components.datasets.folder import Folder

FILES = ("a/kick-1.wav", "a/2.wav", "b/3.wav", "b/4.wav", "b/\N{LATIN SMALL LETTER E WITH ACUTE}.wav")


@pytest.fixture
def kits(tmp_path):
    """Two kits, and what stands in the table beside them."""
    for seed, name in enumerate(FILES):
        (tmp_path / "kits" / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).standard_normal(2000) * np.exp(-np.arange(2000) / 300)
        soundfile.write(tmp_path / "kits" / name, 0.1 * noise, 44_100)

    def write(text, place="classes.csv"):
        (tmp_path / place).write_bytes(text.encode() if isinstance(text, str) else text)
        return Folder(44_100, 1, 4096, path=tmp_path / "kits", classes=tmp_path / place)

    return write


WHOLE = "file,class\n" + "".join(f"{name},{kind}\n" for name, kind in zip(FILES, "xyxyx", strict=True))


def sounds(source):
    return {item.name: item for item in source.read() if isinstance(item, Sound)}


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_a_folder_with_classes_keeps_the_contract(check, kits):
    source = kits("file,class\na/2.wav,snare\n")
    check(lambda rate, channels, n: Folder(rate, channels, n, path=source.path, classes=source.classes))


def test_the_table_counts_before_the_name_and_its_silence_is_noted(kits):
    found = sounds(kits("license,Class, FILE \ncc0,  Long  Snare,a/kick-1.wav\n,, \n\ncc0,,b/4.wav\n"))
    assert {name: s.label for name, s in found.items() if s.label} == {"a/kick-1.wav": "long snare"}
    assert {n for n, s in found.items() if s.note == "no class in classes.csv"} == {*FILES} - {"a/kick-1.wav"}


def test_without_a_table_nothing_is_said_of_classes(kits):
    source = Folder(44_100, 1, 4096, path=kits("file,class\n").path)
    assert not any(sound.label or sound.note for sound in sounds(source).values())


def test_a_name_is_found_however_its_accents_are_written(kits):
    assert sounds(kits("\ufefffile,class\r\nb/e\u0301.wav,bell\r\n"))[FILES[-1]].label == "bell"


def test_a_quoted_name_may_hold_a_comma(tmp_path):
    (tmp_path / "c.csv").write_text('file,class\n"a, b.wav","x"\n')
    assert read_classes(tmp_path / "c.csv", ["a, b.wav"]) == {"a, b.wav": "x"}


def test_a_table_among_the_sounds_is_no_sound(kits):
    source = kits(WHOLE, "kits/a/classes.csv")
    assert [item.name for item in source.read()] == sorted(FILES)


BAD = {
    "no such column": ("name,kind\n", 'line 1: there is no column "file"; the columns are: name, kind'),
    "another separator": ("file;class\n", 'there is no column "file"; the columns are: file;class'),
    "empty": ("", "the columns are: none"),
    "a column twice": ("file,class,Class\n", 'there are two columns "class"'),
    "a file that is not there": (
        "file,class\na/kick-1.wav,x\nkick-1.wav,x\n",
        'classes.csv, line 3: there is no file "kick-1.wav"; did you mean "a/kick-1.wav"?',
    ),
    "a class twice": (
        "file,class\na/2.wav,x\n\na/2.wav,x\n",
        'line 4: "a/2.wav" has a class from line 2',
    ),
    "a row that is cut": ("file,class\na/2.wav\n", "line 2: 1 cells under 2 columns"),
    "not UTF-8": (b"file,class\na/2.wav,caf\xe9\n", "line 2: this is not UTF-8: byte 0xe9"),
    "an open quote": ('file,class\n"a/2.wav,x\n', "this is no CSV"),
    "control characters": ("file,class\na/2.wav,x\x07y\n", "line 2: the class holds characters"),
    "many": ("file,class\n" + "q,x\n" * 9, "; and 6 more"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_told_with_the_line(kits, text, said):
    with pytest.raises(Refused) as caught:
        kits(text)
    assert said in str(caught.value)
    assert caught.value.key == "classes"


def test_a_table_that_is_not_there_is_told(kits):
    path = kits(WHOLE).path
    with pytest.raises(Refused, match=r"gone\.csv: there is no such file"):
        Folder(44_100, 1, 4096, path=path, classes=path / "gone.csv")


def test_a_folder_that_is_not_there_is_told_as_without_a_table(tmp_path):
    (tmp_path / "c.csv").write_text("file,class\na.wav,x\n")
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        list(Folder(44_100, 1, 4096, path=tmp_path / "gone", classes=tmp_path / "c.csv").read())


def test_sounds_are_prepared_anew_where_their_classes_change_and_only_there(kits):
    same = kits(WHOLE), kits(WHOLE + "\n", "moved.csv")
    assert same[0].fingerprint() == same[1].fingerprint()
    other = kits(WHOLE.replace("a/2.wav,y", "a/2.wav,x"), "other.csv")
    assert other.fingerprint() != same[0].fingerprint()
    assert Folder(44_100, 1, 4096, path=other.path).fingerprint() not in {
        source.fingerprint() for source in (*same, other)
    }


def recipe_of(source, catalogue, tmp_path):
    text = f'data = {{ use = "folder", path = "{source.path}", classes = "classes.csv", held_out = 0.4 }}\n'
    (tmp_path / "mine.toml").write_text(
        f'extends = "percussion_small"\n{text}[evaluation]\nmetrics = ["si_sdr"]\n'
    )
    return resolve(read_recipe(str(tmp_path / "mine.toml")), catalogue)


def test_a_recipe_finds_the_table_beside_it_and_keeps_its_classes(kits, catalogue, tmp_path):
    recipe = recipe_of(kits(WHOLE), catalogue, tmp_path)
    clips = prepare_sounds(recipe, tmp_path / "data", lambda _: None).clips
    assert {clip.name: clip.label for clip in clips.info} == dict(zip(FILES, "xyxyx", strict=True))
    outlook = look_ahead(recipe)
    assert (outlook.held_out, outlook.told) == (len(clips.rows(held_out=True)), clips.told)


def test_a_fault_of_the_table_is_told_with_the_line_that_names_it(kits, catalogue, tmp_path):
    recipe = recipe_of(kits(WHOLE), catalogue, tmp_path)
    (tmp_path / "classes.csv").write_text("file,class\nq.wav,x\n")
    for use in (look_ahead, lambda mine: prepare_sounds(mine, tmp_path / "data", lambda _: None)):
        with pytest.raises(RecipeError) as caught:
            use(recipe)
        [fault] = caught.value.faults
        assert fault.path == "data.classes"
        assert "mine.toml:" in str(fault.place)
        assert "classes.csv, line 2" in fault.what
