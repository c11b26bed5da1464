"""The page in a real browser, opened from the disk."""

import html
import json
import re
import subprocess
from pathlib import Path

import pytest

from flowvae.report.write import write_report

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")

# Plays every sound for a moment and writes what happened where --dump-dom shows it.
PROBE = """
<script>
(async () => {
  const [said, lengths] = [[], []];
  for (const sound of document.querySelectorAll("audio")) {
    try { await sound.play(); sound.pause(); said.push("played"); lengths.push(sound.duration); } catch (error) { said.push(error.name); }
  }
  const keys = [];
  const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const label = () => document.activeElement.getAttribute("aria-label");
  document.querySelector("#listen .pad").focus(); keys.push(label());
  press("ArrowRight"); keys.push(label());
  press("3"); keys.push(label());
  press("Escape");
  document.querySelector("input[name=seed][value='2']")?.click();
  const shown = new Set([...document.querySelectorAll(".take[data-seed]:not([hidden])")].map((t) => t.dataset.seed));
  // What lies beyond the edge of the window is cut off, or hides behind a scroll bar.
  const cut = [...document.querySelectorAll("main td, main th, main dd, figcaption, .pad, .plot, h3, .verdict")]
    .filter((box) => box.getBoundingClientRect().right > window.innerWidth + 1 || box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 0)
    .map((box) => `${box.tagName} ${box.className} ${box.textContent.trim().slice(0, 40)}`);
  document.body.dataset.probe = JSON.stringify({ said, lengths, keys, shown: [...shown],
    overflow: document.documentElement.scrollWidth - window.innerWidth, cut, width: window.innerWidth });
})();
</script>
"""


# Chromium opens no window below 500 pixels: a narrow one is a frame in it.
FRAME = """
<!doctype html><body><iframe style="width: WIDTHpx; height: 900px; border: 0"></iframe><script>
const frame = document.querySelector("iframe");
frame.srcdoc = PAGE;
setInterval(() => { document.body.dataset.probe = frame.contentDocument.body.dataset.probe ?? "{}"; }, 100);
</script>
"""


def framed(page, width):
    quoted = json.dumps(page.read_text(encoding="utf-8")).replace("</", "<\\/")
    path = page.with_name("framed.html")
    path.write_text(FRAME.replace("WIDTH", str(width)).replace("PAGE", quoted), encoding="utf-8")
    return path


def dump(page, tmp_path, width=1280):
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        f"--user-data-dir={tmp_path / 'profile'}", "--autoplay-policy=no-user-gesture-required", "--mute-audio",
        f"--window-size={width},900", "--virtual-time-budget=10000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.fixture
def page(typical, tmp_path):
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    path = tmp_path / "probed.html"
    path.write_text((typical / "report.html").read_text().replace("</body>", f"{PROBE}</body>"))
    return path


def probe(dom):
    return json.loads(html.unescape(re.search(r'data-probe="([^"]*)"', dom)[1]))


def test_every_sound_has_a_length_and_plays(page, tmp_path):
    dom = dump(page, tmp_path)
    n_sounds = dom.count("<audio")
    lengths = probe(dom)["lengths"]
    assert n_sounds == 3 + 3 + 2 * 6 * (3 + 2)
    assert len(lengths) == n_sounds
    assert all(0.3 < length < 0.4 for length in lengths)
    assert probe(dom)["said"] == ["played"] * n_sounds


def test_the_table_and_its_verdict_are_on_the_page(page, tmp_path):
    dom = dump(page, tmp_path)
    table = dom[dom.index('id="arm-table"') : dom.index("</table>", dom.index('id="arm-table"'))]
    assert table.count("<tr>") == 3
    assert "worse" in table


def test_arrows_and_digits_go_from_column_to_column(page, tmp_path):
    keys = probe(dump(page, tmp_path))["keys"]
    assert keys == [
        "Play target of drum-0",
        "Play snake, drum-0, seed 0",
        "Play leaky_relu, drum-0, seed 0",
    ]


def test_choosing_a_seed_changes_all_players(page, tmp_path):
    assert probe(dump(page, tmp_path))["shown"] == ["2"]


@pytest.mark.parametrize("width", [1400, 1280, 800, 768, 390])
def test_nothing_is_wider_than_the_window_or_cut_off_by_it(page, tmp_path, width):
    found = probe(dump(framed(page, width), tmp_path, 1500))
    assert found["width"] == width
    assert found["overflow"] <= 0
    assert found["cut"] == []


def test_six_arms_with_long_names_have_room_beside_each_other(runs, tmp_path):
    names = ("snake", "leaky_relu", *(f"use-leaky_relu-slope-0.0{i}" for i in range(1, 5)))
    path = tmp_path / "probed.html"
    whole = write_report(runs([[3.0, 3.1, 3.2]] * 6, names=names, n_clips=2)).read_text()
    path.write_text(whole.replace("</body>", f"{PROBE}</body>"))
    assert probe(dump(path, tmp_path, 1400))["cut"] == []
