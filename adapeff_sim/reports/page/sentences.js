// The verdict in sentences, word for word as verdict_sentences.py says it.
"use strict";
adapeff.headline = (sentences) => { // on the total, or why nobody is cheapest; and at what floor who else would be
  const first = Math.max(0, sentences.findIndex((s) => s.startsWith("Total by day ")));
  const next = sentences.slice(first + 1, first + 2).filter((s) => s.startsWith("With a floor of "));
  return [sentences[first], ...next];
};
adapeff.clauses = (sentence) => { // the claim, and at what quality it holds, a sentence each
  const [claim, ...scored] = sentence.replace(/\.$/, "").split(/; (?=[^;]+ scores [\d.]+ points on average)/);
  return [claim, ...scored].map((text) => `${text}.`);
};
adapeff.sentences = (kase, lots, { below, incomplete, comparisons, floor }) => {
  const { TOTAL, POINTS, unique, mean, fixed, general, capital } = adapeff;
  const name = (label) => kase.labels[label];
  const money = (amount) => adapeff.exactMoney(amount, kase.currency);
  const all = (label) => adapeff.total(kase, lots, label, TOTAL);
  const whole = comparisons.find((c) => c.component === TOTAL);

  const percent = (gap) => (gap > 99 && gap < 100 ? ">99" : fixed(gap, gap < 10 ? 1 : 0));

  function behind(gap) { // to the nearest tenth, or to as many digits as tell it from the floor
    const said = [1, 2, 3, 4, 5, 6, 7, 8].map((digits) => fixed(gap, digits)).find((text) => Number(text) > floor);
    return said === undefined ? general(gap) : said;
  }

  function quality(label) {
    const scores = kase.scores[label].filter(([, score]) => score !== null);
    if (!scores.length) return "";
    const [lowest, least] = scores.reduce((a, b) => (b[1] < a[1] || (b[1] === a[1] && b[0] < a[0]) ? b : a));
    const average = fixed(POINTS * mean(scores.map(([, score]) => score)), 1);
    return `; ${name(label)} scores ${average} points on average, ${fixed(POINTS * least, 1)} at its lowest (${lowest})`;
  }

  function since(c) {
    if (c.since === null) return "";
    const days = kase.labels.flatMap((_, x) => adapeff.lives(kase, lots, x, c.component).flatMap(adapeff.daysOf));
    const start = days.length ? Math.min(...days) : 0;
    return c.since < start + 0.05 ? ", from the start" : `, from day ${general(Number(fixed(c.since, 1)))} on`;
  }

  function compared(c) {
    const what = `${capital(c.component)} by day ${general(kase.horizon)}`;
    if (c.cheapest === null) return `${what}: no strategy can be compared.`;
    const first = name(c.cheapest), amount = money(c.amount);
    if (kase.labels.length === 1) return `${what}: ${amount} for ${first}; one strategy, nothing to compare.`;
    const good = c.component === TOTAL ? [c.cheapest, ...c.tied].map(quality).join("") : "";
    if (!c.rivals.length) {
      const worse = new Set(below.filter((b) => b.points !== null).map((b) => b.label));
      const isAlone = kase.labels.every((_, x) => x === c.cheapest || worse.has(x));
      const alone = isAlone ? `within ${general(floor)} points of the best everywhere` : "that can be compared";
      return `${what}: ${first} (${amount}) is the only strategy ${alone}${good}.`;
    }
    const beaten = c.rivals.filter((r) => !r.tied);
    let head = `${first} is cheapest (${amount})`;
    if (c.tied.length) {
      const widest = Math.max(...c.rivals.filter((r) => r.tied).map((r) => r.difference));
      const apart = widest > 1e-12 * c.amount ? `, at most ${money(widest)} apart` : "";
      head = `no difference between ${[c.cheapest, ...c.tied].map(name).join(", ")} (${amount}${apart})`;
    }
    if (!beaten.length) return `${what}: ${head}${good}.`;
    const gap = `, ${percent((100 * beaten[0].difference) / beaten[0].amount)} % under ${name(beaten[0].label)}`;
    return `${what}: ${head}${gap} (${money(beaten[0].amount)})${since(c)}${good}.`;
  }

  function known() { // who lacks no amount and no score
    const unknown = new Set([
      ...incomplete.filter((i) => i.component === TOTAL).map((i) => i.label),
      ...below.filter((b) => b.points === null).map((b) => b.label),
    ]);
    return kase.labels.map((_, x) => x).filter((x) => !unknown.has(x));
  }

  function letIn(able) { // the least floor in tenths that lets one of these in, and the cheapest that it lets in
    const gap = (x) => Math.max(0, ...below.filter((b) => b.label === x).map((b) => b.points || 0));
    const least = Math.ceil(10 * Math.min(...able.map(gap)) - 1e-6) / 10;
    const first = able.filter((x) => gap(x) <= least + 1e-9).reduce((a, b) => (all(b) < all(a) ? b : a));
    return [least, first, `it would be ${name(first)} (${money(all(first))} in total)`];
  }

  function ofPrice() { // what the floor costs
    if (!whole || whole.cheapest === null) return [];
    const able = known().filter((x) => {
      return x !== whole.cheapest && !adapeff.rival(kase, lots, TOTAL, x, whole.cheapest).tied;
    });
    if (!able.length) return [];
    const [least, first, it] = letIn(able), less = money(all(whole.cheapest) - all(first));
    const when = `With a floor of ${fixed(least, 1)} points, the least in tenths that lets a cheaper one in`;
    return [`${when}, ${it}, ${less} cheaper.`];
  }

  function ofNoOne() {
    const able = known();
    if (!able.length) return ["No strategy can be compared: each lacks an amount or a score."];
    const [least, , it] = letIn(able);
    return [
      `No strategy stays within ${general(floor)} points of the best everywhere, so none is called cheapest.`,
      `With a floor of ${fixed(least, 1)} points, the least in tenths that lets one in, ${it}.`,
    ];
  }

  function ofNoise() {
    if (kase.labels.length === 1) return [];
    const one = "One seed: no interval; only differences of 1 % or less count as none.";
    const several = `${kase.seeds.length} seeds: a difference counts as none within 1 %, ` +
      "or within the 95 % interval of the paired difference (Student's t).";
    return [kase.seeds.length === 1 ? one : several];
  }

  function ofQuality() {
    const endpoints = adapeff.endpoints(kase);
    const unscored = endpoints.filter((e) => {
      return kase.labels.every((_, x) => adapeff.scoreOf(kase, x, e) === null);
    });
    const said = unscored.length ? [`Quality is unavailable on ${unscored.join(", ")}: the floor was not held there.`] : [];
    if (unscored.length && unscored.length === endpoints.length) {
      said.splice(0, 1, "Quality is unknown, as nothing was scored: cost alone is compared.");
    }
    for (const label of unique(below.map((b) => b.label))) {
      const mine = below.filter((b) => b.label === label), size = (b) => (b.points === null ? Infinity : b.points);
      const worst = mine.reduce((a, b) => (size(b) > size(a) ? b : a));
      const more = mine.length > 1 ? ` (and on ${mine.length - 1} more)` : "";
      const reason = worst.points === null
        ? `it has no score on ${worst.endpoint}${more}`
        : `${behind(worst.points)} points below ${name(worst.best)} on ${worst.endpoint}${more}`;
      const less = whole && whole.amount !== null && all(label) < whole.amount;
      const cost = less ? `; it costs less in total (${money(all(label))})` : "";
      said.push(`${name(label)} is never called cheapest: ${reason}; the floor is ${general(floor)} points${cost}.`);
    }
    return said;
  }

  function ofIncomplete() {
    return unique(incomplete.map((i) => i.label)).map((label) => {
      const mine = incomplete.filter((i) => i.label === label), items = unique(mine.flatMap((i) => i.items));
      const more = items.length > 1 ? ` and ${items.length - 1} more` : "";
      const where = mine.map((i) => i.component).join(" and ");
      return `${name(label)} cannot be compared on ${where}: unavailable is ${items[0]}${more}.`;
    });
  }

  const found = comparisons.some((c) => c.cheapest !== null);
  const isAlone = comparisons.every((c) => c.cheapest !== null && !c.rivals.length);
  const worthSaying = comparisons.filter((c) => c.component === TOTAL || !isAlone);
  const first = found ? [...worthSaying.map(compared), ...ofPrice()] : ofNoOne();
  return [...first, ...ofNoise(), ...ofQuality(), ...ofIncomplete()];
};
