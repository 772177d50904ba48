// The page's sections, each from the JSON of the application master's REST server.

"use strict";

const CHARTED_TASKMANAGERS = 64; // more than so many would make the samples of all too much to load again and again
const HEARTBEAT_LATE_S = 30;
const SLOT_COLUMNS = ["Slot", "CPU", "Memory", "Device", "Utilisation", "Device memory", "Temperature", "Power"];
const DEVICE_COLUMN = 3; // what no driver tells has no column after it

let usage = new Map(); // TaskManager's id → its samples
let configuration = [];
let isPast = false; // whether this is a history, and "now" when it was written

function contact(content, className) {
  at("contact").className = className;
  patchChildren(at("contact"), content);
}

function showHead(application) {
  const state = application.outcome?.status ?? application.state;
  document.title = `${application.name}: ${state.toLowerCase()}`;
  patchChildren(at("name"), [application.name]);
  at("state").className = `badge ${tone(state)}`;
  patchChildren(at("state"), [state.toLowerCase()]);
  const whose = application.user ? ` of ${application.user}` : "";
  patchChildren(at("identity"), [code(application.id), whose, application.id.startsWith("local-") ? " on one machine" : ""]);
  patchChildren(at("am-logs"), [link(application.logs, "Logs of the application master")]);
}

function showOutcome(outcome) {
  if (!outcome) return show("outcome");
  at("outcome").className = tone(outcome.status);
  const exit = known(outcome.exit_code) ? ` exit code ${outcome.exit_code}` : "";
  return show("outcome", make("p", {}, badge(outcome.status), exit), make("p", { class: "lines" }, outcome.diagnostics));
}

function showOverview(application, there) {
  const held = there.flatMap(devicesOf);
  const lost = held.filter((device) => device.state === "lost").length;
  const facts = [
    ["TaskManagers", there.length, `of ${application.requested}`],
    ...(there.every((each) => known(each.slotsNumber)) ? [["Slots", there.reduce((sum, each) => sum + each.slotsNumber, 0), ""]] : []),
    ...[...grouped(held, "resource")].map(([resource, devices]) => [`Devices: ${resource}`, devices.length, ""]),
    ...(lost ? [["Devices lost", lost, ""]] : []),
    ...(known(application.started) ? [["Time", duration(((application.ended ?? application.now) - application.started) / 1000), ""]] : []),
    ["Failures", application.failures.at(-1)?.number ?? 0, ""],
    ["Job restarts", application.jobs[0].restarts, ""],
  ];
  show("overview", facts.map(([name, value, more]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, typeof value === "number" ? count(value) : value, more && make("small", {}, ` ${more}`)))));
}

function showJob(job) {
  const progress = job.progress;
  const told = progress && `${count(progress.done)} of ${plural(progress.total, "fragment")}, ${plural(progress.rows, "row")}`;
  show("job", make("p", {}, make("strong", {}, job.name), " ", badge(job.status), told && ` ${told}`),
    progress && make("progress", { max: Math.max(progress.total, 1), value: progress.done, "aria-label": `Progress: ${told}` }),
    job.report && reported(job.report));
}

function reported(report) {
  const rows = report.slots.map((slot) => [slot.slot, slot.node, count(slot.fragments), count(slot.rows), duration(slot.seconds_busy)]);
  const caption = `${report.name}: ${plural(report.rows, "row")} in ${duration(report.seconds)} to ${report.output}`;
  return table(caption, ["Slot", "Node", "Fragments", "Rows", "Busy"], rows);
}

function showFailures(failures) {
  show("failures", [...failures].reverse().map((each) => make("li", { value: each.number, "data-key": each.number },
    make("p", {}, make("span", { class: "badge bad" }, each.kind), " ", time(each.timestamp), " ",
      make("strong", {}, each.task_manager + (each.node && ` on ${each.node}`)), ` ${each.cause}`),
    each.remedy && make("p", {}, `Remedy: ${each.remedy}`),
    each.detail && make("details", {}, make("summary", {}, "What it said"), make("pre", {}, each.detail)))));
}

function showWaiting(waiting) {
  const rows = waiting.map((each) => [each.id, each.group, amounts(each.asked) || dim("a process of this machine")]);
  show("waiting", rows.length ? table(null, ["TaskManager", "Group", "Its container"], rows) : null);
}

const says = (cell) => !["", NOT_KNOWN].includes(cell.textContent ?? cell);

function showSlots(there) {
  const groups = byGroup(there, (each) => each.slots.flatMap((slot) => slotRows(each, slot)));
  const charted = [...usage.values()].map((each) => each.seconds_ago).filter((ages) => ages.length > 1);
  const oldest = Math.max(...charted.map(([first]) => first));
  const caption = charted.length ? `Charts: the last ${duration(oldest)}${isPast ? " before this was written" : ""}` : null;
  const told = SLOT_COLUMNS.map((_, i) => i <= DEVICE_COLUMN || groups.some(([, rows]) => rows.some((cells) => says(cells[i]))));
  const onlyTold = (cells) => cells.filter((_, i) => told[i]);
  show("slots", there.length ? groupedTable(caption, onlyTold(SLOT_COLUMNS), groups.map(([name, rows]) => [name, rows.map(onlyTold)])) : null);
}

