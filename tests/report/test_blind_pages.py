"""The pages of the blind tests: what is drawn, what is heard, and what nobody can read from them."""

import base64
import itertools
import json
import re
import shutil
from collections import Counter

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter

from blind_listeners import make, session_of
from flowvae.cli.main import main
from flowvae.errors import AblationError, CheckpointError, UsageError
from flowvae.folder.blind_records import Keys
from flowvae.report.blind import sheets
from flowvae.report.blind.takes import NotComparable, couple, loudness
from pretended_runs import RATE

LAST = "audio/step-000000500"
SEEDS = [3.0, 3.1, 3.2, 3.3, 3.4, 3.5]


@pytest.fixture
def folder(runs):
    return runs([SEEDS, SEEDS], n_clips=3)


def page_of(folder, test="abx"):
    return (folder / "listening" / f"{test}.html").read_text(encoding="utf-8")


def data_of(page):
    return json.loads(re.search(r'id="test">(.*?)</script>', page, re.DOTALL)[1])


def bytes_of(text):
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8)


def words_of(text):
    return np.frombuffer(base64.b64decode(text), dtype="<u4")


def samples_of(text):
    """As the page's script unmasks them, written anew and one word after the other."""
    first, *masked = (int(word) for word in words_of(text))
    plain = []
    for i, word in enumerate(masked, 1):
        x = (first + i * 0x9E3779B9) % 2**32
        x = (x ^ x >> 16) * 0x85EBCA6B % 2**32
        x = (x ^ x >> 13) * 0xC2B2AE35 % 2**32
        plain.append(word ^ x ^ x >> 16)
    return np.array(plain, dtype="<u4").view("<i2").astype(float)


def test_a_seed_draws_the_same_pages_again_and_another_one_draws_others(folder):
    make(folder, seed=7)
    pages, key = [page_of(folder, test) for test in ("abx", "preference")], Keys.read(folder / "listening")
    make(folder, seed=7)
    assert [page_of(folder, test) for test in ("abx", "preference")] == pages
    assert Keys.read(folder / "listening") == key
    make(folder, seed=8)
    assert page_of(folder) != pages[0]


def test_without_a_seed_nobody_draws_the_key_again(folder):
    first, _ = make(folder, seed=None)
    both, _ = make(folder, seed=None)
    secrets = {key.secret for key in both.values()}
    assert len(secrets) == 2
    assert all(len(secret) == 32 for secret in secrets)
    # The key of the earlier page is kept: its answers may be on their way.
    assert first.items() <= both.items()


def test_each_clip_and_seed_is_asked_about_once_and_all_of_them_in_turn(folder):
    tests, _ = make(folder)
    for test in ("abx", "preference"):
        asked = [(q.clip, q.seed) for q in tests[session_of(tests, test)].questions]
        assert len(asked) == len(set(asked)) == 16
        clips, seeds = (Counter(column) for column in zip(*asked, strict=True))
        assert sorted(clips.values()) == [5, 5, 6]
        assert set(seeds.values()) <= {2, 3}


def test_x_and_sides_are_fair_coins_that_do_not_know_of_each_other(folder):
    """400 questions: each of the three counts stays within four standard deviations of one half."""
    n, counts, by_page = 0, Counter(), set()
    for seed in range(25):
        tests, _ = make(folder, seed=seed)
        questions = tests[session_of(tests)].questions
        by_page.add(sum(question.x == "a" for question in questions))
        for question in questions:
            n += 1
            counts["x is a"] += question.x == "a"
            counts["a is snake"] += question.a == "snake"
            counts["x is snake"] += {"a": question.a, "b": question.b}[question.x] == "snake"
    assert n == 400
    assert all(abs(counts[name] - 200) <= 40 for name in ("x is a", "a is snake", "x is snake"))
    assert len(by_page) > 3  # no page is evened out: the last answers would follow from the first ones


def test_a_page_but_for_its_sounds_and_its_session_is_the_same_whatever_the_key(folder):
    def without_sounds(seed):
        make(folder, seed=seed)
        page = page_of(folder)
        for question in data_of(page)["questions"]:
            for sound in question["sounds"]:
                page = page.replace(sound, "")
        return page.replace(data_of(page)["session"], "")

    pages = {without_sounds(seed) for seed in range(4)}
    assert len(pages) == 1
    [page] = pages
    for word in ("snake", "leaky", "drum-", "seed", "kick", "ablation", "runs/"):
        assert word not in re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)


def test_all_sounds_of_a_question_take_the_same_room(folder):
    shorter = folder / "runs/snake/seed-0" / LAST / "00-drum-0.wav"
    audio, _ = soundfile.read(shorter)
    soundfile.write(shorter, audio[:-1001], RATE, subtype="PCM_16")
    make(folder)
    for test, n_sounds in (("abx", 3), ("preference", 2)):
        for question in data_of(page_of(folder, test))["questions"]:
            assert len(question["sounds"]) == n_sounds
            assert len({len(sound) for sound in question["sounds"]}) == 1
            assert {*question} == {"rate", "channels", "sounds"}


