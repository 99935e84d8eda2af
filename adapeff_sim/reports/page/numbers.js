// The numbers of a chart as a table: a row for each day on which something happens, a column for each strategy.
"use strict";
adapeff.numbers = (() => {
  const make = (tag, attributes, text = "") => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  };

  function head(name) { // it may break behind its underscores and slashes
    const made = make("th", { class: "number", scope: "col", role: "columnheader" });
    name.split(/(?<=[_/])(?![_/])/).forEach((part, i) => made.append(...(i ? [make("wbr", {})] : []), part));
    return made;
  }

  return (labels, curves, wanted) => { // of a day that stands twice, the moment after
    const table = make("table", { role: "table", class: "stackable long" });
    const [top, body] = [table.createTHead(), table.createTBody()];
    top.insertRow().append(...["day", ...labels].map(head));
    const known = curves.find((curve) => curve.length) || [];
    known.forEach(({ day }, i) => {
      if (!wanted.has(day) || (known[i + 1] || {}).day === day) return;
      const row = body.insertRow();
      const first = { class: "number", scope: "row", role: "rowheader", "data-head": "day" };
      row.append(make("th", first, adapeff.general(day)));
      curves.forEach((curve, k) => {
        const amount = curve.length ? adapeff.money(curve[i].mean) : "unavailable";
        row.append(make("td", { role: "cell", class: "number", "data-head": labels[k] }, amount));
      });
    });
    for (const part of [top, body]) part.setAttribute("role", "rowgroup");
    for (const row of table.rows) row.setAttribute("role", "row");
    return table;
  };
})();
