// The map of the latents: the same marks for every run, which move to where that run has them. A mark is played by the
// button of its sound in the listening section, so one sound plays at a time and its place on the page shows it.
(() => {
  "use strict";
  const map = document.getElementById("map");
  if (!map) return;
  const sheet = map.querySelector(".marks");
  const marks = [...sheet.querySelectorAll("[role=option]")];
  const name = document.getElementById("map-name");
  const places = JSON.parse(document.getElementById("map-places").textContent);
  const REACH = 18; // from a mark, in units of the sheet: a finger is wider than a mark
  let place = places[0];
  let chosen = null;

  const spot = (i) => [place.points[2 * i], place.points[2 * i + 1]];
  const words = (i) => marks[i].getAttribute("aria-label");

  function takeOf(i) {
    const clip = marks[i].dataset.clip;
    if (!clip) return null;
    return [...document.querySelectorAll(".take[data-arm]")].find((take) => take.dataset.arm === place.arm
      && take.dataset.seed === String(place.seed) && take.closest("[data-clip]")?.dataset.clip === clip
      && take.querySelector("audio")) ?? null;
  }

  function choose(i) {
    if (chosen !== null) {
      marks[chosen].classList.remove("chosen");
      marks[chosen].setAttribute("aria-selected", "false");
    }
    chosen = i;
    marks[i].classList.add("chosen");
    marks[i].setAttribute("aria-selected", "true");
    marks[i].parentNode.append(marks[i]); // on top of what lies over it
    sheet.setAttribute("aria-activedescendant", marks[i].id);
    name.textContent = takeOf(i) ? words(i) : `${words(i)}: its sound is not on this page`;
  }

  function play(i) {
    const take = takeOf(i);
    if (!take) return;
    const seed = document.querySelector(`input[name=seed][value="${place.seed}"]`);
    if (take.hidden && seed) seed.click();
    take.querySelector("button").click();
  }

  function nearest(x, y) {
    const distances = marks.map((_, i) => Math.hypot(spot(i)[0] - x, spot(i)[1] - y));
    const least = Math.min(...distances);
    return least <= REACH ? distances.indexOf(least) : null;
  }

  function next(right, down) {
    const [x, y] = spot(chosen);
    let best = null;
    let least = Infinity;
    marks.forEach((_, i) => {
      const [dx, dy] = [spot(i)[0] - x, spot(i)[1] - y];
      const along = dx * right + dy * down;
      const cost = along + 2 * Math.abs(dx * down - dy * right);
      if (i !== chosen && along > 0 && cost < least) [best, least] = [i, cost];
    });
    return best;
  }

  sheet.tabIndex = 0;
  sheet.addEventListener("focus", () => { if (chosen === null) choose(0); });
  sheet.addEventListener("click", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(sheet.getScreenCTM().inverse());
    const i = nearest(at.x, at.y);
    if (i === null) return;
    choose(i);
    play(i);
  });
  sheet.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      const i = next(...way);
      if (i !== null) choose(i);
    } else if (event.key === "Enter" || event.key === " ") {
      play(chosen);
    } else {
      return;
    }
    event.preventDefault();
  });

  function show() {
    const of = (key, otherwise) => map.querySelector(`input[name=map-${key}]:checked`)?.value ?? String(otherwise);
    const [arm, seed] = [of("arm", places[0].arm), of("seed", places[0].seed)];
    const found = places.find((one) => one.arm === arm && String(one.seed) === seed);
    sheet.style.visibility = found ? "" : "hidden";
    name.textContent = found ? `${arm}, seed ${seed}` : `${arm}, seed ${seed}, has left no codes for the map`;
    document.getElementById("map-said").textContent = found ? found.said : "";
    if (!found) return;
    place = found;
    sheet.setAttribute("aria-label", `Map of the held-out sounds and samples of the prior, ${arm}, seed ${seed}`);
    marks.forEach((mark, i) => mark.setAttribute("transform", `translate(${spot(i).join(" ")})`));
    if (chosen !== null) choose(chosen);
  }
  map.querySelectorAll("input").forEach((choice) => choice.addEventListener("change", show));
  document.addEventListener("sounding", ({ detail: take }) => {
    marks.forEach((mark, i) => mark.classList.toggle("sounding", take !== null && takeOf(i) === take));
  });
})();
