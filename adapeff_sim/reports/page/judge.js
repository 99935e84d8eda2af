// What a run costs at other prices, and what can be said of it: the rules of verdict.py, noise.py and costs/, in the page.
// A "case" is what whatif.py writes; "knobs" are { prices: {component: amount}, traffic: factor, floor: points }.
"use strict";
const adapeff = (() => {
  const TOTAL = "total", POINTS = 100, SECONDS_PER_DAY = 86400, ROUNDING = 1e-9, TOO_LONG = 1e12;
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const mean = (numbers) => sum(numbers) / numbers.length;
  const unique = (values) => [...new Set(values)];

  // Numbers as Python writes them: what lies exactly half way goes to the even digit.
  function halves(digits, kept) {
    const tail = digits.slice(kept);
    return /^50*$/.test(tail) && "02468".includes(digits[kept - 1]);
  }

  function fixed(number, places) {
    const size = Math.abs(number), long = size.toFixed(Math.min(100, places + 60));
    const digits = long.replace(".", ""), kept = digits.length - (long.length - 1 - long.indexOf(".")) + places;
    const whole = digits.slice(0, kept), at = whole.length - places;
    const down = places ? `${whole.slice(0, at)}.${whole.slice(at)}` : whole;
    const text = halves(digits, kept) ? down : size.toFixed(places);
    return number < 0 && Number(text) !== 0 ? `-${text}` : text;
  }

  function general(number, precision = 6) {
    if (number === 0) return "0";
    const size = Math.abs(number), long = size.toExponential(60), sign = number < 0 ? "-" : "";
    let [digits, power] = size.toExponential(precision - 1).replace(".", "").split("e");
    const exact = long.split("e")[0].replace(".", "");
    if (halves(exact, precision)) [digits, power] = [exact.slice(0, precision), long.split("e")[1]];
    const exponent = Number(power);
    if (exponent < -4 || exponent >= precision) {
      const rest = digits.slice(1).replace(/0+$/, ""), size2 = String(Math.abs(exponent)).padStart(2, "0");
      return `${sign}${digits[0]}${rest ? "." + rest : ""}e${exponent < 0 ? "-" : "+"}${size2}`;
    }
    const padded = exponent < 0 ? "0".repeat(-exponent) + digits : digits, point = Math.max(1, exponent + 1);
    const text = `${padded.slice(0, point)}.${padded.slice(point)}`;
    return sign + text.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  }

  const grouped = (text) => text.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase();

  function exactMoney(amount, currency) {
    const inFull = amount === 0 || (Math.abs(amount) >= 1 && Math.abs(amount) < TOO_LONG);
    return `${inFull ? grouped(fixed(amount, 2)) : general(amount, 3)} ${currency}`;
  }

  function money(amount) { // as wording.money says it in tables
    const size = Math.abs(amount);
    if (size >= TOO_LONG || size < 1) return general(amount, 3);
    return grouped(fixed(amount, size >= 1000 ? 0 : 2));
  }

  // Cost: how it grows in every life, component by component.
  const none = () => ({ due: [], accruing: [], unavailable: [] });

  function replicaHours(load, days, traffic, utilisation) { // costs/serving.py: whole replicas, at least one
    const asked = load * traffic;
    const replicas = Math.max(1, Math.ceil(asked / SECONDS_PER_DAY / utilisation - ROUNDING));
    return Math.max(replicas * 24 * days, (asked / 3600) * days);
  }

  function reckon(kase, knobs) {
    const lots = kase.labels.map(() => kase.seeds.map(() => new Map()));
    const at = (label, seed, component) => {
      const life = lots[label][seed];
      if (!life.has(component)) life.set(component, none());
      return life.get(component);
    };
    const add = (label, seed, component, day, until, amount) => {
      for (const name of [component, TOTAL]) {
        const lot = at(label, seed, name);
        if (until > day) lot.accruing.push([day, until, amount]);
        else lot.due.push([day, amount]);
      }
    };
    for (const [label, seed, component, day, until, quantity, amount] of kase.lots) {
      const base = kase.prices[component], now = knobs.prices[component];
      const scaled = base === undefined ? amount : base > 0 ? amount * (now / base) : amount + quantity * now;
      add(label, seed, component, day, until, scaled);
    }
    for (const [label, seed, day, until, load] of kase.pools) {
      const hours = replicaHours(load, until - day, knobs.traffic, kase.utilisation);
      add(label, seed, "serving", day, until, hours * knobs.prices.serving);
    }
    for (const [label, seed, component, item] of kase.unavailable) {
      for (const name of [component, TOTAL]) at(label, seed, name).unavailable.push(item);
    }
    return lots;
  }

  const isUnknown = (lot) => lot.unavailable.length > 0 && !lot.due.length && !lot.accruing.length; // which is not 0
  const amountOf = (lot) => sum(lot.due.map((x) => x[1])) + sum(lot.accruing.map((x) => x[2]));
  const daysOf = (lot) => [...lot.due.map((x) => x[0]), ...lot.accruing.flatMap((x) => [x[0], x[1]])];
  const lives = (kase, lots, label, component) => kase.seeds.map((_, s) => lots[label][s].get(component) || none());
  const total = (kase, lots, label, component) => mean(lives(kase, lots, label, component).map(amountOf));

  function grown(lot, day, before) { // the amount by a day, with what falls due on it, or just before
    let found = 0;
    for (const [d, amount] of lot.due) if (d < day || (d === day && !before)) found += amount;
    for (const [d, until, amount] of lot.accruing) if (d < day) found += amount * Math.min(1, (day - d) / (until - d));
    return found;
  }

  function moments(days) { // of a day that stands twice in the grid, the first is the moment before
    return days.map((day, i) => [day, day === days[i + 1]]);
  }

  function curves(kase, lots, component) { // for each label: mean, lowest and highest of the seeds, on the grid
    return kase.labels.map((_, label) => {
      const found = lives(kase, lots, label, component);
      return moments(kase.days).map(([day, before]) => {
        const amounts = found.map((lot) => grown(lot, day, before));
        return { day, mean: mean(amounts), low: Math.min(...amounts), high: Math.max(...amounts) };
      });
    });
  }

  function gaps(first, other, horizon) { // how much dearer the other is, mean over seeds, at every turn
    const turns = unique([...first, ...other].flatMap(daysOf).filter((d) => d <= horizon).concat(horizon));
    turns.sort((a, b) => a - b);
    return turns.flatMap((day) => [true, false].map((before) => {
      const [mine, theirs] = [first, other].map((group) => mean(group.map((lot) => grown(lot, day, before))));
      return { day, gap: theirs - mine, most: Math.max(mine, theirs), mine };
    }));
  }

  const meets = (a, b) => (a.gap === b.gap ? b.day : a.day + ((b.day - a.day) * a.gap) / (a.gap - b.gap));

  function leadsSince(first, other, horizon) { // the last crossover
    const found = gaps(first, other, horizon), slack = 1e-12 * Math.max(...[...first, ...other].map(amountOf));
    const behind = found.findLastIndex((x) => x.gap < -slack);
    if (behind < 0) return found[0].day;
    const after = found[behind + 1];
    return meets(found[behind], { day: after.day, gap: Math.max(0, after.gap) });
  }

  // Where two curves change places, each having been more than the noise below the other.
  function crossings(kase, lots, component) {
    const found = [];
    for (let a = 0; a < kase.labels.length; a++) for (let b = a + 1; b < kase.labels.length; b++) {
      const steps = gaps(lives(kase, lots, a, component), lives(kase, lots, b, component), kase.horizon);
      let ahead = 0, since = 0;
      steps.forEach((step, i) => {
        const sign = Math.abs(step.gap) > kase.relative_noise * step.most ? Math.sign(step.gap) : 0;
        if (sign && ahead && sign !== ahead) {
          let j = i;
          while (j > since && Math.sign(steps[j - 1].gap) === sign) j--;
          const day = meets(steps[j - 1], steps[j]);
          const lot = lives(kase, lots, a, component);
          const amount = mean(lot.map((one) => grown(one, day, day < steps[j].day)));
          found.push({ day, amount, under: sign > 0 ? a : b, over: sign > 0 ? b : a });
        }
        if (sign) [ahead, since] = [sign, i];
      });
    }
    return found.sort((x, y) => x.day - y.day);
  }

  // The verdict.
  function endpoints(kase) {
    return unique(kase.scores.flatMap((scores) => scores.map(([endpoint]) => endpoint))).sort();
  }

  const scoreOf = (kase, label, endpoint) => {
    const found = kase.scores[label].find(([name]) => name === endpoint);
    return found ? found[1] : null;
  };

  function belowFloor(kase, floor) {
    const found = [], labels = kase.labels.map((_, i) => i);
    for (const endpoint of endpoints(kase)) {
      const scored = labels.filter((x) => scoreOf(kase, x, endpoint) !== null);
      if (!scored.length) continue;
      const best = scored.reduce((a, b) => (scoreOf(kase, b, endpoint) > scoreOf(kase, a, endpoint) ? b : a));
      for (const label of labels) {
        const score = scoreOf(kase, label, endpoint);
        const points = score === null ? null : POINTS * (scoreOf(kase, best, endpoint) - score);
        if (points === null || points > floor + 1e-9) found.push({ label, endpoint, best, points });
      }
    }
    return found;
  }

  function incompletes(kase, lots) {
    const found = [];
    for (const component of kase.components) kase.labels.forEach((_, label) => {
      const items = unique(lives(kase, lots, label, component).flatMap((lot) => lot.unavailable)).sort();
      if (items.length) found.push({ label, component, items });
    });
    return found;
  }

  function rival(kase, lots, component, first, label) {
    const [one, other] = [first, label].map((x) => lives(kase, lots, x, component).map(amountOf));
    const apart = other.map((amount, i) => amount - one[i]), difference = mean(apart), amount = mean(other);
    const squares = sum(apart.map((x) => (x - difference) ** 2)), count = apart.length;
    const noise = count > 1 ? (kase.student_t * Math.sqrt(squares / (count - 1))) / Math.sqrt(count) : null;
    const tied = difference <= Math.max(kase.relative_noise * amount, noise || 0);
    return { label, amount, difference, noise, tied };
  }

  function compare(kase, lots, component, labels) {
    const amounts = new Map(labels.map((x) => [x, total(kase, lots, x, component)]));
    const rounded = new Map(labels.map((x) => [x, Number(amounts.get(x).toPrecision(12))])); // equal ones stay in order
    const [first, ...others] = [...labels].sort((a, b) => rounded.get(a) - rounded.get(b));
    if (first === undefined) return { component, cheapest: null, amount: null, tied: [], since: null, rivals: [] };
    const rivals = others.map((x) => rival(kase, lots, component, first, x));
    const group = (x) => lives(kase, lots, x, component);
    const beaten = rivals.filter((r) => !r.tied).map((r) => leadsSince(group(first), group(r.label), kase.horizon));
    const tied = rivals.filter((r) => r.tied).map((r) => r.label);
    const since = beaten.length ? Math.max(...beaten) : null;
    return { component, cheapest: first, amount: amounts.get(first), tied, since, rivals };
  }

  function judge(kase, lots, floor) {
    const below = belowFloor(kase, floor), incomplete = incompletes(kase, lots);
    const low = new Set(below.map((b) => b.label));
    const comparisons = kase.components.map((component) => {
      const unknown = new Set(incomplete.filter((i) => i.component === component).map((i) => i.label));
      const able = kase.labels.map((_, x) => x).filter((x) => !low.has(x) && !unknown.has(x));
      return compare(kase, lots, component, able);
    });
    const found = { below, incomplete, comparisons, floor };
    return { ...found, sentences: adapeff.sentences(kase, lots, found) };
  }

  return {
    TOTAL, POINTS, unique, mean, fixed, general, grouped, capital, money, exactMoney, reckon, curves, crossings,
    isUnknown, amountOf, daysOf, lives, total, endpoints, scoreOf, rival, judge,
  };
})();
