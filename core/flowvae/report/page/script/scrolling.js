// A table that is wider than its place is scrolled with the keyboard too: where nothing in it can be reached, it can be itself.
(() => {
  "use strict";
  const places = [...document.querySelectorAll(".scroll")];
  const look = () => places.forEach((place) => {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0; else place.removeAttribute("tabindex");
  });
  const sizes = new ResizeObserver(look);
  places.forEach((place) => [place, ...place.children].forEach((box) => sizes.observe(box)));
})();
