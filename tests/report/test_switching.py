"""The players of the report under a mouse and keys: what sounds, where it stands, and what goes to the loudspeaker."""

import shutil

import numpy as np
import pytest
import soundfile

from driven_chromium import CHROMIUM, browsing, turned_ramp
from flowvae.report.write import write_report
from pretended_runs import BASE, RATE, WORSE

pytestmark = pytest.mark.browser

PLAYING = "[...document.querySelectorAll('.playing button')].map((b) => b.getAttribute('aria-label').slice(5)).join()"
AT = "Number(document.querySelector('.playing')?.style.getPropertyValue('--position') || 0)"


@pytest.fixture
def tab(tmp_path):
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    with browsing(tmp_path / "profile") as found:
        yield found


@pytest.fixture
def long(runs):
    """Two arms of two seeds with ramps of four seconds: the size of each sample is its place, its sign the arm."""
    folder = runs([BASE[:2], WORSE[:2]], n_clips=2)
    ramp = np.linspace(0, 0.9, 4 * RATE)
    for arm, sign in (("snake", 1), ("leaky_relu", -1)):
        for path in (folder / "runs" / arm).glob("seed-*/audio/step-000000500/0*.wav"):
            soundfile.write(path, sign * ramp, RATE, subtype="PCM_16")
    return folder


def no_complaint(tab):
    return tab.said == [] and {address.partition(":")[0] for address in tab.asked} <= {"file", "data"}


def opened(tab, folder):
    tab.open(write_report(folder))


def column(arm, row="#listen .lane"):
    return f"{row} button[aria-label^='Play {arm}']"


def test_a_click_plays_and_going_to_another_column_leaves_no_gap_and_no_jump(long, tab):
    tab.tap()
    opened(tab, long)
    tab.click(".first button[aria-label^='Play snake']")
    tab.until("window.tapped.length > 40000")
    tab.click(".first button[aria-label^='Play leaky_relu']")
    tab.until(f"{PLAYING} === ''")
    size, still = turned_ramp(tab)
    assert len(size) > 3.8 * tab.ask("new AudioContext().sampleRate")
    line = np.polyfit(np.flatnonzero(still), size[still], 1)
    assert np.abs(size - np.polyval(line, np.arange(len(size))))[still].max() < 4 / 32768


def test_another_column_keeps_the_position_and_another_row_begins(long, tab):
    opened(tab, long)
    tab.click(column("snake"))
    tab.until(f"{AT} > 0.2")
    tab.press("ArrowRight")
    tab.until(f"{PLAYING} === 'leaky_relu, drum-0, seed 0'")
    assert tab.ask(AT) > 0.2
    tab.press("1")
    tab.until(f"{PLAYING} === 'target of drum-0'")
    assert tab.ask(AT) > 0.2
    tab.press("ArrowDown")
    tab.until(f"{PLAYING} === 'target of drum-1'")
    assert tab.ask(AT) < 0.2
    tab.press("Escape")
    assert tab.ask(PLAYING) == ""
    assert no_complaint(tab)


def test_the_choice_of_a_seed_goes_on_where_the_other_was(long, tab):
    tab.tap()
    opened(tab, long)
    tab.click(column("snake"))
    tab.until(f"{AT} > 0.3")
    before = tab.ask("window.tapped.at(-1)")
    tab.click("input[name=seed][value='1']")
    tab.until(f"{PLAYING} === 'snake, drum-0, seed 1'")
    assert tab.ask(AT) > 0.3
    tab.ask("window.tapped = []")
    tab.until("window.tapped.length > 8000")
    assert tab.ask("window.tapped.slice(4000).every((x) => x > 0)")
    assert tab.ask("window.tapped.at(-1)") > before > 0


def test_a_sound_ends_by_itself_unless_it_repeats(runs, tab):
    folder = runs([BASE[:2], WORSE[:2]], n_clips=1)
    opened(tab, folder)
    tab.click(column("target"))
    tab.until(f"{PLAYING} === ''")
    tab.press("r", "1")
    tab.until(f"{PLAYING} !== ''")
    tab.ask("new Promise((done) => setTimeout(done, 1000))")
    assert tab.ask(PLAYING) == "target of drum-0"
    assert 0 <= tab.ask(AT) <= 1
    tab.press("r")
    tab.until(f"{PLAYING} === ''")
    assert no_complaint(tab)


def test_a_mono_arm_beside_one_of_two_channels_and_one_without_sound(runs, tab):
    folder = runs([BASE[:1], WORSE[:1], WORSE[:1]], names=("snake", "leaky_relu", "elu"), n_clips=1)
    path = folder / "runs/leaky_relu/seed-0/audio/step-000000500/00-drum-0.wav"
    audio, _ = soundfile.read(path)
    soundfile.write(path, np.stack([audio, -0.5 * audio], axis=1)[:-500], RATE, subtype="PCM_16")
    shutil.rmtree(folder / "runs/elu/seed-0/audio")
    opened(tab, folder)
    for arm in ("target", "snake", "leaky_relu"):
        tab.click(column(arm))
        tab.until(f"{PLAYING}.startsWith('{arm}')")
    assert no_complaint(tab)
