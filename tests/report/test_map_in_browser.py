"""The map of the latents in a real browser: a click and the keys play what is under them."""

import pytest

from driven_chromium import CHROMIUM, browsing

pytestmark = pytest.mark.browser

MARK = "[...document.querySelectorAll('.marks [role=option]')].find((mark) => mark.getAttribute('aria-label') === {!r})"
NAME = "document.getElementById('map-name').textContent"
SOUNDING = """
[...document.querySelectorAll('.take.playing')].map((take) =>
  `${take.dataset.arm} ${take.dataset.seed} ${take.closest('.lane').dataset.clip}`).join()
"""
LIT = (
    "[...document.querySelectorAll('.marks .sounding')].map((mark) => mark.getAttribute('aria-label')).join()"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    with browsing(tmp_path_factory.mktemp("map") / "profile") as found:
        yield found


@pytest.fixture
def tab(browser, typical):
    """The page with another run than its first chosen; its sounds repeat, so none ends while a test looks."""
    browser.open(typical / "report.html")
    browser.ask("document.getElementById('repeat').click()")
    choose(browser, "arm", "leaky_relu")
    choose(browser, "seed", "2")
    yield browser
    assert browser.said == []


def choose(tab, key, value):
    tab.ask(f"document.querySelector('input[name=map-{key}][value=\"{value}\"]').click()")


def labels(tab):
    return tab.ask(
        "[...document.querySelectorAll('.marks [role=option]')].map((m) => m.getAttribute('aria-label'))"
    )


def click(tab, label):
    """A click of the mouse where the mark goes, not where it is on its way."""
    tab.ask("document.querySelector('.marks').scrollIntoView({ block: 'center', behavior: 'instant' })")
    x, y = tab.ask(f"""(() => {{
      const [x, y] = {MARK.format(label)}.getAttribute('transform').match(/-?\\d+/g).map(Number);
      const at = new DOMPoint(x, y).matrixTransform(document.querySelector('.marks').getScreenCTM());
      return [at.x, at.y];
    }})()""")
    tab.click_at(x, y)


def test_another_run_moves_the_marks(tab):
    places = "[...document.querySelectorAll('.marks [role=option]')].map((m) => m.getAttribute('transform')).join()"
    before = tab.ask(places)
    assert "leaky_relu, seed 2" in tab.ask("document.querySelector('.marks').getAttribute('aria-label')")
    choose(tab, "seed", "0")
    assert tab.ask(places) != before


def test_a_click_plays_the_sound_of_the_chosen_run_and_another_stops_it(tab):
    click(tab, "kick/kick-01")
    assert tab.ask(NAME) == "kick/kick-01"
    tab.until(f"{SOUNDING} === 'leaky_relu 2 drum-1'")
    assert tab.ask(LIT) == "kick/kick-01"
    click(tab, "kick/kick-01")
    tab.until(f"{SOUNDING} === ''")
    assert tab.ask(LIT) == ""


def test_the_mark_is_lit_when_its_sound_is_played_in_its_row_and_that_of_another_run_is_not(tab):
    tab.click("#listen .lane[data-clip=drum-1] button[aria-label='Play leaky_relu, drum-1, seed 0']")
    tab.until(f"{SOUNDING} === 'leaky_relu 0 drum-1'")
    assert tab.ask(LIT) == ""
    choose(tab, "seed", "0")
    click(tab, "kick/kick-01")
    click(tab, "kick/kick-01")
    tab.until(f"{LIT} === 'kick/kick-01'")


def test_a_mark_without_a_sound_says_its_name(tab):
    click(tab, "snare/snare-01")
    assert tab.ask(NAME) == "snare/snare-01: its sound is not on this page"
    assert tab.ask(SOUNDING) == ""


def test_arrows_reach_other_marks_and_one_is_selected(tab):
    tab.ask("document.querySelector('.marks').focus()")
    visited = set()
    for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
        for _ in range(12):
            tab.press(key)
            visited.add(tab.ask("document.querySelector('.marks').getAttribute('aria-activedescendant')"))
    assert len(visited) > 3
    assert tab.ask("document.querySelectorAll('[role=option][aria-selected=true]').length") == 1


def test_enter_plays_and_stops_a_sample_of_the_prior(tab):
    sample = next(label for label in labels(tab) if "sample" in label)
    click(tab, sample)
    tab.until(f"{SOUNDING} === 'leaky_relu 2 sample 0'")
    tab.ask("document.querySelector('.marks').focus()")
    tab.press("Enter")
    tab.until(f"{SOUNDING} === ''")
    tab.press("Enter")
    tab.until(f"{SOUNDING} === 'leaky_relu 2 sample 0'")
