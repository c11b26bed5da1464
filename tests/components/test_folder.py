"""Claims of the folder data set: what it uses, what it refuses with which reason, and what it survives."""

import hashlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from flowvae.contracts import Skipped, Sound
from flowvae.testing import dataset as conformance
from flowvae_components.audio_files import candidates, decoding, listing, opening
from flowvae_components.datasets import folder
from flowvae_components.datasets.folder import Folder

RATE = 44_100


def hit(seconds=0.2, rate=RATE, channels=1, seed=0, level=0.5):
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal((len(t), channels))
    sound = noise * np.exp(-t / 0.02)[:, None]
    return level * sound / np.abs(sound).max()


def save(path, audio=None, rate=RATE, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, hit() if audio is None else audio, rate, **options)
    return path


def read(path, **options):
    items = list(Folder(RATE, 1, 16_384, path=path, **options).read())
    sounds = {item.name: item for item in items if isinstance(item, Sound)}
    return sounds, {item.name: item.reason for item in items if isinstance(item, Skipped)}


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_folder_keeps_the_contract(check, tmp_path):
    save(tmp_path / "kit a" / "kick.wav", hit(seed=1))
    save(tmp_path / "kit b" / "snare.flac", hit(seed=2, channels=2))
    save(tmp_path / "kit b" / "silence.wav", np.zeros(100))
    check(lambda rate, channels, n: Folder(rate, channels, n, path=tmp_path))


def test_case_30_what_is_not_audio_is_named_and_the_rest_is_used(tmp_path):
    save(tmp_path / "good.wav")
    (tmp_path / "drumkit.xml").write_text("<kit/>")
    (tmp_path / "LICENSE").write_text("free")
    (tmp_path / "text.wav").write_text("no sound at all")
    (tmp_path / "random.flac").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "nothing.wav").write_bytes(b"")
    (tmp_path / "header.wav").write_bytes(save(tmp_path / "h.wav").read_bytes()[:20])
    (tmp_path / "h.wav").unlink()
    (tmp_path / "folder.wav").mkdir()
    save(tmp_path / "zero.wav", np.zeros((0, 1)))
    sounds, skipped = read(tmp_path)
    assert list(sounds) == ["good.wav"]
    assert skipped.pop("header.wav").startswith("cannot be decoded")
    assert skipped.pop("random.flac").startswith("cannot be decoded")
    assert skipped == {
        "drumkit.xml": "not audio",
        "LICENSE": "not audio",
        "text.wav": "cannot be decoded: Format not recognised",
        "nothing.wav": "empty file",
        "zero.wav": "no samples in it",
    }


def test_case_34_a_file_too_large_for_memory_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "sparse.wav").open("wb") as file:
        file.truncate(300 << 20)
    assert read(tmp_path)[1] == {"sparse.wav": "too large: 300 MB, at most 256 MB are read"}


