// What is wider than its place: the rows of a table are stacked, and what still is wider says that it scrolls.
"use strict";
adapeff.fit = (() => {
  const SIGN = "→ more beyond the edge: scrolls sideways";
  const labels = new WeakMap(), signs = new WeakMap(), widths = new WeakMap();
  const isWide = (place) => place.scrollWidth > place.clientWidth + 1;

  function sign(place) {
    if (!signs.has(place)) {
      const made = document.createElement("p");
      made.className = "sideways";
      made.textContent = SIGN;
      made.setAttribute("aria-hidden", "true"); // the region's own name says it to who cannot see
      place.before(made);
      signs.set(place, made);
      labels.set(place, place.getAttribute("aria-label") || "");
    }
    return signs.get(place);
  }

  function fit(place) {
    const table = place.querySelector("table.stackable");
    if (table) {
      table.classList.remove("stacked");
      table.classList.toggle("stacked", isWide(place));
    }
    const scrolls = isWide(place);
    sign(place).hidden = !scrolls;
    const said = { tabindex: "0", role: "region", "aria-label": `${labels.get(place)}, scrolls sideways` };
    for (const [name, value] of Object.entries(said)) {
      if (scrolls) place.setAttribute(name, value);
      else place.removeAttribute(name);
    }
  }

  const watcher = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (widths.get(target) === contentRect.width) continue; // stacking changes the height alone
      widths.set(target, contentRect.width);
      fit(target);
    }
  });
  fit.watch = (root) => root.querySelectorAll(".scroll").forEach((place) => watcher.observe(place));
  return fit;
})();