function slotRows(taskManager, slot) {
  const now = taskManager.usage?.slots.find((each) => each.id === slot.id) ?? {};
  const samples = usage.get(taskManager.id)?.slots.find((each) => each.id === slot.id) ?? {};
  const own = [charted(`CPU of ${slot.id}`, now.cpu_percent, samples.cpu_percent, 0, percent),
    charted(`Memory of ${slot.id}`, now.memory_mb, samples.memory_mb, 0, mib)];
  if (!slot.devices.length) return [[slot.id, ...own, dim("none"), "", "", "", ""]];
  return slot.devices.map((device, i) => [i ? dim(slot.id) : slot.id, ...(i ? ["", ""] : own), ...deviceCells(taskManager, device)]);
}

function deviceCells(taskManager, device) {
  const same = (each) => each.resource === device.resource && each.uuid === device.uuid;
  const now = taskManager.usage?.devices.find(same) ?? {};
  const samples = usage.get(taskManager.id)?.devices.find(same) ?? {};
  const what = `${device.resource} ${device.index} of ${taskManager.id}`;
  return [make("div", {}, `${device.resource} ${device.index} `, device.properties.name, make("br", {}), make("code", { class: "dim" }, device.uuid),
      device.cause && make("p", { class: "bad" }, `lost: ${device.cause}`)),
    charted(`Utilisation of ${what}`, now.utilization, samples.utilization, 100, percent),
    filled(`Memory of ${what}`, now.memory_used_mb, now.memory_total_mb),
    short(known(now.temperature_c) ? `${now.temperature_c} °C` : NOT_KNOWN), short(known(now.power_w) ? `${Math.round(now.power_w)} W` : NOT_KNOWN)];
}

function showTaskManagers(application) {
  const columns = ["TaskManager", "State", "Node", "Memory", "CPU", "Heartbeat", "Granted by YARN", "Container"];
  const groups = byGroup(application.taskmanagers, (each) => [taskManagerRow(each, application.now)]);
  show("taskmanagers", groups.length ? groupedTable(null, columns, groups) : null);
}

function taskManagerRow(each, now) {
  const samples = usage.get(each.id) ?? {};
  const container = make("div", {}, code(each.containerId), " ", isPast ? "" : link(each.logs, "logs", `Logs of ${each.id}`));
  const alive = each.state === "REGISTERED" ? [
    charted(`Memory of ${each.id}`, each.usage?.memory_mb, samples.memory_mb, each.usage?.memory_asked_mb, mib),
    charted(`CPU of ${each.id}`, each.usage?.cpu_percent, samples.cpu_percent, 0, percent),
    heartbeat(each, now)] : ["", "", ""];
  return [each.id, badge(each.state), each.node, ...alive, amounts(each.granted), container];
}

function heartbeat({ timeSinceLastHeartbeat: at }, now) {
  if (at < 0) return "";
  const silent = (now - at) / 1000;
  return isPast ? time(at) : make("span", { class: silent > HEARTBEAT_LATE_S ? "bad" : null }, `${duration(silent)} ago`);
}

function showMemory(application, there) {
  const part = (name, configured, used) => [name, mib(configured), known(used) ? filled(`Memory of ${name}`, used, configured, 0.9) : dim("not measured")];
  const measured = known(application.master?.memory_mb) ? [["Application master", application.master]] : [];
  const rows = [...measured, ...there.map((each) => [each.id, each.usage])]
    .map(([name, told]) => part(name, told?.memory_asked_mb, told?.memory_mb));
  show("memory", rows.length ? table(null, ["Component", "Configured", "Used"], rows) : null);
}

function showConfiguration() {
  const wanted = at("filter").value.trim().toLowerCase();
  const rows = configuration.filter((each) => each.key.toLowerCase().includes(wanted)).map((each) => [code(each.key), code(each.value), each.origin]);
  show("configuration", configuration.length ? table(null, ["Key", "Value", "Origin"], rows) : null);
}

function devicesOf(taskManager) {
  return [...new Map(taskManager.devices.map((device) => [`${device.resource} ${device.uuid}`, device])).values()];
}

// Each group's name, where there is more than one, and its rows.
function byGroup(taskManagers, rowsOf) {
  const groups = [...grouped(taskManagers, "group")];
  return groups.map(([name, members]) => [groups.length > 1 ? `Group ${name}` : "", members.flatMap(rowsOf)]);
}

function grouped(items, field) {
  const groups = new Map();
  for (const item of items) groups.set(item[field], [...(groups.get(item[field]) ?? []), item]);
  return groups;
}

function showApplication(application) {
  const there = application.taskmanagers.filter((each) => each.state === "REGISTERED");
  showHead(application);
  showOutcome(application.outcome);
  showOverview(application, there);
  showJob(application.jobs[0]);
  showFailures(application.failures);
  showWaiting(application.outcome ? [] : application.waiting);
  showSlots(there);
  showTaskManagers(application);
  showMemory(application, there);
  const devices = (application.excluded_devices ?? []).map((each) => `${each.resource} ${each.uuid} of ${each.node}: ${each.cause}`);
  show("excluded", [...application.excluded_nodes, ...devices].map((text) => make("li", {}, text)));
  at("no-charts").hidden = there.length <= CHARTED_TASKMANAGERS;
}

at("filter").addEventListener("input", showConfiguration);
