"""A page of six arms with everything opened: whole on a telephone and on a screen, with nothing to be found by moving it sideways."""

import pytest

from driven_chromium import CHROMIUM, browsing
from flowvae.report.write import write_report
from pretended_across import made

pytestmark = pytest.mark.browser

OPEN_ALL = "document.querySelectorAll('details').forEach((box) => { box.open = true; })"
BEYOND = """
[...document.querySelectorAll("body *")].filter((box) => box.checkVisibility() && box.clientWidth > 0)
  .filter((box) => box.getBoundingClientRect().right > innerWidth || box.scrollWidth > box.clientWidth + 1)
  .map((box) => `${box.tagName} ${box.className} ${box.textContent.trim().slice(0, 40)}`)
"""
# Marks of the map and of an axis lie where their number says, on purpose beyond the line that their box has.
TOUCHING = """
(() => {
  const boxes = [...document.querySelectorAll("#listen .take:not([hidden]), .axis")].map((b) => b.getBoundingClientRect());
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length;
})()
"""
BESIDE = """
[...document.querySelectorAll("dl.facts dd")].map((box) => box.getBoundingClientRect().width / innerWidth)
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    place = tmp_path_factory.mktemp("narrow") / "runs"
    return write_report(made(place, lambda variant, value: len(variant) / int(value), n_clips=2)[0])


@pytest.fixture(scope="module")
def browser(page, tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("narrow") / "profile") as found:
        yield found


@pytest.fixture(params=[1280, 800, 390])
def tab(browser, page, request):
    browser.seen_by(request.param, "light")
    browser.open(page)
    browser.ask(OPEN_ALL)
    return browser


def test_nothing_lies_beyond_the_edge_or_is_scrolled_to(tab):
    assert tab.ask("document.documentElement.scrollWidth <= innerWidth")
    assert tab.ask(BEYOND) == []


def test_no_player_lies_upon_another(tab):
    assert tab.ask("document.querySelectorAll('#listen .take:not([hidden])').length") >= 2 * 7
    assert tab.ask(TOUCHING) == 0


def test_words_have_room(tab):
    assert min(tab.ask(BESIDE)) > 0.5
