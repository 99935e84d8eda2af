// The artifacts of one strategy at one event: sources on the left, what is served on the right, and why.
"use strict";
adapeff.graph = (article, lives) => {
  const place = article.querySelector(".graph");
  if (!place || !lives.length) return;
  const WIDE = 188, HIGH = 46, GAP = 68, ROW = 60, EDGE = 8;
  const SIGNS = { create: "+", rebuild: "~", keep: "=", retire: "-" };
  const DONE = { create: "is created", rebuild: "is rebuilt", keep: "is kept", retire: "is retired" };
  const [choice, slider] = [place.querySelector("select"), place.querySelector("[type=range]")];
  const draw = (tag, attributes, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  };
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  function nodesOf(life, step) { // by id: artifacts by their place, endpoints by their name
    const nodes = new Map();
    for (const fate of step.fates) {
      const [id, action, because, ways] = typeof fate === "number" ? [fate, "keep", [], []] : fate;
      nodes.set(id, { id, action, because, ways, ...life.artifacts[id], depth: 0 });
    }
    const depth = (id, seen = new Set()) => {
      if (!nodes.has(id) || seen.has(id)) return -1;
      const above = nodes.get(id).inputs.map(([, input]) => depth(input, new Set(seen).add(id)));
      return Math.max(-1, ...above) + 1;
    };
    for (const node of nodes.values()) node.depth = depth(node.id);
    const last = Math.max(0, ...[...nodes.values()].map((n) => n.depth)) + 1;
    for (const [endpoint, route] of step.routes) {
      const inputs = route.map((id) => ["answers", id]);
      nodes.set(endpoint, { id: endpoint, name: endpoint, kind: "endpoint", detail: "served", inputs, depth: last, ways: [] });
    }
    return nodes;
  }

  function placed(nodes) { // columns by depth; within one, near to what it is made from
    const columns = [];
    for (const node of nodes.values()) (columns[node.depth] ||= []).push(node);
    const width = columns.length * (WIDE + GAP) - GAP + 2 * EDGE, most = Math.max(...columns.map((c) => (c || []).length));
    columns.forEach((column, i) => {
      const middle = (node) => {
        const above = node.inputs.filter(([, id]) => nodes.has(id)).map(([, id]) => nodes.get(id).y || 0);
        return above.length ? adapeff.mean(above) : 0;
      };
      if (i) column.sort((a, b) => middle(a) - middle(b));
      const top = ((most - column.length) * ROW) / 2;
      column.forEach((node, j) => Object.assign(node, { x: EDGE + i * (WIDE + GAP), y: EDGE + top + j * ROW }));
    });
    return [width, most * ROW + EDGE];
  }

  function said(node, nodes) {
    const name = (id) => nodes.get(id).name;
    if (node.kind === "endpoint") return `${node.name} is answered by ${node.inputs.map(([, id]) => name(id)).join(" > ")}.`;
    const from = node.inputs.filter(([, id]) => nodes.has(id)).map(([role, id]) => `${role} ${name(id)}`);
    const moved = node.because.length ? ` because ${node.because.join(", ")} moved` : "";
    const way = node.ways.length ? ` By ${node.ways[0].map(name).join(" > ")}` : "";
    const more = node.ways.length > 1 ? `, and ${node.ways.length - 1} other way${node.ways.length > 2 ? "s" : ""}` : "";
    const made = from.length ? ` Made from: ${from.join(", ")}.` : "";
    const detail = node.detail ? ` (${node.kind}, ${node.detail})` : ` (${node.kind})`;
    return `${node.name}${detail} ${DONE[node.action]}${moved}.${way}${more}${way ? "." : ""}${made}`;
  }

  function lit(node, nodes) { // a node with the paths that lead to it
    const found = new Set([node.id]);
    const ways = node.ways.length ? node.ways : null;
    if (ways) ways.flat().forEach((id) => found.add(id));
    else node.inputs.forEach(([, id]) => found.add(id));
    return new Set([...found].filter((id) => nodes.has(id)));
  }

  function show() {
    const life = lives[Number(choice.value)], step = life.steps[Number(slider.value)];
    if (!step) return place.querySelector(".scroll").replaceChildren();
    const checks = step.checks.length ? `; looked at: ${step.checks.join(", ")}` : "";
    const told = `day ${adapeff.general(step.day)}: ${step.event}`;
    slider.setAttribute("aria-valuetext", told);
    place.querySelector(".moment").textContent = `${Number(slider.value) + 1} of ${life.steps.length}, ${told}${checks}`;
    const nodes = nodesOf(life, step), [width, height] = placed(nodes);
    const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group" });
    svg.setAttribute("aria-label", `Artifacts of ${choice.selectedOptions[0].textContent}, ${told}`);
    const edges = [...nodes.values()].flatMap((node) => node.inputs.filter(([, id]) => nodes.has(id)).map(([, id]) => {
      const from = nodes.get(id), bend = Math.max(24, (node.x - from.x - WIDE) / 2);
      const [x, y, u, v] = [from.x + WIDE, from.y + HIGH / 2, node.x, node.y + HIGH / 2];
      const path = draw("path", { d: `M${x} ${y}C${x + bend} ${y} ${u - bend} ${v} ${u} ${v}` });
      const isMoved = node.ways.some((way) => way.some((one, i) => one === id && way[i + 1] === node.id));
      path.classList.toggle("moved", isMoved);
      return { path, from: id, to: node.id };
    }));
    const boxes = [...nodes.values()].map((node) => [node, box(node, nodes)]);
    svg.append(...edges.map((e) => e.path), ...boxes.map(([, g]) => g));
    const point = (node) => {
      const on = node ? lit(node, nodes) : new Set();
      svg.classList.toggle("pointed", Boolean(node));
      for (const [other, g] of boxes) g.classList.toggle("lit", on.has(other.id));
      for (const e of edges) e.path.classList.toggle("lit", on.has(e.from) && on.has(e.to));
      if (node) place.querySelector(".said").textContent = said(node, nodes);
    };
    for (const [node, g] of boxes) {
      for (const kind of ["pointerenter", "focus", "click"]) g.addEventListener(kind, () => point(node));
      for (const kind of ["pointerleave", "blur"]) g.addEventListener(kind, () => point(null));
    }
    place.querySelector(".scroll").replaceChildren(svg);
    return adapeff.fit(place.querySelector(".scroll"));
  }

  function box(node, nodes) {
    const label = said(node, nodes), fate = node.action ? `f-${node.action}` : "";
    const g = draw("g", { class: `node ${fate}`, tabindex: "0", role: "img", "aria-label": label });
    g.append(draw("rect", { x: node.x, y: node.y, width: WIDE, height: HIGH, rx: node.kind === "endpoint" ? 23 : 7 }));
    const sign = SIGNS[node.action];
    if (sign) g.append(draw("text", { x: node.x + 10, y: node.y + 20, class: "sign" }, sign));
    const left = node.x + (sign ? 26 : 18);
    g.append(draw("text", { x: left, y: node.y + 20 }, cut(node.name, 22)));
    g.append(draw("text", { x: left, y: node.y + 37, class: "faint" }, cut(node.detail, 24)));
    return g;
  }

  function begin() {
    slider.max = Math.max(0, lives[Number(choice.value)].steps.length - 1);
    if (Number(slider.value) > Number(slider.max)) slider.value = slider.max;
    show();
  }

  const move = (by) => { slider.value = Number(slider.value) + by; show(); };
  choice.addEventListener("change", begin);
  slider.addEventListener("input", show);
  place.querySelector(".back").addEventListener("click", () => move(-1));
  place.querySelector(".on").addEventListener("click", () => move(1));
  begin();
};
