"""What axe-core finds of every page in a real browser, dark and light, wide and narrow: nothing, not even small things."""

import pytest

from blind_listeners import make, right, session_of, sheet
from driven_chromium import CHROMIUM, browsing
from flowvae.folder.run_records import StatusRecord
from flowvae.report.blind.sheets import take_in
from flowvae.report.write import write_report
from flowvae.report.write_several import write_several
from pretended_across import made
from pretended_runs import BASE, WORSE, write_tree

pytestmark = pytest.mark.browser

PAGES = ("two_arms", "many_arms", "across", "several")
OPEN_ALL = "document.querySelectorAll('details').forEach((box) => { box.open = true; })"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages with as much on them as there can be, by name."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    root = tmp_path_factory.mktemp("axe")
    two_arms = write_tree(root / "two_arms", [BASE, WORSE])
    answer_blind_tests(two_arms, root)
    for seed, state in ((4, "failed"), (5, "running")):
        run = two_arms / f"runs/leaky_relu/seed-{seed}"
        StatusRecord(state=state, step=9, steps=500, reason="the loss is not finite").write(run)
    names = [f"arm_{i:02d}" for i in range(14)]
    many = write_tree(root / "many_arms", [[3 - i / 100, 3.1 - i / 100] for i in range(14)], names=names)
    across, _ = made(root / "across", lambda variant, value: len(variant) / int(value), n_clips=2)
    several = write_several([two_arms, across], root / "several.html", lambda _: None)
    return {"several": several, **{f.name: write_report(f) for f in (two_arms, many, across)}}


def answer_blind_tests(folder, place):
    tests, _ = make(folder, n=6)
    for test, answers in (("abx", right(tests, session_of(tests))), ("preference", [*"ababab"])):
        take_in(folder, [sheet(place / f"{test}.csv", session_of(tests, test), "Anna", answers)])


@pytest.fixture(scope="module")
def browser(pages, tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("axe") / "profile") as found:
        yield found


@pytest.fixture(params=[(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")])
def tab(browser, request):
    browser.seen_by(*request.param)
    return browser


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on_a_page_of_the_report(pages, tab, name):
    tab.open(pages[name])
    tab.ask(OPEN_ALL)
    assert tab.flaws() == []


@pytest.mark.parametrize(("test", "keys"), [("abx", "abx1"), ("preference", "ab1")])
def test_axe_finds_nothing_on_a_blind_page_from_its_start_to_its_end(pages, tab, test, keys):
    tab.open(pages["two_arms"].parent / "listening" / f"{test}.html")
    tab.ask("localStorage.clear()")
    tab.reload()
    assert tab.flaws() == []
    tab.click("#listener")
    tab.press(*"Anna", "Enter")
    assert tab.flaws() == []
    for _ in range(6):
        tab.press(*keys)
        assert tab.flaws() == []
        tab.press("Enter")
    tab.until("!document.getElementById('end').hidden")
    assert tab.flaws() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_sees_what_is_wrong(pages, browser, scheme):
    """Of a colour that it cannot read it says nothing, and then nothing of any contrast."""
    tab = browser
    tab.seen_by(1280, scheme)
    tab.open(pages["two_arms"])
    tab.ask("document.querySelector('.plot').removeAttribute('alt')")
    tab.ask("document.querySelector('.lede').style.color = 'var(--line)'")
    assert {flaw[0] for flaw in tab.flaws()} >= {"image-alt", "color-contrast"}


@pytest.mark.parametrize("width", [1280, 390])
def test_a_table_is_reached_with_the_keyboard_where_it_is_wider_than_its_place(pages, browser, width):
    browser.seen_by(width, "light")
    browser.open(pages["many_arms"])
    browser.ask(OPEN_ALL)
    narrow = "[...document.querySelectorAll('.scroll')].filter((box) => box.scrollWidth > box.clientWidth)"
    reached = "[...document.querySelectorAll('.scroll[tabindex=\"0\"]')]"
    browser.ask("document.querySelector('#other table').style.width = '3000px'")
    browser.until(f"{narrow}.length === 1 && {reached}.length === 1 && {narrow}[0] === {reached}[0]")
