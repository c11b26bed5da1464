"""The pages of the blind tests in a real browser, with keys and clicks as a listener gives them."""

import csv
import io
import json
import urllib.parse

import numpy as np
import pytest
import soundfile

from blind_listeners import make, right, session_of, sheet
from driven_chromium import CHROMIUM, browsing, turned_ramp
from flowvae.report.blind.outcomes import blind
from flowvae.report.blind.sheets import take_in
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import BASE, RATE, WORSE, write_tree

pytestmark = pytest.mark.browser

WHICH = "document.getElementById('which').textContent"
SOUNDS = {"abx": "abx", "preference": "ab"}
PRESSED = "[...document.querySelectorAll('[data-sound]')].findIndex((b) => b.getAttribute('aria-pressed') === 'true')"

CONTRAST = """
(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3)
    .map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = (box) => {
    for (let at = box; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0.5) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const box of document.querySelectorAll("body *")) {
    const own = [...box.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !box.checkVisibility() || box.closest("script, style")) continue;
    const [a, b] = [light(getComputedStyle(box).color), light(paper(box))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), box.tagName + " " + box.textContent.trim().slice(0, 30)]);
  }
  return found;
})()
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A folder with its pages of six questions, and their keys by session."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    folder = write_tree(tmp_path_factory.mktemp("asked") / "ablation", [BASE, WORSE], n_clips=3)
    return folder, make(folder, n=6)[0]


@pytest.fixture
def tab(tmp_path):
    with browsing(tmp_path / "profile") as found:
        yield found


def begin(tab, folder, test="abx", name="Anna"):
    tab.open(folder / "listening" / f"{test}.html")
    tab.click("#listener")
    tab.press(*name, "Enter")


def answer(tab, *choices, test="abx"):
    for choice in choices:
        tab.press(*SOUNDS[test], str(choice), "Enter")


def kept(tab):
    return json.loads(tab.ask("localStorage.getItem(localStorage.key(0))"))


@pytest.mark.parametrize("test", ["abx", "preference"])
def test_a_test_is_taken_with_the_keyboard_alone_and_its_file_says_what_was_answered(
    asked, tab, tmp_path, test
):
    folder, tests = asked
    begin(tab, folder, test, 'An"na, B.')
    choices = [1, 2, 2, 1, 2, 1] if test == "abx" else [1, 2, 3, 3, 2, 1]
    answer(tab, *choices, test=test)
    assert tab.ask("document.activeElement.textContent") == "All 6 answers are locked"
    text = urllib.parse.unquote(tab.ask("document.getElementById('save').href").partition(",")[2])
    assert text == tab.ask("document.getElementById('sheet').value")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["answer"] for row in rows] == [{1: "a", 2: "b", 3: "none"}[choice] for choice in choices]
    assert {(row["session"], row["listener"]) for row in rows} == {(session_of(tests, test), 'An"na, B.')}
    path = tmp_path / "answers.csv"
    path.write_text(text, encoding="utf-8")
    take_in(folder, [path])
    found = [o for o in blind(read_folder(folder), ()).outcomes if o.test == test]
    key = tests[session_of(tests, test)].questions
    if test == "abx":
        assert found[0].hits == sum(q.x == row["answer"] for q, row in zip(key, rows, strict=True))
    else:
        chosen = [{"a": q.a, "b": q.b}.get(row["answer"]) for q, row in zip(key, rows, strict=True)]
        assert (found[0].hits, found[0].ties) == (chosen.count(found[0].arm), 2)
    assert tab.said == []
    assert {address.partition(":")[0] for address in tab.asked} == {"file"}


def test_an_answer_that_is_locked_cannot_be_changed_and_outlives_a_reload(asked, tab):
    begin(tab, asked[0])
    answer(tab, 1, 2)
    assert tab.ask(WHICH) == "Question 3 of 6"
    tab.press("1", "2", "Enter")  # nothing of the next question was heard yet
    assert kept(tab) == {"listener": "Anna", "answers": ["a", "b"]}
    for _ in range(2):
        tab.reload()
        assert tab.ask(WHICH) == "Question 3 of 6"
        assert tab.ask("document.getElementById('start').hidden")
    answer(tab, 1, 1, 1, 1)
    tab.reload()
    assert not tab.ask("document.getElementById('end').hidden")
    answer(tab, 2)
    assert kept(tab)["answers"] == ["a", "b", "a", "a", "a", "a"]


def test_all_sounds_are_heard_before_an_answer_is_taken(asked, tab):
    begin(tab, asked[0])
    said = "document.getElementById('said').textContent"
    assert tab.ask(said) == "Listen first to A and B and X."
    tab.press("a", "x", "1", "Enter")
    assert tab.ask(WHICH) == "Question 1 of 6"
    assert tab.ask(said) == "Listen first to B."
    tab.press("b", "1")
    assert tab.ask(WHICH) == "Question 1 of 6"
    tab.press("2")  # until it is locked, an answer is only chosen
    tab.press("Enter")
    assert kept(tab)["answers"] == ["b"]
    tab.press("a", "1", "Enter")  # what was heard of one question says nothing of the next
    assert kept(tab)["answers"] == ["b"]


def test_a_click_plays_and_a_name_is_asked_for_first(asked, tab):
    tab.open(asked[0] / "listening" / "abx.html")
    tab.click("#begin button")
    assert tab.ask("document.getElementById('question').hidden")
    tab.click("#listener")
    tab.press(*"axb", "Enter")  # letters of a name play nothing
    assert kept(tab)["listener"] == "axb"
    tab.click("#repeat")
    assert tab.ask("document.getElementById('repeat').checked")
    for index in (0, 2, 1):
        tab.click(f"[data-sound='{index}']")
        assert tab.ask(PRESSED) == index
    tab.until("parseFloat(document.querySelector('.position i').style.getPropertyValue('--share')) > 0")
    tab.click("#stop")
    assert tab.ask(PRESSED) == -1
    tab.click("[data-sound='0']")
    tab.press("r")  # no more repetitions: the sound ends by itself
    tab.until(f"{PRESSED} === -1")


def test_another_listener_begins_only_after_the_answers_are_saved(asked, tab):
    begin(tab, asked[0])
    answer(tab, 1, 1, 1, 1, 1, 1)
    tab.click("#again")
    assert not tab.ask("document.getElementById('end').hidden")
    tab.click("#save")
    tab.click("#again")
    assert kept(tab) == {"listener": "", "answers": []}
    assert not tab.ask("document.getElementById('start').hidden")


def test_a_screen_reader_is_told_the_letters_and_nothing_that_tells_them_apart(asked, tab):
    begin(tab, asked[0])
    seen = set()
    for number in range(3):
        names = {name for role, name in tab.tree() if role in {"button", "radio", "group", "checkbox"}}
        seen.add(frozenset(names))
        assert {"Play A", "Play B", "Play X", "X is", "A", "B", "Lock the answer"} <= names
        answer(tab, 1 + number % 2)
    assert len(seen) == 1
    assert ("heading", "Question 4 of 6") in tab.tree()


def test_going_over_to_another_sound_keeps_the_position_and_leaves_no_gap(runs, tab):
    """A rises from 0, B falls from 0 as steeply: the size of each sample is its place, its sign the sound."""
    folder = runs([BASE, WORSE], n_clips=1)
    ramp = np.linspace(0, 0.9, 2 * RATE)
    for arm, sign in (("snake", 1), ("leaky_relu", -1)):
        for path in (folder / "runs" / arm).glob("seed-*/audio/step-000000500/00-*.wav"):
            soundfile.write(path, sign * ramp, RATE, subtype="PCM_16")
    make(folder, n=6)
    tab.tap()
    begin(tab, folder, "preference")
    tab.press("a")
    tab.until("window.tapped.length > 20000")
    tab.press("b")
    tab.until(f"{PRESSED} === -1")
    size, still = turned_ramp(tab)
    rate = tab.ask("new AudioContext().sampleRate")
    wanted = size[0] + np.arange(len(size)) * 0.9 / (2 * rate)
    # Two steps of 16 bits for the dither, one for the rounding.
    assert np.abs(size - wanted)[still].max() < 4 / 32768
    assert size[still].max() > 0.85


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("test", ["abx", "preference"])
def test_letters_stand_out_and_nothing_is_cut_off_on_a_narrow_screen(asked, tab, test, scheme):
    tab.tell("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=True)
    tab.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    tab.open(asked[0] / "listening" / f"{test}.html")

    def looked_at():
        assert tab.ask("document.documentElement.scrollWidth") <= 390
        assert (
            tab.ask(
                "[...document.querySelectorAll('button, label, h1, p')].filter((box) => box.scrollWidth > box.clientWidth + 1"
                " && box.clientWidth > 0).map((box) => box.textContent)"
            )
            == []
        )
        found = tab.ask(CONTRAST)
        assert found
        assert not [words for ratio, words in found if ratio < 4.5]

    looked_at()
    begin(tab, asked[0], test)
    looked_at()
    tab.press(*SOUNDS[test], "1")
    looked_at()
    tab.press("Enter")
    answer(tab, *[1] * 5, test=test)
    looked_at()
    dark = tab.ask("getComputedStyle(document.body).backgroundColor")
    assert (dark == "rgb(23, 24, 27)") == (scheme == "dark")


CUT = """
[...document.querySelectorAll("#blind :is(td, th, small, li, p, h3)")]
  .filter((box) => box.getBoundingClientRect().right > innerWidth + 1 || box.scrollWidth > box.clientWidth + 1)
  .map((box) => box.textContent)
"""


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_the_section_of_the_report_has_room_for_its_words(runs, tab, tmp_path, width):
    folder = runs([BASE, WORSE], n_clips=3)
    tests, _ = make(folder, n=6)
    files = [
        sheet(tmp_path / f"{test}-{name}.csv", session_of(tests, test), name, answers)
        for name in ("Anna", "Bartholomew of the long corridor")
        for test, answers in (("abx", right(tests, session_of(tests))), ("preference", [*"ababab"]))
    ]
    take_in(folder, files)
    page = write_report(folder)
    tab.tell("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    tab.open(page)
    assert tab.ask("document.querySelectorAll('#blind tbody tr').length") == 4
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.ask(CUT) == []
