// One sound at a time. Going to another column of the same row keeps the position, so two arms can be compared
// in the middle of a sound; going to another row starts at its beginning.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");
  const repeat = document.getElementById("repeat");
  let playing = null;

  const soundOf = (take) => take.querySelector("audio");
  const shownIn = (row) => [...row.querySelectorAll(".take:not([hidden])")];
  const rows = [...document.querySelectorAll(".lane")];

  function stop() {
    if (!playing) return;
    soundOf(playing).pause();
    playing.classList.remove("playing");
    playing = null;
  }

  function play(take, from) {
    stop();
    const sound = soundOf(take);
    sound.loop = repeat !== null && repeat.checked;
    sound.currentTime = from;
    playing = take;
    take.classList.add("playing");
    sound.play().catch(stop);
    requestAnimationFrame(move);
  }

  function move() {
    if (!playing) return;
    const sound = soundOf(playing);
    playing.style.setProperty("--position", sound.currentTime / sound.duration || 0);
    requestAnimationFrame(move);
  }

  function positionFor(take) {
    const same = playing && playing.closest(".lane") === take.closest(".lane");
    return same ? Math.min(soundOf(playing).currentTime, soundOf(take).duration || 0) : 0;
  }

  function go(take, carry) {
    take.querySelector("button").focus();
    if (carry) play(take, positionFor(take));
  }

  document.querySelectorAll(".take").forEach((take) => {
    const sound = soundOf(take);
    if (!sound) return;
    const noteLength = () => { take.dataset.duration = sound.duration; };
    if (sound.readyState > 0) noteLength(); else sound.addEventListener("loadedmetadata", noteLength);
    sound.addEventListener("ended", () => { if (playing === take) stop(); });
    take.querySelector("button").addEventListener("click", () => {
      if (playing === take) stop(); else play(take, positionFor(take));
    });
  });

  function chooseSeed(seed) {
    const before = playing;
    const at = playing ? soundOf(playing).currentTime : 0;
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
  if (repeat) repeat.addEventListener("change", () => { if (playing) soundOf(playing).loop = repeat.checked; });

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
      const takes = other ? shownIn(other) : [];
      next = takes[Math.max(0, Math.min(column + beside[1], takes.length - 1))];
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
    if (next && soundOf(next)) go(next, playing !== null || !beside);
  });
})();
