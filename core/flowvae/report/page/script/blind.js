// One question after the other: hear all sounds, answer, lock. The answers stay in this browser until they are saved.
(() => {
  "use strict";
  const { session, names, questions } = JSON.parse(document.getElementById("test").textContent);
  const at = (id) => document.getElementById(id);
  const buttons = [...document.querySelectorAll("[data-sound]")];
  const choices = [...document.querySelectorAll("input[name=answer]")];
  const heard = new Set();
  const place = `flowvae ${session}`;
  const state = { listener: "", answers: [] };

  function restore() {
    try {
      const kept = JSON.parse(localStorage.getItem(place) ?? "{}");
      const known = new Set(choices.map((choice) => choice.value));
      const answers = Array.isArray(kept.answers) ? kept.answers : [];
      if (typeof kept.listener === "string" && answers.length <= questions.length && answers.every((a) => known.has(a))) {
        Object.assign(state, { listener: kept.listener, answers });
      }
    } catch { at("kept").hidden = false; }
  }

  function keep() {
    try { localStorage.setItem(place, JSON.stringify(state)); } catch { at("kept").hidden = false; }
  }

  const player = switching((index, share) => {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === index)));
    document.querySelector(".position i").style.setProperty("--share", share);
  });

  function show(id) {
    ["start", "question", "end"].forEach((other) => { at(other).hidden = other !== id; });
  }

  // An answer is taken once all sounds were heard; until then, which ones are missing is said.
  function admit() {
    const missing = names.filter((_, index) => !heard.has(index));
    document.querySelector("#answer fieldset").disabled = missing.length > 0;
    at("said").textContent = missing.length > 0 ? `Listen first to ${missing.join(" and ")}.` : "";
  }

  function ask() {
    if (state.listener === "") { show("start"); return; }
    if (state.answers.length === questions.length) { finish(); return; }
    const number = state.answers.length;
    show("question");
    at("which").textContent = `Question ${number + 1} of ${questions.length}`;
    document.querySelector(".progress i").style.setProperty("--share", number / questions.length);
    heard.clear();
    choices.forEach((choice) => { choice.checked = false; });
    document.querySelectorAll(".heard").forEach((word) => { word.hidden = true; });
    admit();
    player.load(questions[number]);
    at("which").focus();
  }

  function play(index) {
    player.play(index);
    heard.add(index);
    buttons[index].querySelector(".heard").hidden = false;
    admit();
  }

  function lock() {
    const chosen = choices.find((choice) => choice.checked);
    if (!chosen || heard.size < names.length) return;
    player.stop();
    state.answers.push(chosen.value);
    keep();
    ask();
  }

  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  function finish() {
    const rows = state.answers.map((answer, i) => [session, state.listener, i + 1, answer]);
    const text = [["session", "listener", "question", "answer"], ...rows]
      .map((row) => row.map((value) => cell(String(value))).join(",")).join("\n") + "\n";
    show("end");
    at("sheet").value = text;
    at("save").href = `data:text/csv;charset=utf-8,${encodeURIComponent(text)}`;
    at("save").download = `${session}-${state.listener.replace(/[^\p{L}\p{N}]+/gu, "-")}.csv`;
    document.querySelector("#end h1").focus();
  }

  at("begin").addEventListener("submit", (event) => {
    event.preventDefault();
    const listener = at("listener").value.trim().replace(/\s+/g, " ");
    if (listener === "") return;
    state.listener = listener;
    keep();
    ask();
  });
  at("answer").addEventListener("submit", (event) => { event.preventDefault(); lock(); });
  at("stop").addEventListener("click", () => player.stop());
  at("repeat").addEventListener("change", () => player.repeat(at("repeat").checked));
  at("save").addEventListener("click", () => { at("again").disabled = false; });
  at("again").addEventListener("click", () => {
    Object.assign(state, { listener: "", answers: [] });
    keep();
    at("listener").value = "";
    ask();
  });
  buttons.forEach((button, index) => button.addEventListener("click", () => play(index)));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || at("question").hidden) return;
    const key = event.key.toLowerCase();
    const sound = names.findIndex((name) => name.toLowerCase() === key);
    const choice = /^[1-9]$/.test(key) ? choices[Number(key) - 1] : undefined;
    if (sound >= 0) play(sound);
    else if (choice && !choice.matches(":disabled")) { choice.checked = true; choice.focus(); }
    else if (key === "r") at("repeat").click();
    else if (key === "escape") player.stop();
    else if (key === "enter" && event.target.matches("body, h1, input[type=checkbox]")) lock();
    else return;
    event.preventDefault();
  });

  restore();
  ask();
})();
