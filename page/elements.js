// The page's elements: made of text, patched into what is there. Whatever a job, a node or a driver says becomes the text of a node,
// never HTML; patching keeps focus, selection and open details where a reader has them.
// The scripts after this one use its names: no modules, which a browser does not load from file://, where a history lies.

"use strict";

const SVG = "http://www.w3.org/2000/svg";
const TONES = { STARTING: "warn", RUNNING: "busy", SUCCEEDED: "good", FINISHED: "good", FAILED: "bad", KILLED: "warn", CANCELED: "warn",
  CREATED: "warn", REGISTERED: "good", GONE: "bad", LOST: "bad" };

const at = (id) => document.getElementById(id);

function make(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) if (value != null) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== ""));
  return node;
}

// Children are told apart by `data-key` where they have one, else by their place.
function patchChildren(parent, children) {
  const fresh = [...make("div", {}, ...children).childNodes];
  const keyed = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  fresh.forEach((node, i) => {
    const key = node.dataset?.key;
    const place = parent.childNodes[i] ?? null;
    if (key && !keyed.has(key)) return parent.insertBefore(node, place);
    if (key && keyed.get(key) !== place) parent.insertBefore(keyed.get(key), place);
    return place ? patch(parent.childNodes[i], node) : parent.append(node);
  });
  while (parent.childNodes.length > fresh.length) parent.lastChild.remove();
}

function patch(old, fresh) {
  if (old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return undefined;
  }
  for (const { name } of [...old.attributes]) if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  return patchChildren(old, [...fresh.childNodes]);
}

// Fills what follows a section's heading; a section without content isn't shown.
function show(id, ...children) {
  const shown = children.flat().filter((child) => child != null);
  at(id).hidden = shown.length === 0;
  patchChildren(at(id).querySelector(".content"), shown);
}

// On a phone a row is shown as a card: the roles keep it a row to those who hear the page, `data-label` names its column to those who see it.
function table(caption, columns, rows) {
  return groupedTable(caption, columns, [["", rows]]);
}

// Groups are pairs of a name and rows; a name of "" is not shown.
function groupedTable(caption, columns, groups) {
  const head = columns.map((name) => make("th", { scope: "col", role: "columnheader" }, name));
  const cell = (content, i) => (i ? make("td", { role: "cell", "data-label": columns[i] }, content) : make("th", { scope: "row", role: "rowheader" }, content));
  return make("table", { role: "table" }, caption && make("caption", {}, caption),
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, head)),
    groups.map(([name, rows]) => make("tbody", { role: "rowgroup" },
      name && make("tr", { role: "row" }, make("th", { class: "group", scope: "rowgroup", role: "rowheader", colspan: columns.length }, name)),
      rows.map((cells) => make("tr", { role: "row" }, cells.map(cell))))));
}

const tone = (state) => TONES[state] ?? "dim";
const badge = (state) => make("span", { class: `badge ${tone(state)}` }, state.toLowerCase());
const code = (text) => make("code", {}, text);
const short = (text) => make("span", { class: "short" }, text);
const dim = (text) => make("span", { class: "dim" }, text);

// Only an address without a scheme, as the application master builds it, becomes a link.
const link = (address, text, label) => (/^\/\/[^/]/.test(address) ? make("a", { href: address, "aria-label": label }, text) : null);

const NOT_KNOWN = "–";
const known = (value) => value != null;
const count = (value) => value.toLocaleString("en");
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
const percent = (value) => (known(value) ? `${Math.round(value)} %` : NOT_KNOWN);
const mib = (value) => (!known(value) ? NOT_KNOWN : value < 1024 ? `${Math.round(value)} MiB` : `${(value / 1024).toFixed(1)} GiB`);
const amounts = (byType) => Object.entries(byType).filter(([, number]) => number).map(([type, number]) => amount(type, number)).join(", ");
const amount = (type, number) => (type === "memory-mb" ? mib(number) : type === "vcores" ? plural(number, "vcore") : `${number} ${type}`);

function duration(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

const TIME = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" };

// A time in the reader's zone, from milliseconds or ISO; `date` has the year and the zone, too.
function time(at, style = TIME) {
  const moment = new Date(at);
  return make("time", { datetime: moment.toISOString() }, moment.toLocaleString([], style));
}
const date = (at) => time(at, { dateStyle: "medium", timeStyle: "long" });

// A number and, under it, its samples as a line from 0 to `highest` (their own highest where that is 0). A value not known is a gap.
function charted(what, now, values = [], highest, unit) {
  const numbers = values.filter(known);
  if (numbers.length < 2) return unit(now);
  const top = highest || Math.max(...numbers, 1);
  const label = `${what}: now ${unit(now)}, lowest ${unit(Math.min(...numbers))}, highest ${unit(Math.max(...numbers))}`;
  const place = (value, i) => `${((i / (values.length - 1)) * 100).toFixed(1)},${(25 - (Math.min(value, top) / top) * 24).toFixed(1)}`;
  const lines = stretches(values).map((run) => run.map(([value, i]) => place(value, i)));
  return make("div", { class: "charted" }, make("span", {}, unit(now)),
    draw("svg", { viewBox: "0 0 100 26", preserveAspectRatio: "none", role: "img", "aria-label": label },
      draw("title", {}, label), draw("line", { class: "base", x1: 0, x2: 100, y1: 25.5, y2: 25.5 }),
      lines.map((line) => draw("polygon", { class: "area", points: `${line[0].split(",")[0]},25 ${line.join(" ")} ${line.at(-1).split(",")[0]},25` })),
      lines.map((line) => draw("polyline", { class: "line", points: line.join(" ") }))));
}

function stretches(values) {
  const runs = [[]];
  values.forEach((value, i) => (known(value) ? runs.at(-1).push([value, i]) : runs.push([])));
  return runs.filter((run) => run.length > 1);
}

// `tight` is the part of the limit above which it gets dangerous.
function filled(what, used, limit, tight = 1) {
  if (!known(used) || !limit) return mib(used);
  const text = `${mib(used)} of ${mib(limit)}`;
  return make("div", { class: "short" }, text, make("meter", { min: 0, max: limit, low: tight * limit, high: tight * limit, optimum: 0, value: Math.min(used, limit), "aria-label": `${what}: ${text}` }));
}