def test_case_30_hidden_files_are_passed_over_quietly(tmp_path):
    save(tmp_path / "a.wav")
    for hidden in ("._a.wav", ".git/b.wav"):
        save(tmp_path / hidden, hit(seed=3))
    (tmp_path / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    sounds, skipped = read(tmp_path)
    assert (list(sounds), skipped) == (["a.wav"], {})


def test_case_31_special_files_are_never_opened(tmp_path):
    save(tmp_path / "kit" / "a.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "nowhere.wav")
    (tmp_path / "round.wav").symlink_to(tmp_path / "round.wav")
    (tmp_path / "kit" / "parent").symlink_to(tmp_path)
    (tmp_path / "linked.wav").symlink_to(tmp_path / "kit" / "a.wav")
    (tmp_path / "zero.wav").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket.wav"))
        started = time.monotonic()
        sounds, skipped = read(tmp_path)
    assert time.monotonic() - started < 5
    assert list(sounds) == ["kit/a.wav"]
    assert skipped == {
        "dangling.wav": "a link that leads nowhere, or gone since",
        "kit/parent": "not a file but a link to a folder",
        "linked.wav": "the same file as kit/a.wav",
        "pipe.wav": "not a file but a pipe",
        "round.wav": "a link that leads nowhere",
        "socket.wav": "not a file but a socket",
        "zero.wav": "not a file but a device",
    }


@pytest.fixture
def never_waiting():
    """Whatever waits for another process ends in an error instead."""

    def late(*_):
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("never_waiting")
def test_case_31_a_pipe_that_takes_the_place_of_a_file_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no longer a file"):
        opening.contents(os.fsencode(tmp_path / "pipe"))


def test_case_31_a_folder_nested_deeper_than_pythons_stack_is_read(tmp_path):
    save(tmp_path / "a.wav")
    (tmp_path / "top").mkdir()
    place = os.open(tmp_path / "top", os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.symlink("/dev/null", "deepest.wav", dir_fd=place)
    os.close(place)
    sounds, skipped = read(tmp_path)
    # Test runners remove folders by recursion.
    subprocess.run(["rm", "-r", tmp_path / "top"], check=True)
    assert list(sounds) == ["a.wav"]
    assert list(skipped.values()) == ["not a file but a device"]


def test_case_33_a_wav_that_was_cut_is_used_and_said_to_be(tmp_path):
    content = save(tmp_path / "cut.wav", hit(1.0)).read_bytes()
    (tmp_path / "cut.wav").write_bytes(content[: len(content) // 2])
    content = save(tmp_path / "cut.aiff", hit(1.0, seed=1)).read_bytes()
    (tmp_path / "cut.aiff").write_bytes(content[: len(content) // 2])
    content = save(tmp_path / "cut.flac", hit(1.0)).read_bytes()
    (tmp_path / "cut.flac").write_bytes(content[: len(content) // 2])
    sounds, skipped = read(tmp_path)
    assert "cut short: header says 44100 frames, 22039 found" in sounds["cut.wav"].note
    assert "cut short: header says 44100 frames" in sounds["cut.aiff"].note
    assert skipped == {"cut.flac": "cannot be decoded: flac decoder lost sync"}


def test_case_33_a_stream_without_a_length_is_not_called_cut(tmp_path):
    content = bytearray(save(tmp_path / "stream.wav").read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = b"\xff" * 4
    (tmp_path / "stream.wav").write_bytes(content)
    assert "cut" not in read(tmp_path)[0]["stream.wav"].note


def test_case_34_headers_that_lie_are_refused_before_anything_is_allocated(tmp_path):
    flac = bytearray(save(tmp_path / "huge.flac").read_bytes())
    flac[21] |= 0x0F
    flac[22:26] = b"\xff" * 4
    (tmp_path / "huge.flac").write_bytes(flac)
    wav = bytearray(save(tmp_path / "rate.wav").read_bytes())
    wav[24:28] = struct.pack("<I", 999_999_999)
    (tmp_path / "rate.wav").write_bytes(wav)
    save(tmp_path / "slow.wav", rate=11)
    save(tmp_path / "many.wav", hit(channels=64))
    save(tmp_path / "long.wav", np.zeros(8000 * 601), rate=8000)
    flac = bytearray(save(tmp_path / "dense.flac").read_bytes())
    flac[22:26] = struct.pack(">I", 20_000_000)
    (tmp_path / "dense.flac").write_bytes(flac)
    sounds, skipped = read(tmp_path)
    assert sounds == {}
    assert skipped.pop("huge.flac").startswith("too long")
    assert skipped.pop("dense.flac").startswith("its header claims 20000000 frames")
    assert skipped.pop("long.wav") == "too long: 601 s, at most 600 s are read"
    assert skipped.pop("many.wav") == "64 channels, at most 32 are read"
    assert all("rate of" in skipped[name] for name in ("rate.wav", "slow.wav"))
    # By way of a shell: a direct child would be charged with all the memory that torch takes here.
    code = "import resource, sys; from pathlib import Path; from flowvae_components.datasets.folder import Folder; "
    code += "list(Folder(44100, 1, 16, path=Path(sys.argv[1])).read()); "
    code += "print(max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))"
    command = ["sh", "-c", '"$0" "$@"; exit $?', sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(done.stdout) < 300_000


def test_case_35_numbers_that_are_none_are_refused_and_huge_ones_are_levelled(tmp_path):
    broken = hit(0.1).astype(np.float32)
    broken[100], broken[200:202] = np.nan, np.inf
    save(tmp_path / "broken.wav", broken, subtype="FLOAT")
    save(tmp_path / "huge.wav", hit(0.1, 48_000, level=3.4e38), rate=48_000, subtype="FLOAT")
    save(tmp_path / "loud.wav", hit(0.1, level=1.29, seed=4), subtype="FLOAT")
    save(tmp_path / "tiny.wav", hit(0.1, seed=5) * np.float64(1e-40), subtype="FLOAT")
    sounds, skipped = read(tmp_path)
    assert skipped == {"broken.wav": "3 non-finite samples, first at 100", "tiny.wav": skipped["tiny.wav"]}
    assert skipped["tiny.wav"].startswith("silent")
    assert "far above full scale" in sounds["huge.wav"].note
    assert "above full scale: peak 1.29" in sounds["loud.wav"].note
    assert np.abs(sounds["huge.wav"].audio).max() == pytest.approx(0.95)


def test_case_38_silence_is_refused_whatever_it_is_made_of(tmp_path):
    save(tmp_path / "zeros.wav", np.zeros(4000))
    bit = np.random.default_rng(0).integers(-1, 2, 4000) / 32768
    save(tmp_path / "bit.wav", bit)
    save(tmp_path / "offset.wav", np.full(4000, 0.3))
    save(tmp_path / "offset and bit.wav", 0.3 + bit)
    left = hit(0.1)
    save(tmp_path / "cancels.wav", np.hstack([left, -left]))
    sounds, skipped = read(tmp_path)
    assert sounds == {}
    assert skipped["zeros.wav"] == "silent: peak 0"
    assert skipped["bit.wav"] == "silent: peak 3.1e-05"
    assert skipped["offset.wav"] == skipped["offset and bit.wav"] == "silent: nothing but an offset"
    assert skipped["cancels.wav"] == "silent: its channels cancel"


@pytest.mark.parametrize(("n", "rate"), [(1, 44_100), (3, 44_100), (44, 44_100), (7, 8000), (95, 96_000)])
def test_case_37_what_is_shorter_than_a_millisecond_is_no_sound(n, rate, tmp_path):
    save(tmp_path / "shard.wav", hit(1.0, rate)[:n], rate=rate)
    sounds, skipped = read(tmp_path)
    assert sounds == {}
    assert skipped["shard.wav"] == f"too short: {n} of at least {-(-rate // 1000)} samples"


@pytest.mark.parametrize("n", [100, 1323])
@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
def test_case_37_a_short_sound_is_used_whole(n, rate, tmp_path):
    save(tmp_path / "short.wav", hit(1.0, rate)[:n], rate=rate)
    sounds, _ = read(tmp_path)
    audio = sounds["short.wav"].audio
    assert audio.shape == (1, max(1, round(n * RATE / rate)))
    assert np.abs(audio).max() == pytest.approx(0.95)


def test_case_37_no_more_than_the_last_quarter_of_a_short_sound_is_faded(tmp_path):
    given = hit(1.0)[:100]
    save(tmp_path / "short.wav", given, subtype="FLOAT")
    audio = read(tmp_path)[0]["short.wav"].audio[0]
    scale = 0.95 / np.abs(given).max()
    assert np.allclose(audio[:75], scale * given[:75, 0], atol=1e-6)
    assert abs(audio[-1]) < 0.01 * abs(scale * given[-1, 0])


def test_case_30_a_name_may_lie_about_what_is_inside(tmp_path):
    save(tmp_path / "a.wav", hit(seed=1), format="AIFF")
    save(tmp_path / "b.wav", hit(seed=2), format="FLAC")
    save(tmp_path / "c.dat", hit(seed=3), format="WAV")
    save(tmp_path / "plain", hit(seed=4), format="OGG")
    save(tmp_path / "D.WAV", hit(seed=5), format="WAVEX")
    sounds, skipped = read(tmp_path)
    assert skipped == {}
    assert "named .wav, AIFF inside" in sounds["a.wav"].note
    assert "named .wav, FLAC inside" in sounds["b.wav"].note
    assert [sounds[name].note for name in ("c.dat", "plain", "D.WAV")] == ["", "", ""]


def test_case_40_hostile_names_are_shown_escaped_and_stay_apart(tmp_path):
    names = [b"\xff.wav", b"\\xff.wav", b"line\nbreak.wav", b"\x1b[31m.wav", "\u202egnp.wav".encode()]
    names += ["e\u0301.wav".encode(), "\u00e9.wav".encode(), b"-rf.wav", b"..wav".replace(b"..", b"a..")]
    for number, name in enumerate(names):
        save(tmp_path / "new.wav", hit(seed=number))
        (tmp_path / "new.wav").rename(tmp_path / os.fsdecode(name))
    sounds, skipped = read(tmp_path)
    assert skipped == {}
    assert len(sounds) == len(names)
    assert all(name.isprintable() and name.encode() for name in sounds)
    assert {"\\xff.wav", "\\\\xff.wav", "line\\nbreak.wav", "\\u202egnp.wav"} <= sounds.keys()
    # The order is that of the bytes, also on a file system with another taste.
    assert [file.relative for file in listing.list_files(os.fsencode(tmp_path))] == sorted(names)


def test_copies_are_used_once_and_the_first_is_named(tmp_path):
    audio = (32767 * hit()).astype(np.int16)
    save(tmp_path / "a" / "one.wav", audio)
    save(tmp_path / "b" / "two.flac", audio)
    save(tmp_path / "c" / "both sides.wav", np.hstack([audio, audio]))
    save(tmp_path / "d" / "other.wav", hit(seed=9))
    sounds, skipped = read(tmp_path)
    assert list(sounds) == ["a/one.wav", "d/other.wav"]
    assert skipped == dict.fromkeys(("b/two.flac", "c/both sides.wav"), "the same sound as a/one.wav")


@pytest.mark.parametrize("damaged", ["a.wav", "z.wav"])
def test_case_33_of_two_files_of_one_sound_the_whole_one_is_used_whatever_its_name(damaged, tmp_path):
    content = save(tmp_path / "m.wav", hit(seed=3), subtype="PCM_16").read_bytes()
    place = content.index(b"data") + 4
    claims = int.from_bytes(content[place : place + 4], "little") + 2000
    (tmp_path / damaged).write_bytes(content[:place] + claims.to_bytes(4, "little") + content[place + 4 :])
    save(tmp_path / "other.wav", hit(seed=4))
    sounds, skipped = read(tmp_path)
    assert sounds["m.wav"].note == ""
    assert list(sounds) == ["m.wav", "other.wav"]
    words = "damaged, and the same sound is there whole" if damaged < "m" else "the same sound as m.wav"
    assert skipped == {damaged: words}


def test_case_33_a_damaged_file_is_used_where_no_other_holds_its_sound(tmp_path):
    for name, seed in (("a.wav", 1), ("b.wav", 2)):
        content = save(tmp_path / name, hit(seed=seed), subtype="PCM_16").read_bytes()
        (tmp_path / name).write_bytes(content[:-400])
    sounds, skipped = read(tmp_path)
    assert (list(sounds), skipped) == (["a.wav", "b.wav"], {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_case_32_files_without_permission_are_skipped_with_that_reason(tmp_path):
    save(tmp_path / "secret.wav").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    assert read(tmp_path)[1] == {"closed": "permission denied", "secret.wav": "permission denied"}
    tmp_path.chmod(0)
    with pytest.raises(PermissionError, match="permission denied"):
        read(tmp_path)
    tmp_path.chmod(0o700)


def test_case_32_refused_permission_is_a_reason_and_no_end(tmp_path, monkeypatch):
    save(tmp_path / "a.wav")
    save(tmp_path / "secret.wav", hit(seed=1))
    whole = candidates.contents

    def guarded(path, *n_bytes):
        if b"secret" in path:
            raise PermissionError(13, "Permission denied")
        return whole(path, *n_bytes)

    monkeypatch.setattr(candidates, "contents", guarded)
    sounds, skipped = read(tmp_path)
    assert (list(sounds), skipped) == (["a.wav"], {"secret.wav": "permission denied"})


def test_case_32_a_file_that_goes_during_the_scan_is_a_reason_and_no_end(tmp_path):
    for seed, name in enumerate(("a.wav", "b.wav", "c.wav", "d.wav")):
        save(tmp_path / name, hit(seed=seed))
    items = Folder(RATE, 1, 16_384, path=tmp_path).read()
    found = [next(items)]  # by now b.wav may be read as well
    (tmp_path / "c.wav").unlink()
    found += items
    assert [item.name for item in found if isinstance(item, Sound)] == ["a.wav", "b.wav", "d.wav"]
    assert found[2] == Skipped("c.wav", "a link that leads nowhere, or gone since")


def test_case_32_the_fingerprint_says_that_a_file_could_not_be_read(tmp_path, monkeypatch):
    save(tmp_path / "a.wav")
    readable = Folder(RATE, 1, 16_384, path=tmp_path).fingerprint()

    def refused(path, *_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(folder, "contents", refused)
    assert Folder(RATE, 1, 16_384, path=tmp_path).fingerprint() != readable


def test_a_missing_folder_is_an_error_in_plain_words(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        read(tmp_path / "missing")
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    with pytest.raises(FileNotFoundError, match="a link that leads nowhere"):
        read(tmp_path / "link")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="not a folder"):
        Folder(RATE, 1, 16, path=tmp_path / "file").fingerprint()


def test_groups_are_the_folders_that_hold_the_files(tmp_path):
    for seed, name in enumerate(("x/kit1/deep/a.wav", "x/kit1/b.wav", "x/kit2/c.wav", "01_Kick-3.wav")):
        save(tmp_path / name, hit(seed=seed))
    sounds, _ = read(tmp_path)
    assert {sound.name: sound.group for sound in sounds.values()} == {
        "x/kit1/deep/a.wav": "x/kit1/deep",
        "x/kit1/b.wav": "x/kit1",
        "x/kit2/c.wav": "x/kit2",
        "01_Kick-3.wav": "01_Kick-3.wav",
    }


@pytest.mark.parametrize("group_by", ["folder", "file"])
def test_names_are_known_without_decoding(tmp_path, monkeypatch, group_by):
    for seed, name in enumerate(("kit/a.wav", "kit/b.flac", "c.wav")):
        save(tmp_path / name, hit(seed=seed))
    (tmp_path / "notes.txt").write_text("no sound")
    read_ones = {(sound.name, sound.group) for sound in read(tmp_path, group_by=group_by)[0].values()}
    monkeypatch.setattr(folder, "Decoder", None)
    source = Folder(RATE, 1, 16, path=tmp_path, group_by=group_by)
    assert {row[:2] for row in source.names()} == read_ones


def test_files_without_folders_stand_for_themselves(tmp_path):
    for seed, name in enumerate(("kick_01.wav", "kick_02.wav", "snare.wav")):
        save(tmp_path / name, hit(seed=seed))
    assert all(sound.group == sound.name for sound in read(tmp_path)[0].values())


def test_sounds_can_be_told_to_stand_for_themselves(tmp_path):
    for seed, name in enumerate(("one/a.wav", "one/b.wav", "two/c.wav")):
        save(tmp_path / name, hit(seed=seed))
    alone = read(tmp_path, group_by="file")[0].values()
    assert all(sound.group == sound.name for sound in alone)


def test_the_fingerprint_knows_content_names_and_settings_but_no_place(tmp_path):
    def fingerprint(path, rate=RATE, channels=1, n_samples=16, **options):
        return Folder(rate, channels, n_samples, path=path, **options).fingerprint()

    save(tmp_path / "here" / "kit" / "a.wav")
    (tmp_path / "here" / "notes.txt").write_text("one")
    save(tmp_path / "there" / "kit" / "a.wav")
    first = fingerprint(tmp_path / "here")
    assert first == fingerprint(tmp_path / "there", n_samples=99)
    others = [fingerprint(tmp_path / "here", rate=48_000), fingerprint(tmp_path / "here", channels=2)]
    others += [fingerprint(tmp_path / "here", peak=0.5), fingerprint(tmp_path / "here", group_by="file")]
    (tmp_path / "here" / "kit" / "a.wav").rename(tmp_path / "here" / "kit" / "b.wav")
    others.append(fingerprint(tmp_path / "here"))
    save(tmp_path / "there" / "kit" / "a.wav", hit(seed=1))
    others.append(fingerprint(tmp_path / "there"))
    assert len({first, *others}) == 7


def test_case_40_a_name_that_looks_like_entries_of_the_fingerprint_is_no_other_folder(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    first, last = save(one / "a.wav").read_bytes(), save(one / "b.wav", hit(seed=1)).read_bytes()
    save(other / f"a.wav {len(first)} {hashlib.sha256(first).hexdigest()}\nb.wav").write_bytes(last)
    assert len({Folder(RATE, 1, 16, path=path).fingerprint() for path in (one, other)}) == 2


STAND_IN = """
import os, runpy, signal, sys, time
import soundfile
whole = soundfile.SoundFile
def decode(file):
    content = file.getvalue()
    if b"CRASH" in content: os.kill(os.getpid(), signal.SIGSEGV)
    if b"HANG" in content: time.sleep(20)
    if b"LEAVE" in content: os._exit(3)
    if b"EAT" in content: return bytearray(3 << 30)
    if b"OPEN" in content: open("/etc/passwd")
    if b"SHOUT" in content: os.write(1, b"line\\n" * 200000)
    return whole(file)
soundfile.SoundFile = decode
runpy.run_path({child!r}, run_name="__main__")
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN.format(child=decoding.PROGRAM[-1]))
    monkeypatch.setattr(
        folder, "Decoder", lambda: decoding.Decoder((sys.executable, str(script)), seconds=0.7)
    )


@pytest.mark.usefixtures("stand_in")
def test_case_41_a_decoder_that_crashes_hangs_or_eats_costs_one_file(tmp_path):
    sounds_folder = tmp_path / "sounds"
    for seed, name in enumerate(("a", "c", "e", "g", "i", "k", "m")):
        save(sounds_folder / f"{name}.wav", hit(seed=seed))
    for name, fault in {"b": b"CRASH", "d": b"HANG", "f": b"LEAVE", "h": b"EAT", "j": b"OPEN"}.items():
        (sounds_folder / f"{name}.wav").write_bytes(fault)
    shouting = save(sounds_folder / "l.wav", hit(seed=20))
    shouting.write_bytes(shouting.read_bytes() + b"SHOUT")
    sounds, skipped = read(sounds_folder)
    assert list(sounds) == [f"{name}.wav" for name in "acegiklm"]
    assert skipped == {
        "b.wav": "decoder crashed (signal 11)",
        "d.wav": "decoder took more than 0.7 s",
        "f.wav": "decoder ended without an answer (status 3)",
        "h.wav": "cannot be decoded: needs too much memory",
        "j.wav": "cannot be decoded: OSError",
    }


@pytest.mark.usefixtures("stand_in")
def test_case_41_decoders_side_by_side_keep_the_order_and_lose_the_same_files(tmp_path, monkeypatch):
    faults = {3: b"CRASH", 4: b"HANG", 11: b"LEAVE", 12: b"CRASH", 70: b"CRASH"}
    for i in range(72):
        save(tmp_path / "many" / f"{i:02d}.wav", hit(0.01, seed=i))
        if i in faults:
            (tmp_path / "many" / f"{i:02d}.wav").write_bytes(faults[i])
    found = {}
    for n in (1, 3):
        monkeypatch.setattr(folder, "n_cores", lambda n=n: n)
        items = list(Folder(RATE, 1, 16_384, path=tmp_path / "many").read())
        found[n] = [(i.name, i.audio.tobytes() if isinstance(i, Sound) else i.reason) for i in items]
    assert found[1] == found[3]
    assert [name for name, _ in found[3]] == [f"{i:02d}.wav" for i in range(72)]
    assert sum(type(content) is str for _, content in found[3]) == len(faults)


def test_case_41_an_answer_that_is_none_costs_one_file():
    program = (sys.executable, "-c", "print('ready', flush=True); input(); print('[1]', flush=True); input()")
    with (
        decoding.Decoder(program) as decoder,
        pytest.raises(decoding.UndecodableError, match="without an answer"),
    ):
        decoder.decode(b"\n" * 100)


def test_a_decoder_that_never_starts_is_no_fault_of_the_files():
    with (
        decoding.Decoder((sys.executable, "-c", "")) as decoder,
        pytest.raises(RuntimeError, match="does not start"),
    ):
        decoder.decode(b"")


def test_a_signal_from_the_terminal_does_not_reach_the_decoder(tmp_path):
    content = save(tmp_path / "a.wav").read_bytes()
    with decoding.Decoder() as decoder:
        decoder.decode(content)
        assert os.getsid(decoder.child.pid) != os.getsid(0)


def test_no_child_is_left_when_reading_stops_early(tmp_path):
    save(tmp_path / "a.wav")
    save(tmp_path / "b.wav", hit(seed=1))
    made = []

    class Watched(decoding.Decoder):
        def _start(self):
            made.append(super()._start())
            return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "Decoder", Watched)
        items = Folder(RATE, 1, 16, path=tmp_path).read()
        next(items)
        items.close()
    assert made[0].returncode == 0


def test_case_41_damaged_files_never_stop_the_reading(tmp_path):
    rng = np.random.default_rng(0)
    for ending in ("wav", "aiff", "flac", "ogg", "mp3"):
        whole = save(tmp_path / f"x.{ending}", hit(seed=1)).read_bytes()
        (tmp_path / f"x.{ending}").unlink()
        for number in range(20):
            damaged = bytearray(whole)
            for place in rng.integers(0, min(len(damaged), 400 * (1 + number % 3)), 8):
                damaged[place] = rng.integers(256)
            (tmp_path / f"{number}.{ending}").write_bytes(damaged)
    sounds, skipped = read(tmp_path)
    assert len(sounds) + len(skipped) == 100
    assert all(np.isfinite(sound.audio).all() for sound in sounds.values())


def test_importing_the_folder_needs_no_torch():
    code = "import sys, flowvae_components.datasets.folder; sys.exit('torch' in sys.modules)"
    path = os.pathsep.join(
        str(Path(module.__file__).parents[depth]) for module, depth in ((folder, 2), (conformance, 2))
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, check=False
        ).returncode
        == 0
    )


@pytest.mark.parametrize(("name", "value"), [("peak", 0.0), ("peak", 1.5), ("group_by", "kit")])
def test_wrong_parameters_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name} must"):
        Folder(RATE, 1, 16, **{"path": Path("x"), name: value})
