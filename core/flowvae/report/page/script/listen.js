// One row sounds at a time: all its sounds run side by side and all but one are mute, so going to another column keeps
// the position to the sample, without a gap. Going to another row starts at its beginning.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");
  const repeat = document.getElementById("repeat");
  const rows = [...document.querySelectorAll(".lane")];
  let takes = [];  // those that run
  let marked = null;
  let wish = 0;  // what was asked for last: a row that was read too late is not begun

  const soundOf = (take) => take.querySelector("audio");
  const shownIn = (row) => [...row.querySelectorAll(".take:not([hidden])")];

  function mark(take) {
    if (marked === take) return;
    if (marked) marked.classList.remove("playing");
    marked = take;
    if (marked) marked.classList.add("playing");
    document.dispatchEvent(new CustomEvent("sounding", { detail: marked }));
  }

  const player = switching((index, share) => {
    mark(index === null ? null : takes[index]);
    if (marked) marked.style.setProperty("--position", share);
  });

  // The policy of the page lets nothing be fetched, not even from the page: the text of the address is read instead.
  function decoded(take) {
    const letters = atob(soundOf(take).getAttribute("src").split(",")[1]);
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    return player.opened().decodeAudioData(bytes.buffer);
  }

  // Sounds of one length come round together when they repeat.
  function evened(buffers) {
    const length = Math.max(...buffers.map((buffer) => buffer.length));
    return buffers.map((buffer) => {
      if (buffer.length === length) return buffer;
      const { numberOfChannels, sampleRate } = buffer;
      const longer = new AudioBuffer({ numberOfChannels, length, sampleRate });
      for (let i = 0; i < numberOfChannels; i += 1) longer.copyToChannel(buffer.getChannelData(i), i);
      return longer;
    });
  }

  function stop() {
    wish += 1;
    player.stop();
  }

  async function play(take, from) {
    wish += 1;
    const mine = wish;
    const shown = shownIn(take.closest(".lane")).filter(soundOf);
    if (shown.length !== takes.length || shown.some((one, i) => one !== takes[i])) {
      player.stop();
      const buffers = await Promise.all(shown.map(decoded));
      if (mine !== wish) return;
      takes = shown;
      player.use(evened(buffers));
    }
    player.play(takes.indexOf(take), from);
  }

  document.querySelectorAll(".take").forEach((take) => {
    if (!soundOf(take)) return;
    take.querySelector("button").addEventListener("click", () => {
      if (marked === take) stop(); else play(take, 0);
    });
  });

  function chooseSeed(seed) {
    const before = marked;
    const at = player.position();
    document.querySelectorAll(".take[data-seed]").forEach((take) => { take.hidden = take.dataset.seed !== seed; });
    if (before && before.hidden) {
      stop();
      const next = before.parentElement.querySelector(".take:not([hidden])");
      if (next && soundOf(next)) play(next, at);
    }
  }
  document.querySelectorAll("input[name=seed]").forEach((choice) => {
    choice.addEventListener("change", () => chooseSeed(choice.value));
  });
  if (repeat) repeat.addEventListener("change", () => player.repeat(repeat.checked));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const take = event.target.closest(".take");
    if (!take) return;
    const row = take.closest(".lane");
    const column = shownIn(row).indexOf(take);
    const beside = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    let next = null;
    if (beside) {
      const other = rows[rows.indexOf(row) + beside[0]];
      const others = other ? shownIn(other) : [];
      next = others[Math.max(0, Math.min(column + beside[1], others.length - 1))];
    } else if (/^[1-9]$/.test(event.key)) {
      next = shownIn(row)[Number(event.key) - 1];
    } else if (event.key === "r" && repeat) {
      repeat.click();
    } else if (event.key === "Escape") {
      stop();
    } else {
      return;
    }
    event.preventDefault();
    if (!next || !soundOf(next)) return;
    next.querySelector("button").focus();
    if (next !== marked && (marked || !beside)) play(next, 0);
  });
})();
