// The application master's page: asks for JSON again and again and shows it. Whatever a job, a node or a driver says becomes the
// text of a node, never HTML; what is shown anew is patched into what is there, so that focus, selection and open details stay.

const POLL_MS = 2000;
const SVG = "http://www.w3.org/2000/svg";
const HEARTBEAT_LATE_S = 30;
const TONES = { STARTING: "warn", RUNNING: "busy", SUCCEEDED: "good", FINISHED: "good", FAILED: "bad", KILLED: "warn", CANCELED: "warn",
  CREATED: "warn", REGISTERED: "good", REQUESTED: "warn", GONE: "bad", ENDED: "" };

const at = (id) => document.getElementById(id);

// --- elements -------------------------------------------------------------------------------------------------------------------

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== false && value != null) node.setAttribute(name, value);
  node.append(...children.flat().filter((child) => child != null && child !== ""));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function patch(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  patchChildren(old, [...fresh.childNodes]);
}

function patchChildren(parent, fresh) {
  while (parent.childNodes.length > fresh.length) parent.lastChild.remove();
  fresh.forEach((node, i) => (i < parent.childNodes.length ? patch(parent.childNodes[i], node) : parent.append(node)));
}

function show(id, ...children) {
  const section = at(id);
  const shown = children.flat().filter((child) => child != null);
  section.hidden = shown.length === 0;
  patchChildren(section.querySelector("h2 ~ *, details > div"), shown);
}

function table(caption, columns, rows) {
  const head = columns.map((name) => make("th", { scope: "col", role: "columnheader" }, name));
  const body = rows.map((cells) => make("tr", { role: "row" }, cells.map((cell, i) => tableCell(columns[i], cell, i === 0))));
  return make("table", { role: "table" }, caption && make("caption", {}, caption),
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, head)), make("tbody", { role: "rowgroup" }, body));
}

// On a phone a row is a card: the roles keep it a row of a table for those who hear it, the label says its column to those who see it.
function tableCell(column, content, isFirst) {
  const attributes = isFirst ? { scope: "row", role: "rowheader" } : { role: "cell", "data-label": column };
  return make(isFirst ? "th" : "td", attributes, content);
}

const badge = (state) => make("span", { class: `badge ${TONES[state] ?? ""}` }, state.toLowerCase());
const link = (address, text) => (/^\/\/[^/]/.test(address) ? make("a", { href: address, rel: "noreferrer" }, text) : null);
const id = (text) => make("span", { class: "id" }, text);

// --- numbers --------------------------------------------------------------------------------------------------------------------

const known = (value) => value != null && !Number.isNaN(value);
const percent = (value) => (known(value) ? `${Math.round(value)} %` : "–");
const mib = (value) => (known(value) ? (value < 1024 ? `${Math.round(value)} MiB` : `${(value / 1024).toFixed(1)} GiB`) : "–");
const count = (value) => value.toLocaleString("en");
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
const clock = (milliseconds) => new Date(milliseconds).toLocaleTimeString();

