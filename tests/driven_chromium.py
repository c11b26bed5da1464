"""Chromium driven from outside, over its debugging pipe: real keys and clicks, what it says, asks for and shows."""

import json
import os
import select
import subprocess
import time
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import numpy as np

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_S = 60
CODES = {"Enter": 13, "Tab": 9, "Escape": 27}
MIDDLE = """
async (selector) => {
  const box = document.querySelector(selector);
  const frame = () => new Promise(requestAnimationFrame);
  const middle = () => { const at = box.getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2]; };
  box.scrollIntoView({ block: "center", behavior: "instant" });
  let [before, now] = [null, middle()];
  while (String(before) !== String(now)) { before = now; await frame(); await frame(); now = middle(); }
  return now;
}
"""

# Whatever goes to the loudspeaker is also written down, by a processor on the audio's own thread: one on the page's
# thread loses blocks when the page is busy. Its module has to be there before the first sound, so the page gets a
# context that was made when it was opened.
TAP = """
const made = new AudioContext();
const module = `registerProcessor("tap", class extends AudioWorkletProcessor {
  process([input]) { if (input[0]) this.port.postMessage(input[0].slice()); return true; }
});`;
window.tapped = [];
window.tapIsReady = false;
window.AudioContext = function () { return made; };
const connect = AudioNode.prototype.connect;
made.audioWorklet.addModule(`data:text/javascript,${encodeURIComponent(module)}`).then(() => {
  const tap = new AudioWorkletNode(made, "tap", { channelCount: 1, channelCountMode: "explicit" });
  tap.port.onmessage = (event) => window.tapped.push(...event.data);
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to === made.destination) connect.call(this, tap);
    return connect.call(this, to, ...rest);
  };
  window.tapIsReady = true;
});
"""
FLAWS = """
axe.run(document, { resultTypes: ["violations"] }).then((found) => found.violations.flatMap((flaw) =>
  flaw.nodes.map((node) => [flaw.id, flaw.impact, node.html.slice(0, 120)])))
"""


class Tab:
    """One page; `said` holds what came on the console, `asked` every address that something was asked of."""

    def __init__(self, read, write):
        self.read, self.write = read, write
        self.pending, self.number, self.session = b"", 0, None
        self.said, self.asked = [], []
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM", "Accessibility"):
            self.tell(f"{domain}.enable")

    def tell(self, method, **params):
        """Sends a command and gives what came back; events that come before it are noted."""
        self.number += 1
        order = {"id": self.number, "method": method, "params": params}
        if self.session:
            order["sessionId"] = self.session
        os.write(self.write, json.dumps(order).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]

    def _next(self):
        while b"\0" not in self.pending:
            ready, _, _ = select.select([self.read], [], [], PATIENCE_S)
            assert ready, "the browser says nothing any more"
            self.pending += os.read(self.read, 1 << 20)
        raw, _, self.pending = self.pending.partition(b"\0")
        message = json.loads(raw)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method, params):
        if method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(params["exceptionDetails"])[:400])
        elif method == "Runtime.consoleAPICalled":
            self.said.append(f"{params['type']}: {params['args']}")
        elif method == "Log.entryAdded":
            self.said.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])

    def tap(self):
        """From now on pages write down what they play, in `window.tapped`."""
        self.tell("Page.setBypassCSP", enabled=True)
        self.tell("Page.addScriptToEvaluateOnNewDocument", source=TAP)

    def open(self, path):
        self.tell("Page.navigate", url=path.as_uri())
        self.until(
            "document.readyState === 'complete' && location.protocol === 'file:' && window.tapIsReady !== false"
        )

    def seen_by(self, width, scheme):
        """From now on the window is so wide, and the reader has asked for light or dark."""
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def flaws(self):
        """What axe-core finds of the page as it stands: rule, weight, and where."""
        self.ask(f"{files('axe_core_python').joinpath('axe.min.js').read_text()};0")
        return [tuple(flaw) for flaw in self.ask(FLAWS)]

    def reload(self):
        self.ask("window.isBefore = true")
        self.tell("Page.reload")
        self.until("!window.isBefore && document.readyState === 'complete'")

    def ask(self, script):
        """The value of an expression on the page."""
        found = self.tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script):
        end = time.monotonic() + PATIENCE_S
        while not self.ask(script):
            assert time.monotonic() < end, script
            time.sleep(0.02)

    def press(self, *keys):
        """Keys as a keyboard sends them."""
        for key in keys:
            text = "\r" if key == "Enter" else key if len(key) == 1 else ""
            # A code names a key of the keyboard; that of a dot as a letter would be the key Delete.
            code = CODES.get(key, ord(key.upper()) if len(key) == 1 and key.isalnum() else 0)
            event = {"key": key, "text": text, "windowsVirtualKeyCode": code}
            self.tell("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **event)
            self.tell("Input.dispatchKeyEvent", type="keyUp", **{**event, "text": ""})

    def click(self, selector):
        """A click of the mouse in the middle of a box, once it stands still: pages scroll smoothly."""
        x, y = self.ask(f"({MIDDLE})({json.dumps(selector)})")
        self.click_at(x, y)

    def click_at(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def tree(self):
        """What a screen reader is told: the role and the name of everything that is shown."""
        nodes = self.tell("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"]
        ]


@contextmanager
def browsing(profile):
    """A browser with one tab; it ends with the block."""
    read_here, write_there = os.pipe()
    read_there, write_here = os.pipe()
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio",
        "--disable-background-networking", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip
    shell = f'exec "$@" 3<&{read_there} 4>&{write_there}'
    browser = subprocess.Popen(
        ["bash", "-c", shell, "bash", *command],
        pass_fds=(read_there, write_there),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(read_there)
    os.close(write_there)
    try:
        yield Tab(read_here, write_here)
    finally:
        os.close(write_here)
        try:
            browser.wait(20)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()
        os.close(read_here)


def turned_ramp(tab):
    """The sizes of the samples that went to the loudspeaker, of a ramp whose sign was turned once, and which are clear of that."""
    heard = np.array(tab.ask("window.tapped"))
    began = np.flatnonzero(np.abs(heard) > 0.001)[0]
    end = began + int(np.argmax(np.abs(heard[began:]))) - 100  # the resampler rings at the end
    size, signs = np.abs(heard[began:end]), np.sign(heard[began:end])
    crossing = np.flatnonzero(np.diff(signs))
    assert len(crossing) == 1
    fade = 0.01 * tab.ask("new AudioContext().sampleRate")
    return size, np.abs(np.arange(len(size)) - crossing[0]) > fade