def test_the_bytes_of_x_agree_with_neither_side_more_than_any_bytes_do(folder):
    tests, _ = make(folder)
    questions = data_of(page_of(folder))["questions"]
    n, agreeing = 0, Counter()
    for question, key in zip(questions, tests[session_of(tests)].questions, strict=True):
        sounds = dict(zip("abx", map(bytes_of, question["sounds"]), strict=True))
        assert len({sound.tobytes() for sound in sounds.values()}) == 3
        n += len(sounds["x"])
        agreeing["same"] += np.count_nonzero(sounds["x"] == sounds[key.x])
        agreeing["other"] += np.count_nonzero(sounds["x"] == sounds["b" if key.x == "a" else "a"])
    four_deviations = 4 * (n / 256) ** 0.5
    assert all(abs(agreeing[side] - n / 256) < four_deviations for side in ("same", "other"))


def test_x_is_heard_as_the_side_that_the_key_says_but_for_a_dither_of_its_own(folder):
    tests, _ = make(folder, n=6)
    for question, key in zip(
        data_of(page_of(folder))["questions"], tests[session_of(tests)].questions, strict=True
    ):
        sounds = dict(zip("abx", map(samples_of, question["sounds"]), strict=True))
        other = "b" if key.x == "a" else "a"
        apart = np.abs(sounds["x"] - sounds[key.x])
        assert 0 < apart.max() <= 3
        assert np.abs(sounds["x"] - sounds[other]).max() > 50


def test_both_sides_are_as_loud_and_neither_is_louder_than_it_came(folder):
    for path in (folder / "runs" / "snake").glob(f"seed-*/{LAST}/*.wav"):
        audio, _ = soundfile.read(path)
        soundfile.write(path, 0.3 * audio, RATE, subtype="PCM_16")
    tests, _ = make(folder, n=6)
    for question, key in zip(
        data_of(page_of(folder))["questions"], tests[session_of(tests)].questions, strict=True
    ):
        a, b, x = (samples_of(sound)[:, None] / 32767 for sound in question["sounds"])
        assert loudness(a, RATE) == pytest.approx(loudness(b, RATE), abs=0.02)
        assert loudness(x, RATE) == pytest.approx(loudness(b, RATE), abs=0.02)
        [path] = (folder / f"runs/{key.a}/seed-{key.seed}/{LAST}").glob(f"*-{key.clip}.wav")
        came, _ = soundfile.read(path)
        assert np.abs(a).max() <= np.abs(came).max() + 3 / 32767


# The two filters of ITU-R BS.1770-4 as it prints them, for 48 kHz.
SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)
NO_LOWS = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)


@pytest.mark.parametrize("hz", [40, 100, 300, 1000, 3000, 8000])
def test_sounds_are_as_far_apart_in_loudness_as_the_filters_of_the_standard_say(hz):
    rate = 48_000
    t = np.arange(rate) / rate

    def standard(audio):
        filtered = lfilter(*NO_LOWS, lfilter(*SHELF, audio))
        return 10 * np.log10(np.mean(filtered**2))

    drum = np.sin(2 * np.pi * hz * t) * np.exp(-t / 0.1)
    noise = np.random.default_rng(0).standard_normal(rate) * np.exp(-t / 0.05)
    apart = loudness(drum[:, None], rate) - loudness(noise[:, None], rate)
    assert apart == pytest.approx(standard(drum) - standard(noise), abs=0.1)
    assert loudness(0.5 * drum[:, None], rate) == pytest.approx(
        loudness(drum[:, None], rate) - 6.02, abs=0.01
    )


def write(path, audio, rate=RATE):
    soundfile.write(path, audio, rate, subtype="PCM_16")
    return path


def test_a_mono_sound_beside_a_stereo_one_is_heard_on_both_channels(tmp_path):
    tone = 0.5 * np.sin(np.arange(RATE // 3) / 9)
    found = couple(
        write(tmp_path / "00-a.wav", tone), write(tmp_path / "01-a.wav", np.stack([tone, tone], axis=1))
    )
    np.testing.assert_allclose(found.one, found.other, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda audio: (0.02 * audio, RATE), "34 dB louder"),
        (lambda audio: (0 * audio, RATE), "silent"),
        (lambda audio: (audio, 2 * RATE), "samples a second"),
    ],
)
def test_two_sounds_that_no_level_is_fair_to_are_left_out_with_the_reason(folder, tmp_path, change, said):
    path = folder / "runs/snake/seed-0" / LAST / "00-drum-0.wav"
    write(path, *change(soundfile.read(path)[0]))
    with pytest.raises(NotComparable, match=said):
        couple(path, folder / "runs/snake/seed-1" / LAST / "00-drum-0.wav")
    tests, lines = make(folder, n=20)
    assert any(said in line and "drum-0, seed 0, snake and leaky_relu" in line for line in lines)
    assert len(tests[session_of(tests)].questions) == 17


