"""A folder of sounds as it is read: what is lost is told, what changes is read again, and one recording stays one."""

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from flowvae.cli.main import main
from flowvae.contracts import Skipped, Sound
from flowvae.data import reading, sounds
from flowvae.data.sounds import prepare_sounds
from flowvae.errors import DataError
from flowvae.folder.clip_records import PreparedClips
from flowvae.recipe import read_recipe, resolve

RATE = 44_100


def hit(seed, n=8000):
    t = np.arange(n) / RATE
    noise = np.random.default_rng(seed).standard_normal(n)
    return 0.5 * np.sin(2 * np.pi * (60 + 41 * seed) * t) * np.exp(-15 * t) + 0.05 * noise * np.exp(-60 * t)


@pytest.fixture
def many(tmp_path):
    """Makes a folder of sounds."""

    def many(n, kits=4):
        for i in range(n):
            (tmp_path / "sounds" / f"kit-{i % kits}").mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / "sounds" / f"kit-{i % kits}" / f"{i:03d}.wav", hit(i), RATE)
        return tmp_path / "sounds"

    return many


@pytest.fixture
def prepared(catalogue, tiny, tmp_path):
    """The prepared sounds of a folder, and what was said meanwhile."""

    def prepared(folder, *more):
        settings = (*tiny, f'data={{ use = "folder", path = "{folder}" }}', "data.held_out=0.3", *more)
        said = []
        recipe = resolve(read_recipe("percussion_small", settings), catalogue)
        return prepare_sounds(recipe, tmp_path / "data", said.append), said

    return prepared


def test_case_39_more_than_half_lost_is_refused_unless_it_is_asked_for(many, prepared):
    folder = many(8)
    for i in range(9):
        (folder / f"broken-{i}.wav").write_bytes(b"RIFF" + bytes(40))
    with pytest.raises(
        DataError, match=r"9 of 17 sounds cannot be used, more than 50%: 9 x cannot be decoded"
    ):
        prepared(folder)
    assert not (folder.parent / "data").exists() or not list((folder.parent / "data").glob("*/*"))
    found, _ = prepared(folder, "data.most_skipped=1")
    assert (len(found.clips.info), found.skipped) == (8, 9)
    (folder / "broken-8.wav").unlink()
    assert prepared(folder)[0].skipped == 8


def test_case_39_what_is_no_sound_or_there_twice_is_not_lost(many, prepared):
    folder = many(8)
    for i in range(20):
        (folder / f"notes-{i}.txt").write_text("words")
        os.link(folder / "kit-0" / "000.wav", folder / f"again-{i}.wav")
        (folder / f"copy-{i}.wav").write_bytes((folder / "kit-1" / "001.wav").read_bytes())
    assert prepared(folder)[0].skipped == 60


def test_case_39_flowvae_data_says_the_same_as_a_run(many, capsys):
    folder = many(8)
    for i in range(9):
        (folder / f"broken-{i}.wav").write_bytes(b"RIFF" + bytes(40))
    assert main(["data", str(folder)]) == 3
    assert "more than 50%" in capsys.readouterr().err


