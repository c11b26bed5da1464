"""A folder as people have it: some of it is no sound, some of it is odd, and the rest trains."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from conftest import TINY

pytestmark = pytest.mark.slow
CODE = "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"


def hit(seconds=0.2, rate=44100, channels=1, seed=0):
    t = np.arange(round(seconds * rate)) / rate
    return 0.5 * np.random.default_rng(seed).uniform(-1, 1, (len(t), channels)) * np.exp(-t / 0.03)[:, None]


@pytest.fixture
def folder(tmp_path):
    sounds = tmp_path / "sounds"
    for number, kit in enumerate(("one", "two", "three")):
        (sounds / kit).mkdir(parents=True)
        for i in range(3):
            soundfile.write(sounds / kit / f"hit-{i}.wav", hit(seed=100 + 3 * number + i), 44100)
    odd = sounds / "odd"
    odd.mkdir()
    (odd / "readme.txt").write_text("words")
    (odd / "words.wav").write_text("words")
    (odd / "nothing.wav").write_bytes(b"")
    soundfile.write(odd / "empty.wav", np.zeros((0, 1)), 44100)
    soundfile.write(odd / "silent.wav", np.zeros((4410, 1)), 44100)
    soundfile.write(odd / "whole.flac", hit(seed=1), 44100)
    (odd / "cut.flac").write_bytes((odd / "whole.flac").read_bytes()[:4000])
    soundfile.write(odd / "eight.wav", hit(seed=2), 22050, subtype="PCM_U8")
    soundfile.write(odd / "deep.wav", hit(seed=3), 44100, subtype="PCM_24")
    soundfile.write(odd / "fast.wav", hit(rate=96000, seed=4), 96000)
    soundfile.write(odd / "wide.wav", hit(channels=2, seed=5), 44100)
    soundfile.write(odd / "short.wav", hit(0.03, seed=6), 44100)
    return sounds


def run(out, *more, data):
    settings = [s for s in TINY if not s.startswith("data=")]
    command = [sys.executable, "-c", CODE, "percussion_small", "--data", str(data), "--out", str(out)]
    arguments = [f"--set={s}" for s in (*settings, *more)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=300)


def test_case_30_every_file_gets_a_verdict_and_the_good_rest_trains(folder, tmp_path):
    done = run(tmp_path / "out", data=folder)
    assert done.returncode == 0, done.stderr
    assert "15 sounds:" in done.stdout
    assert "6 skipped" in done.stdout
    [file] = (tmp_path / "out").glob("data/*/skipped.jsonl")
    skipped = {
        row["name"].rpartition("/")[2]: row["reason"]
        for row in map(json.loads, file.read_text().splitlines())
    }
    assert set(skipped) == {"readme.txt", "words.wav", "nothing.wav", "empty.wav", "silent.wav", "cut.flac"}
    assert all(skipped.values())


def test_case_39_strict_stops_where_a_sound_would_be_skipped(folder, tmp_path):
    done = run(tmp_path / "out", "data.strict=true", data=folder)
    assert done.returncode == 3
    assert "6 of 21 sounds cannot be used" in done.stderr


def test_case_32_sounds_that_change_after_the_plan_are_noticed(folder, tmp_path):
    assert run(tmp_path / "out", data=folder).returncode == 0
    soundfile.write(folder / "one" / "hit-0.wav", hit(seed=77), 44100)
    done = run(tmp_path / "out", data=folder)
    assert done.returncode == 3
    assert "the sounds have changed" in done.stderr


def test_a_run_says_how_its_sounds_are_split_and_another_split_is_another_run(tmp_path):
    sounds = tmp_path / "sounds"
    for kit, count in (("909", 3), ("foley", 20)):
        (sounds / kit).mkdir(parents=True)
        for i in range(count):
            soundfile.write(sounds / kit / f"{i:03d}.wav", hit(seed=1000 * count + i), 44100)
    done = run(tmp_path / "out", data=sounds)
    assert done.returncode == 0, done.stderr
    assert "split: 2 groups; held out: 1 group, 3 of 23 sounds (13.0%, asked 20%): 909" in done.stdout
    assert "13.0% held out where 20% was asked for" in done.stdout
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert (plan["data"]["held_out"], plan["data"]["held_out_groups"]) == (3, ["909"])
    assert all(line in done.stdout for line in plan["data"]["split"])
    other = run(tmp_path / "out", 'data.split_by="file"', data=sounds)
    assert other.returncode == 6
    assert 'data.split_by: "auto" -> "file"' in other.stderr
    assert len(list((tmp_path / "out" / "data").iterdir())) == 2