def test_clips_of_one_number_and_two_names_are_not_compared(folder):
    path = folder / "runs/snake/seed-0" / LAST / "00-drum-0.wav"
    path.rename(path.with_name("00-cymbal.wav"))
    tests, lines = make(folder, n=20)
    assert "left out: cymbal, seed 0, snake and leaky_relu: the other is drum-0" in lines
    assert len(tests[session_of(tests)].questions) == 17


def test_a_run_without_sounds_is_named_and_the_others_are_asked_about(folder):
    shutil.rmtree(folder / "runs/leaky_relu/seed-2/audio")
    shutil.rmtree(folder / "runs/snake/seed-3" / LAST)
    tests, lines = make(folder)
    assert {q.seed for q in tests[session_of(tests)].questions} == {0, 1, 4, 5}
    assert "left out: leaky_relu, seed 2, has no sounds of step 500" in lines
    assert "left out: snake, seed 3, has no sounds of step 500" in lines


def test_arms_without_a_sound_in_common_end_with_9_and_write_nothing(folder, capsys):
    for run in (folder / "runs" / "leaky_relu").glob("seed-*"):
        shutil.rmtree(run / "audio")
    with pytest.raises(AblationError, match="snake and leaky_relu have 0 sounds"):
        make(folder)
    assert main(["listen", str(folder)]) == 9
    assert "audio_examples" in capsys.readouterr().err
    assert not (folder / "listening").exists()


def test_too_few_and_too_many_questions_are_refused_with_what_to_do(runs):
    many = runs([SEEDS] * 5, names=("a", "b", "c", "d", "snake"), n_clips=3)
    with pytest.raises(UsageError, match="4 pairs of arms with 16 questions each are 64"):
        make(many)
    with pytest.raises(UsageError, match="--questions 5 can show nothing"):
        make(many, arms=("a", "b"), n=5)
    with pytest.raises(UsageError, match="has no arm snak") as caught:
        make(many, arms=("a", "snak"))
    assert caught.value.do.startswith("did you mean snake?")
    with pytest.raises(UsageError, match="compares two arms"):
        make(many, arms=("a",))
    tests, _ = make(many, arms=("b", "d"))
    assert {frozenset((q.a, q.b)) for q in tests[session_of(tests)].questions} == {frozenset("bd")}


def test_one_arm_alone_is_refused(runs):
    with pytest.raises(UsageError, match="has one arm"):
        make(runs([SEEDS], names=("a",), n_clips=3))


def test_fewer_sounds_than_asked_for_are_said(folder):
    _, lines = make(folder, n=20)
    assert any(
        "18 questions (there are no 20 sounds of a clip and a seed in common)" in line for line in lines
    )


def test_several_pairs_are_asked_about_in_one_page_as_often_as_each_other(runs):
    tests, lines = make(runs([SEEDS] * 3, names=("a", "b", "c"), n_clips=3))
    pairs = Counter(frozenset((q.a, q.b)) for q in tests[session_of(tests)].questions)
    assert pairs == {frozenset("ab"): 16, frozenset("ac"): 16}
    in_order = [frozenset((q.a, q.b)) == frozenset("ab") for q in tests[session_of(tests)].questions]
    assert sum(one != next_ for one, next_ in itertools.pairwise(in_order)) > 8  # the pairs are mixed
    assert "a or b: 16 questions, 12 right answers show a difference" in lines


def test_a_key_that_is_changed_after_its_page_was_made_judges_nothing(folder):
    tests, _ = make(folder)
    session = session_of(tests)
    path = folder / "listening" / "key.json"
    content = json.loads(path.read_text())
    question = content["tests"][session]["questions"][0]
    question["x"] = "b" if question["x"] == "a" else "a"
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="is not that of its page"):
        sheets.key_of(folder / "listening", Keys.read(folder / "listening"), session)


def test_a_page_loads_nothing_from_elsewhere(folder):
    make(folder)
    for test in ("abx", "preference"):
        page = page_of(folder, test)
        assert "default-src 'none'" in page
        assert not re.findall(r"https?://|src=|@import|url\(", page)


def test_two_sounds_beyond_full_scale_are_both_lowered_until_neither_is_cut(folder):
    runs = folder / "runs"
    one, other = (runs / arm / "seed-0" / LAST / "00-drum-0.wav" for arm in ("snake", "leaky_relu"))
    for path, louder in ((one, 3.0), (other, 5.0)):
        audio, rate = soundfile.read(path)
        soundfile.write(path, louder * audio / np.abs(audio).max(), rate, subtype="FLOAT")
    found = couple(one, other)
    assert max(np.abs(sound).max() for sound in (found.one, found.other)) == pytest.approx(1.0)
    assert loudness(found.one, RATE) == pytest.approx(loudness(found.other, RATE), abs=0.1)