def session(folder, n=12):
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(
        folder / "session.wav", np.concatenate([np.pad(hit(i), (0, RATE // 2)) for i in range(n)]), RATE
    )


@pytest.mark.parametrize("split_by", ["auto", "folder", "file"])
def test_hits_of_one_recording_are_on_one_side(split_by, many, prepared):
    folder = many(8)
    session(folder)
    found, said = prepared(folder, f'data.split_by="{split_by}"', "model.n_samples=8192")
    sides = {clip.held_out for clip in found.clips.info if clip.name.startswith("session.wav/")}
    assert len(sides) == 1
    assert sum(clip.name.startswith("session.wav/") for clip in found.clips.info) == 12
    assert any(line.startswith("20 sounds:") for line in said)


def test_one_recording_alone_can_be_trained_on_and_is_foretold_by_nobody(catalogue, prepared, tmp_path):
    session(tmp_path / "one")
    found, _ = prepared(tmp_path / "one", "model.n_samples=8192")
    assert 0 < found.n_held_out < len(found.clips.info) == 12
    assert (
        main(["check", "percussion_small", "--data", str(tmp_path / "one"), "--set=model.n_samples=8192"])
        == 0
    )


def test_a_survey_proposes_a_length_for_the_hits_and_not_for_their_recording(tmp_path, capsys):
    session(tmp_path / "one", 30)
    assert main(["data", str(tmp_path / "one"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["used"] > 10
    assert told["proposed_n_samples"] < 2 * RATE


def test_case_32_sounds_that_change_while_they_are_read_are_read_again(many, prepared, monkeypatch):
    folder = many(8)
    gone, changed = folder / "kit-1" / "001.wav", folder / "kit-2" / "002.wav"
    whole, reads = reading.read_sounds, []

    def meddling(source, say):
        reads.append(source)
        for number, item in enumerate(whole(source, say)):
            if len(reads) == 1 and number == 5:
                gone.unlink()
                soundfile.write(changed, hit(99), RATE)
            yield item

    monkeypatch.setattr("flowvae.data.prepare.read_sounds", meddling)
    found, said = prepared(folder)
    assert len(reads) == 2
    assert "the sounds changed while they were read: once more" in said
    assert len(found.clips.info) == 7
    assert [path.parent.name for path in found.folder.parent.glob(f"*/{PreparedClips.file}")] == [
        found.folder.name
    ]


def test_case_32_sounds_that_change_all_the_time_are_refused(many, prepared, monkeypatch):
    folder = many(8)
    whole = reading.read_sounds

    def meddling(source, say):
        yield from whole(source, say)
        with (folder / "growing.wav").open("ab") as growing:
            growing.write(b"more")

    monkeypatch.setattr("flowvae.data.prepare.read_sounds", meddling)
    with pytest.raises(DataError, match="change while they are read"):
        prepared(folder)
    assert sounds.MOST_READINGS == 3


class Named:
    """Sounds that are known by name."""

    def fingerprint(self):
        return "0" * 64

    def names(self):
        yield from ((f"{i}", f"{i}") for i in range(6000))

    def read(self):
        for i in range(6000):
            yield (
                Skipped(f"{i}", "no sound") if i % 2 else Sound(f"{i}", f"{i}", np.zeros((1, 1), np.float32))
            )


def test_case_40_reading_says_how_far_it_is(monkeypatch):
    said, now = [], (0.002 * i for i in itertools.count())
    assert len(list(reading.read_sounds(Named(), said.append, lambda: next(now)))) == 6000
    assert said == ["  2,500 of 6,000 sounds read", "  5,000 of 6,000 sounds read"]


CODE = """
import sys
from pathlib import Path
from flowvae.catalogue import Catalogue
from flowvae.data.sounds import prepare_sounds
from flowvae.recipe import read_recipe, resolve
def peak(): return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
settings = ("data=folder", f"data.path={sys.argv[1]}", "data.held_out=0.3", "model.n_samples=4096", *sys.argv[3:])
recipe = resolve(read_recipe("percussion_small", settings), Catalogue.installed())
before = peak()
prepare_sounds(recipe, Path(sys.argv[2]), lambda line: None)
print(peak() - before)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="tells the peak of memory")  # noqa: PTH110
def test_case_40_a_few_hundred_sounds_take_next_to_no_memory(many, tmp_path):
    folder = many(400, 20)
    command = [
        sys.executable,
        "-c",
        CODE,
        str(folder),
        str(tmp_path / "out"),
        "losses.multi_scale_mel.n_ffts=[512,256]",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert int(done.stdout) < 60_000  # kilobytes: 8 000 of clips, 1 200 of fingerprints, and the code
