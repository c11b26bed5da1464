"""The map of the latents in a real browser: a click and the keys play what is under them."""

import html
import json
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")

PROBE = r"""
<script>
(async () => {
  const sheet = document.querySelector(".marks");
  const marks = [...sheet.querySelectorAll("[role=option]")];
  const name = () => document.getElementById("map-name").textContent;
  const sounding = () => {
    const take = [...document.querySelectorAll("audio")].find((sound) => !sound.paused)?.closest(".take");
    return take ? `${take.dataset.arm} ${take.dataset.seed} ${take.closest(".lane").dataset.clip}` : "nothing";
  };
  const wait = () => new Promise((done) => setTimeout(done, 600));
  const press = (key) => sheet.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  // Where the mark goes, not where it is on its way.
  const click = (mark) => {
    const [x, y] = mark.getAttribute("transform").match(/-?\d+/g).map(Number);
    const at = new DOMPoint(x, y).matrixTransform(sheet.getScreenCTM());
    sheet.dispatchEvent(new MouseEvent("click", { clientX: at.x, clientY: at.y, bubbles: true }));
  };
  const said = {};
  const choose = async (key, value) => {
    document.querySelector(`input[name=map-${key}][value="${value}"]`).click();
    await wait();
  };
  const places = () => marks.map((mark) => mark.getAttribute("transform")).join();
  const before = places();
  await choose("arm", "leaky_relu");
  await choose("seed", "2");
  said.moved = before !== places();
  said.label = sheet.getAttribute("aria-label");
  click(marks[1]); await wait();
  said.clicked = [name(), sounding(), marks[1].classList.contains("sounding")];
  click(marks[1]); await wait();
  said.again = [sounding(), marks[1].classList.contains("sounding")];
  click(marks[3]); await wait();
  said.silent = [name(), sounding()];
  sheet.focus();
  const visited = new Set();
  for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) {
    for (let i = 0; i < 12; i += 1) { press(key); visited.add(sheet.getAttribute("aria-activedescendant")); }
  }
  said.visited = visited.size;
  said.selected = document.querySelectorAll("[role=option][aria-selected=true]").length;
  click(marks[4]); await wait();
  press("Enter"); await wait();
  said.stopped = sounding();
  press("Enter"); await wait();
  said.entered = sounding();
  document.body.dataset.probe = JSON.stringify(said);
})();
</script>
"""


@pytest.fixture(scope="module")
def said(typical, tmp_path_factory):
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    place = tmp_path_factory.mktemp("map")
    path = place / "probed.html"
    path.write_text((typical / "report.html").read_text().replace("</body>", f"{PROBE}</body>"))
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        f"--user-data-dir={place / 'profile'}", "--autoplay-policy=no-user-gesture-required", "--mute-audio",
        "--window-size=1280,900", "--virtual-time-budget=20000", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(html.unescape(re.search(r'data-probe="([^"]*)"', dom)[1]))


def test_another_run_moves_the_marks(said):
    assert said["moved"]
    assert "leaky_relu, seed 2" in said["label"]


def test_a_click_plays_the_sound_of_the_chosen_run_and_another_stops_it(said):
    assert said["clicked"] == ["kick/kick-01", "leaky_relu 2 drum-1", True]
    assert said["again"] == ["nothing", False]


def test_a_mark_without_a_sound_says_its_name(said):
    assert said["silent"] == ["snare/snare-01: its sound is not on this page", "nothing"]


def test_arrows_reach_other_marks_and_one_is_selected(said):
    assert said["visited"] > 3
    assert said["selected"] == 1


def test_enter_stops_and_plays_a_sample_of_the_prior(said):
    assert said["stopped"] == "nothing"
    assert said["entered"] == "leaky_relu 2 sample 0"