function age(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

// --- charts ---------------------------------------------------------------------------------------------------------------------

function chart(what, values, highest, unit) {
  const numbers = values.filter(known);
  if (numbers.length < 2) return "";
  const top = highest || Math.max(...numbers, 1);
  const point = (value, i) => `${((i / (values.length - 1)) * 100).toFixed(1)},${(25 - (Math.min(value, top) / top) * 24).toFixed(1)}`;
  const runs = stretches(values).map((run) => run.map(({ value, i }) => point(value, i)));
  const label = `${what}: now ${unit(values.at(-1))}, lowest ${unit(Math.min(...numbers))}, highest ${unit(Math.max(...numbers))}`;
  return svg("svg", { viewBox: "0 0 100 26", preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("title", {}, label), svg("line", { class: "base", x1: 0, x2: 100, y1: 25.5, y2: 25.5 }),
    ...runs.map((run) => svg("polygon", { class: "area", points: `${run[0].split(",")[0]},25 ${run.join(" ")} ${run.at(-1).split(",")[0]},25` })),
    ...runs.map((run) => svg("polyline", { class: "line", points: run.join(" ") })));
}

// A value that was not known leaves a gap.
function stretches(values) {
  const runs = [[]];
  values.forEach((value, i) => (known(value) ? runs.at(-1).push({ value, i }) : runs.push([])));
  return runs.filter((run) => run.length > 1);
}

const withChart = (text, drawn) => make("div", { class: "value" }, make("span", {}, text), drawn);

function bar(used, limit, label) {
  const text = limit ? `${mib(used)} of ${mib(limit)}` : mib(used);
  if (!known(used) || !limit) return text;
  return [text, make("meter", { min: 0, max: limit, high: limit * 0.9, optimum: 0, value: Math.min(used, limit), "aria-label": `${label}: ${text}` })];
}

// --- sections -------------------------------------------------------------------------------------------------------------------

function showHead(application) {
  const state = application.outcome ? application.outcome.status : application.state;
  document.title = `${application.name} – ${state.toLowerCase()}`;
  patchChildren(at("name"), [new Text(application.name)]);
  at("state").className = `badge ${TONES[state] ?? ""}`;
  patchChildren(at("state"), [new Text(state.toLowerCase())]);
  patchChildren(at("identity"), [id(application.id), new Text(application.user ? ` of ${application.user}` : ", on one machine")]);
  const logs = link(application.logs, "");
  at("am-logs").hidden = !logs;
  if (logs) at("am-logs").href = logs.href;
}

function showOutcome(outcome) {
  if (!outcome) return show("outcome");
  at("outcome").className = TONES[outcome.status] ?? "";
  const code = known(outcome.exit_code) ? `, exit code ${outcome.exit_code}` : "";
  show("outcome", make("p", {}, badge(outcome.status), code), make("p", {}, outcome.diagnostics));
}

function showOverview(application) {
  const there = application.taskmanagers.filter((each) => each.state === "REGISTERED");
  const slotCount = there.reduce((sum, each) => sum + each.slotsNumber, 0);
  const held = tally(there.flatMap((each) => uniqueDevices(each).map((device) => device.resource)));
  const lost = there.flatMap((each) => Object.keys(each.lostDevices)).length;
  const facts = [
    ["TaskManagers", there.length, ` of ${application.requested}`],
    ["Slots", slotCount, ""],
    ...Object.entries(held).map(([resource, number]) => [`Devices: ${resource}`, number, ""]),
    ...(lost ? [["Devices lost", lost, ""]] : []),
    ["Failures", application.failures.at(-1)?.number ?? 0, ""],
  ];
  show("overview", facts.map(([name, value, more]) => make("div", {}, make("dt", {}, name), make("dd", {}, count(value), make("small", {}, more)))));
}

function showJob(jobs) {
  const job = jobs[0];
  const { done, total, rows } = job.progress ?? {};
  const told = job.progress ? `${count(done)} of ${plural(total, "fragment")}, ${plural(rows, "row")}` : null;
  show("job", make("p", {}, make("strong", {}, job.name), " ", badge(job.status)),
    told && make("p", {}, told), told && make("progress", { max: Math.max(total, 1), value: done, "aria-label": `Progress: ${told}` }),
    job.report && jobReport(job.report));
}

function jobReport(report) {
  const rows = report.slots.map((slot) => [slot.slot, slot.node, count(slot.fragments), count(slot.rows), age(slot.seconds_busy)]);
  return table(`${report.name}: ${plural(report.rows, "row")} in ${report.seconds.toFixed(1)} s, to ${report.output}`,
    ["Slot", "Node", "Fragments", "Rows", "Busy"], rows);
}

function showFailures(failures) {
  show("failures", [...failures].reverse().map((each) =>
    make("li", { value: each.number },
      make("p", {}, make("span", { class: "badge bad" }, each.kind), ` ${clock(each.timestamp)} `,
        make("strong", {}, `${each.task_manager}${each.node ? ` on ${each.node}` : ""}`), ` ${each.cause}`),
      each.remedy && make("p", {}, `Remedy: ${each.remedy}`),
      each.detail && make("details", {}, make("summary", {}, "What it said"), make("pre", {}, each.detail)))));
}

function showWaiting(application) {
  const rows = application.waiting.map((each) => [each.id, each.group, resources(each.asked)]);
  show("waiting", rows.length ? table(null, ["TaskManager", "Group", "Its container"], rows) : null);
}

const resources = (amounts) => Object.entries(amounts).map(([type, amount]) => (type === "memory-mb" ? mib(amount) : `${amount} ${type}`)).join(", ");

function showTaskManagers(application, usage) {
  const columns = ["TaskManager", "State", "Node", "Container", "Memory", "CPU", "Granted", "Heartbeat", "Logs"];
  show("taskmanagers", byGroup(application.taskmanagers).map(([group, members]) =>
    table(`Group ${group}`, columns, members.map((each) => taskManagerRow(each, application.now, usage)))));
}

function taskManagerRow(each, now, usage) {
  const used = usage.taskManager(each.id);
  const alive = each.state === "REGISTERED";
  const silent = (now - each.timeSinceLastHeartbeat) / 1000;
  return [each.id, badge(each.state), each.node, id(each.containerId),
    alive ? withChart(mib(used.memory.at(-1)), chart(`Memory of ${each.id}`, used.memory, each.totalResource.taskOffHeapMemory, mib)) : "",
    alive ? withChart(percent(used.cpu.at(-1)), chart(`CPU of ${each.id}`, used.cpu, 0, percent)) : "",
    resources(each.granted), alive ? make("span", { class: silent > HEARTBEAT_LATE_S ? "bad" : "" }, `${age(silent)} ago`) : "",
    link(each.logs, "logs") ?? ""];
}

function showSlots(application, usage) {
  const there = application.taskmanagers.filter((each) => each.state === "REGISTERED");
  const columns = ["Slot", "CPU", "Memory", "Device", "Utilisation", "Device memory", "Temperature", "Power"];
  show("slots", byGroup(there).map(([group, members]) =>
    table(`Group ${group}`, columns, members.flatMap((each) => each.slots.flatMap((slot) => slotRows(each, slot, usage))))));
}

function slotRows(taskManager, slot, usage) {
  const used = usage.slot(slot.id);
  const own = [withChart(percent(used.cpu.at(-1)), chart(`CPU of ${slot.id}`, used.cpu, 0, percent)), mib(used.memory.at(-1))];
  if (!slot.devices.length) return [[slot.id, ...own, make("span", { class: "dim" }, "none"), "", "", "", ""]];
  return slot.devices.map((device, i) => [i ? make("span", { class: "dim" }, slot.id) : slot.id, ...(i ? ["", ""] : own), ...deviceCells(taskManager, device, usage)]);
}

function deviceCells(taskManager, device, usage) {
  const used = usage.device(taskManager.id, device.uuid);
  const lost = taskManager.lostDevices[device.uuid];
  const name = [`${device.resource} ${device.index} `, device.properties.name ?? "", make("br", {}), make("span", { class: "id dim" }, device.uuid)];
  return [[...name, lost && make("p", { class: "bad" }, `lost: ${lost}`)],
    withChart(percent(used.utilization.at(-1)), chart(`Utilisation of ${device.uuid}`, used.utilization, 100, percent)),
    bar(used.memory.at(-1), used.memoryTotal, `Memory of ${device.uuid}`),
    known(used.temperature) ? `${used.temperature} °C` : "–", known(used.power) ? `${Math.round(used.power)} W` : "–"];
}

function showExcluded(nodes) {
  show("excluded", nodes.map((node) => make("li", {}, node)));
}

function showConfiguration(entries) {
  const wanted = at("filter").value.trim().toLowerCase();
  const rows = entries.filter((each) => each.key.toLowerCase().includes(wanted)).map((each) => [id(each.key), id(each.value), each.origin]);
  show("configuration", table(null, ["Key", "Value", "From"], rows));
}

const uniqueDevices = (taskManager) => [...new Map(taskManager.devices.map((device) => [device.uuid, device])).values()];

function tally(words) {
  const counts = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function byGroup(taskManagers) {
  const groups = new Map();
  for (const each of taskManagers) groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
  return [...groups];
}
