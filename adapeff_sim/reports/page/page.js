// The page comes alive: charts are drawn, and whatever a slider moves is reckoned again and shown.
"use strict";
(() => {
  const { TOTAL, fixed, general, money } = adapeff;
  const ABOVE = "total, above the lowest";
  const CLOSE = 0.045; // of the axis: events nearer than this share a sign
  const make = (tag, text = "", attributes = {}) => {
    const element = document.createElement(tag);
    element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const options = {
    actions: false, renderer: "svg", defaultStyle: false, logLevel: 1, // errors only: that no curves cross is none
    tooltip: { theme: "plain", disableDefaultStyle: true, offsetX: 14, offsetY: 14 },
  };

  class Page {
    constructor(article) {
      this.article = article;
      this.data = JSON.parse(article.querySelector("script.data").textContent);
      this.case = this.data.case;
      this.knobs = { prices: { ...this.case.prices }, traffic: 1, floor: this.case.floor };
      this.projected = this.carried(this.data.projected);
      this.views = [];
      this.asked = false;
    }

    carried(found) { // the curves at the size of production, as those of the run are
      if (!found) return new Map();
      const points = (curve) => curve.map(([mean, low, high], i) => ({ day: found.days[i], mean, low, high }));
      const curves = new Map(Object.entries(found.curves).map(([name, all]) => [name, all.map(points)]));
      return curves.set(ABOVE, this.above(curves.get(TOTAL), (k) => found.whole[k]));
    }

    async begin() {
      for (const field of this.article.querySelectorAll(".knob")) this.listen(field);
      this.article.querySelector(".whatif form").addEventListener("reset", () => setTimeout(() => this.reset(), 0));
      for (const shown of this.article.querySelectorAll(".numbers")) {
        shown.addEventListener("toggle", () => shown.open && this.tellNumbers(shown));
      }
      this.reckon();
      this.tell();
      await Promise.all([...this.article.querySelectorAll(".chart")].map((place) => this.draw(place)));
      adapeff.graph(this.article, this.data.graph);
    }

    // What can be moved.
    listen(field) {
      const [range, number] = [field.querySelector("[type=range]"), field.querySelector("[type=number]")];
      const name = field.dataset.knob, base = Number(field.dataset.base), isFloor = name === "floor";
      const take = (value) => {
        if (!Number.isFinite(value) || value < 0) return;
        if (name in this.knobs) this.knobs[name] = value;
        else this.knobs.prices[name] = value;
        this.showKnob(field, value);
        this.soon();
      };
      range.addEventListener("input", () => {
        const value = isFloor ? Number(range.value) : base * 10 ** Number(range.value);
        const rounded = Number(general(value, 4));
        number.value = Number(range.value) === 0 && !isFloor ? base : rounded;
        take(Number(number.value));
      });
      number.addEventListener("input", () => {
        const value = number.value.trim() === "" ? NaN : Number(number.value);
        if (isFloor) range.value = value;
        else if (base > 0 && value > 0) range.value = Math.log10(value / base);
        else range.value = range.min;
        take(value);
      });
      this.showKnob(field, isFloor || name === "traffic" ? this.knobs[name] : base);
    }

    showKnob(field, value) {
      const base = Number(field.dataset.base), isFloor = field.dataset.knob === "floor";
      const times = base > 0 && !isFloor ? `× ${general(value / base, 3)}` : "";
      field.querySelector("output").textContent = isFloor ? general(value, 3) : times;
      field.querySelector("[type=range]").setAttribute("aria-valuetext", `${general(value, 4)} ${times}`.trim());
    }

    reset() {
      this.knobs = { prices: { ...this.case.prices }, traffic: 1, floor: this.case.floor };
      for (const field of this.article.querySelectorAll(".knob")) this.showKnob(field, Number(field.dataset.base));
      this.soon();
    }

    soon() {
      if (this.asked) return;
      this.asked = true;
      requestAnimationFrame(() => {
        this.asked = false;
        this.reckon();
        this.tell();
        this.redraw();
      });
    }

    reckon() {
      this.lots = adapeff.reckon(this.case, this.knobs);
      this.verdict = adapeff.judge(this.case, this.lots, this.knobs.floor);
      const crossed = (c) => adapeff.crossings(this.case, this.lots, c).filter((x) => this.isWhole(x.under, c) && this.isWhole(x.over, c));
      this.crossed = new Map(this.case.components.map((c) => [c, crossed(c)])); // a lower bound crosses nothing
      this.curves = new Map(this.case.components.map((c) => [c, adapeff.curves(this.case, this.lots, c)]));
      this.curves.set(ABOVE, this.above(this.curves.get(TOTAL), (k) => this.isWhole(k, TOTAL)));
    }

    above(all, isWhole) { // how far every curve that lacks nothing lies above the lowest; the seeds' range is not told
      const whole = all.filter((points, k) => points.length && isWhole(k));
      const above = (p, i) => {
        const mean = p.mean - Math.min(...whole.map((points) => points[i].mean));
        return { day: p.day, mean, low: mean, high: mean };
      };
      return all.map((points) => whole.includes(points) ? points.map(above) : []);
    }

    isWhole(label, component) { // whether all of its amounts could be had
      return adapeff.lives(this.case, this.lots, label, component).every((lot) => !lot.unavailable.length);
    }

    curvesOf(place) {
      const { chart, name } = place.dataset;
      if (chart === "projected") return this.projected.get(name);
      return this.curves.get(name).map((points, k) => this.isKnown(k, name) ? points : []);
    }

    get isMoved() {
      const { prices, traffic, floor } = this.knobs;
      const isMoved = Object.keys(prices).some((name) => prices[name] !== this.case.prices[name]);
      return isMoved || traffic !== 1 || floor !== this.case.floor;
    }

    // What is said.
    tell() {
      const { sentences } = this.verdict, whole = adapeff.headline(sentences);
      const head = whole.map((s) => adapeff.clauses(s)[0]).join(" ");
      const scored = whole.flatMap((s) => adapeff.clauses(s).slice(1));
      this.article.classList.toggle("moved", this.isMoved);
      this.article.querySelector(".headline").textContent = head;
      const rest = [...scored, ...sentences.filter((s) => !whole.includes(s))].map((s) => make("li", s));
      if (this.isMoved) rest.unshift(make("li", `What if: ${this.moved()}.`));
      this.article.querySelector(".conditions").replaceChildren(...rest);
      const stands = this.article.querySelector(".stands");
      stands.textContent = head;
      for (const e of [stands.closest("form"), document.documentElement]) { // what Tab comes to does not lie under it
        e.style.scrollPaddingBottom = `${stands.offsetHeight + 16}px`;
      }
      this.tellCosts();
      for (const place of this.article.querySelectorAll(".verdict .scroll")) adapeff.fit(place);
      this.tellFloor();
      this.tellCrossings();
      for (const shown of this.article.querySelectorAll(".numbers[open]")) this.tellNumbers(shown);
    }

    moved() {
      const was = { ...this.case.prices, traffic: 1, floor: this.case.floor };
      const now = { ...this.knobs.prices, traffic: this.knobs.traffic, floor: this.knobs.floor };
      const changed = Object.keys(was).filter((name) => was[name] !== now[name]);
      return changed.map((name) => `${name} ${general(now[name], 4)} (was ${general(was[name], 4)})`).join(", ");
    }

    set(key, text, marks = {}) {
      const cell = this.article.querySelector(`[data-key="${CSS.escape(key)}"]`);
      if (!cell) return;
      cell.textContent = text;
      for (const [mark, isOn] of Object.entries(marks)) cell.classList.toggle(mark, isOn);
    }

    note(section, text) { // below the last table of a section; only what applies to it stands there
      const places = this.article.querySelectorAll(`${section} > .note`), last = places[places.length - 1];
      if (last) last.textContent = text;
    }

    tellCosts() {
      const { comparisons } = this.verdict, [plain, marked] = this.data.notes.costs;
      this.note(".verdict", comparisons.some((c) => c.cheapest !== null && c.rivals.length) ? marked : plain);
      for (const component of this.case.components) {
        const c = this.verdict.comparisons.find((x) => x.component === component);
        const best = c.cheapest !== null && c.rivals.length ? [c.cheapest, ...c.tied] : [];
        this.case.labels.forEach((_, label) => {
          const found = adapeff.lives(this.case, this.lots, label, component), amounts = found.map(adapeff.amountOf);
          const average = adapeff.mean(amounts), isBest = best.includes(label);
          const bound = found.some((lot) => lot.unavailable.length) ? "≥ " : "", sign = isBest ? " ✓" : "";
          const star = this.case.estimated[label].includes(component) ? "*" : "";
          if (found.every((lot) => adapeff.isUnknown(lot))) return; // the table says unavailable, which is not 0
          const squares = amounts.reduce((all, x) => all + (x - average) ** 2, 0);
          const apart = Math.sqrt(squares / (amounts.length - 1)), isNoise = apart <= 1e-9 * Math.abs(average);
          const spread = amounts.length > 1 ? ` ± ${money(isNoise ? 0 : apart)}` : "";
          this.set(`cost-${label}-${component}`, `${bound}${money(average)}${star}${sign}${spread}`, { best: isBest });
          if (component === TOTAL) this.set(`cost-${label}-total-plain`, bound + money(average) + star);
        });
      }
    }

    tellFloor() {
      const [plain, whole] = this.data.notes.quality, isMarked = this.verdict.below.some((b) => b.points !== null);
      this.note("[aria-labelledby^=quality]", isMarked ? whole.replace("{floor}", general(this.verdict.floor)) : plain);
      const low = new Map(), marked = new Set();
      for (const b of this.verdict.below) {
        low.set(b.label, b.points === null ? "no score" : low.get(b.label) || "below the floor");
        marked.add(`score-${b.label}-${b.endpoint}`);
      }
      this.case.labels.forEach((_, label) => {
        if (this.case.scores[label].some(([, score]) => score !== null)) {
          this.set(`floor-${label}`, low.get(label) || "within the floor", { below: low.has(label) });
        }
        for (const endpoint of adapeff.endpoints(this.case)) {
          const key = `score-${label}-${endpoint}`, cell = this.article.querySelector(`[data-key="${CSS.escape(key)}"]`);
          if (!cell || cell.classList.contains("missing")) continue;
          const text = cell.textContent.replace(/^([\d.]+)-/, "$1");
          this.set(key, marked.has(key) ? text.replace(/^([\d.]+)/, "$1-") : text, { below: marked.has(key) });
        }
      });
    }

    tellCrossings() { // those of one day and one strategy that passes under others, in one line
      const order = [TOTAL, ...this.case.components.filter((c) => c !== TOTAL)], lines = new Map();
      for (const component of order) for (const x of this.crossed.get(component)) {
        const head = `${adapeff.capital(component)}, ${this.crossing({ ...x, over: null })}`;
        lines.set(head, [...(lines.get(head) || []), this.case.labels[x.over]]);
      }
      const said = [...lines].map(([head, over]) => `${head} ${over.join(", ")}`);
      const list = said.length ? said.map((text) => make("li", text)) : [make("li", "Nowhere.")];
      this.article.querySelector(".crossings ul")?.replaceChildren(...list);
    }

    crossing({ day, under, over }) {
      const names = this.case.labels;
      return `day ${general(Number(fixed(day, 1)))}: ${names[under]} passes under ${over === null ? "" : names[over]}`.trim();
    }

    tellNumbers(shown) {
      const place = shown.closest("figure").querySelector(".chart");
      const days = [...this.data.events.map((e) => e.d), this.case.horizon];
      const within = shown.querySelector(".scroll");
      within.replaceChildren(adapeff.numbers(this.case.labels, this.curvesOf(place), new Set(days)));
      adapeff.fit(within);
    }

    isKnown(label, name) { // whether anything of a curve could be had: of what could not, there is none
      const component = this.case.components.includes(name) ? name : TOTAL;
      return !adapeff.lives(this.case, this.lots, label, component).every(adapeff.isUnknown);
    }

    // What is drawn.
    rows(place) {
      const { chart, name } = place.dataset;
      if (chart === "grown") return this.grown(this.curvesOf(place), this.crossed.get(name) || []);
      if (chart === "projected") return this.grown(this.curvesOf(place), [], `, ${this.data.projected.how}`);
      if (chart === "scored") {
        const { scores, hover } = this.data.scores.find((x) => x.endpoint === name);
        return { scores, hover: hover.map((row) => this.pointed(row.d, row.told)), events: this.signs() };
      }
      if (chart === "traded") return this.traded();
      if (chart === "equalled") return { equalled: this.data.equalled };
      return { flops: chart === "parts" ? this.data.parts : this.data.flops };
    }

    grown(found, crossed, sure = "") { // a curve of which nothing is known has no points
      const days = (found.find((points) => points.length) || []).map((p) => p.day);
      const curves = found.flatMap((points, k) => points.map((p, i) => {
        return { k: `s${k}`, d: p.day, m: p.mean, lo: p.low, hi: p.high, i };
      }));
      const hover = days.flatMap((day, i) => {
        if (day === days[i + 1]) return [];
        return [this.pointed(day, found.map((points) => {
          return points.length ? `${money(points[i].mean)} ${this.case.currency}${sure}` : null;
        }))];
      });
      const crossings = crossed.map((x) => {
        return { d: x.day, day: general(Number(fixed(x.day, 1))), m: x.amount, said: this.crossing(x) };
      });
      return { curves, hover, crossings, events: this.signs() };
    }

    pointed(day, said) { // what is told of a day: a line for each strategy that has something
      const lines = this.case.labels.map((label, i) => [label, said[i]]).filter(([, text]) => text !== null);
      return { d: day, told: Object.fromEntries([["day", general(Number(fixed(day, 1)))], ...lines]) };
    }

    signs() { // events that are close share a sign
      const days = this.case.days, near = CLOSE * (days[days.length - 1] - days[0]), found = [];
      for (const event of this.data.events) {
        const last = found[found.length - 1];
        if (last && event.d - last.d < near && this.data.events.length > 1) {
          last.n = last.n && event.n ? `${last.n.split(/[,–]/)[0]}–${event.n.split(",").pop()}` : "";
          last.event = `${last.event} | day ${event.day}: ${event.event}`;
          this.case.labels.forEach((_, i) => { last[`s${i}`] = `${last[`s${i}`]} | ${event[`s${i}`]}`; });
        } else found.push({ ...event });
      }
      return found;
    }

    traded() {
      const trade = this.data.means.map((row) => {
        const amounts = adapeff.lives(this.case, this.lots, Number(row.k.slice(1)), TOTAL).map(adapeff.amountOf);
        const m = adapeff.mean(amounts), total = `${money(m)} ${this.case.currency}`;
        return { ...row, m, lo: Math.min(...amounts), hi: Math.max(...amounts), total };
      });
      const isBeaten = (a) => trade.some((b) => b.m <= a.m && b.q >= a.q && (b.m < a.m || b.q > a.q));
      const front = trade.filter((row) => !isBeaten(row)).sort((a, b) => a.m - b.m);
      return { trade, front };
    }

    async draw(place) {
      const rows = this.rows(place);
      const spec = { ...this.data.specs[place.dataset.chart], datasets: rows };
      const said = place.getAttribute("aria-label");
      const { view } = await vegaEmbed(place, spec, options);
      place.setAttribute("role", "img"); // Vega takes both for its own
      place.setAttribute("aria-label", said);
      this.views.push([place, view]);
    }

    redraw() {
      for (const [place, view] of this.views) {
        if (!["grown", "traded"].includes(place.dataset.chart)) continue;
        for (const [name, rows] of Object.entries(this.rows(place))) if (name !== "events") view.data(name, rows);
        view.runAsync();
      }
    }
  }

  const pages = [...document.querySelectorAll("article.run")].map((article) => new Page(article));
  adapeff.pages = pages;
  adapeff.ready = (async () => {
    for (const page of pages) await page.begin();
    adapeff.fit.watch(document);
    document.documentElement.dataset.ready = "yes";
  })();
})();
