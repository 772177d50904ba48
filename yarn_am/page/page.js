// The application master's page: asks for JSON again and again, by addresses relative to its own, and shows it.

import { amounts, at, badge, charted, code, count, dim, duration, filled, groupedTable, known, link, make, mib, patchChildren, percent, plural, short, show,
  table, tone } from "./elements.js";

const POLL_MS = 2000;
const USAGE_POLL_MS = 10000;
const CHARTED_TASKMANAGERS = 64; // more than so many would make the samples of all too much to load again and again
const HEARTBEAT_LATE_S = 30;

let usage = new Map();
let configuration = [];

// --- sections -------------------------------------------------------------------------------------------------------------------

function showHead(application) {
  const state = application.outcome?.status ?? application.state;
  document.title = `${application.name}: ${state.toLowerCase()}`;
  patchChildren(at("name"), [application.name]);
  at("state").className = `badge ${tone(state)}`;
  patchChildren(at("state"), [state.toLowerCase()]);
  patchChildren(at("identity"), [code(application.id), application.user ? ` of ${application.user}` : " on one machine"]);
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
    ["Slots", there.reduce((sum, each) => sum + each.slotsNumber, 0), ""],
    ...[...grouped(held, "resource")].map(([resource, devices]) => [`Devices: ${resource}`, devices.length, ""]),
    ...(lost ? [["Devices lost", lost, ""]] : []),
    ["Failures", application.failures.at(-1)?.number ?? 0, ""],
    ["Job restarts", application.jobs[0].restarts, ""],
  ];
  show("overview", facts.map(([name, value, more]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, count(value), more && make("small", {}, ` ${more}`)))));
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
    make("p", {}, make("span", { class: "badge bad" }, each.kind), ` ${new Date(each.timestamp).toLocaleTimeString()} `,
      make("strong", {}, each.task_manager + (each.node && ` on ${each.node}`)), ` ${each.cause}`),
    each.remedy && make("p", {}, `Remedy: ${each.remedy}`),
    each.detail && make("details", {}, make("summary", {}, "What it said"), make("pre", {}, each.detail)))));
}

function showWaiting(waiting) {
  const rows = waiting.map((each) => [each.id, each.group, amounts(each.asked) || dim("a process of this machine")]);
  show("waiting", rows.length ? table(null, ["TaskManager", "Group", "Its container"], rows) : null);
}

function showSlots(there) {
  const columns = ["Slot", "CPU", "Memory", "Device", "Utilisation", "Device memory", "Temperature", "Power"];
  const groups = byGroup(there, (each) => each.slots.flatMap((slot) => slotRows(each, slot)));
  const oldest = Math.max(...[...usage.values()].flatMap((each) => each.seconds_ago.slice(0, 1)));
  show("slots", there.length ? groupedTable(oldest > 0 ? `Charts: the last ${duration(oldest)}` : null, columns, groups) : null);
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
    short(known(now.temperature_c) ? `${now.temperature_c} °C` : "–"), short(known(now.power_w) ? `${Math.round(now.power_w)} W` : "–")];
}

function showTaskManagers(application) {
  const columns = ["TaskManager", "State", "Node", "Memory", "CPU", "Heartbeat", "Granted by YARN", "Container"];
  const groups = byGroup(application.taskmanagers, (each) => [taskManagerRow(each, application.now)]);
  show("taskmanagers", groups.length ? groupedTable(null, columns, groups) : null);
}

function taskManagerRow(each, now) {
  const samples = usage.get(each.id) ?? {};
  const silent = (now - each.timeSinceLastHeartbeat) / 1000;
  const container = make("div", {}, code(each.containerId), " ", link(each.logs, "logs", `Logs of ${each.id}`));
  const alive = each.state === "REGISTERED" ? [
    charted(`Memory of ${each.id}`, each.usage?.memory_mb, samples.memory_mb, each.usage?.memory_asked_mb, mib),
    charted(`CPU of ${each.id}`, each.usage?.cpu_percent, samples.cpu_percent, 0, percent),
    make("span", { class: silent > HEARTBEAT_LATE_S ? "bad" : null }, `${duration(silent)} ago`)] : ["", "", ""];
  return [each.id, badge(each.state), each.node, ...alive, amounts(each.granted), container];
}

function showMemory(application, there) {
  const part = (name, configured, used) => [name, mib(configured), known(used) ? filled(`Memory of ${name}`, used, configured, 0.9) : dim("not measured")];
  const measured = known(application.master.memory_mb) ? [["Application master", application.master]] : [];
  const rows = [...measured, ...there.map((each) => [each.id, each.usage])]
    .map(([name, told]) => part(name, told?.memory_asked_mb, told?.memory_mb));
  show("memory", rows.length ? table(null, ["Component", "Configured", "Used"], rows) : null);
}

function showConfiguration() {
  const wanted = at("filter").value.trim().toLowerCase();
  const rows = configuration.filter((each) => each.key.toLowerCase().includes(wanted)).map((each) => [code(each.key), code(each.value), each.origin]);
  show("configuration", configuration.length ? table(null, ["Key", "Value", "From"], rows) : null);
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

// --- the loop -------------------------------------------------------------------------------------------------------------------

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
  show("excluded", application.excluded_nodes.map((node) => make("li", {}, node)));
  at("no-charts").hidden = there.length <= CHARTED_TASKMANAGERS;
}

async function ask(address) {
  const answer = await fetch(address, { cache: "no-store", headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

async function load() {
  const application = await ask("application");
  if (!configuration.length) {
    configuration = await ask("jobmanager/config");
    patchChildren(at("version"), [(await ask("overview"))["treadle-version"]]);
    showConfiguration();
  }
  const due = Date.now() - (usage.loadedAt ?? 0) >= USAGE_POLL_MS;
  if (due && application.taskmanagers.length <= CHARTED_TASKMANAGERS) {
    usage = new Map((await ask("usage")).taskmanagers.map((each) => [each.id, each]));
    usage.loadedAt = Date.now();
  }
  return application;
}

// The application master is gone a moment after the end; the ResourceManager, whose proxy this page came through, remembers how it was.
async function askYarn(shown) {
  const [before, after] = location.pathname.split("/proxy/");
  if (after === undefined) return null;
  const { app } = await ask(`${before}/ws/v1/cluster/apps/${after.split("/")[0]}`);
  if (!["FINISHED", "FAILED", "KILLED"].includes(app.state)) return null;
  const status = app.finalStatus === "UNDEFINED" ? app.state : app.finalStatus;
  const nobody = { id: app.id, name: app.name, user: app.user, logs: "", state: status };
  return { ...(shown ?? nobody), outcome: shown?.outcome ?? { status, exit_code: null, diagnostics: app.diagnostics } };
}

function contact(text, className) {
  at("contact").className = className;
  patchChildren(at("contact"), [text]);
}

async function run() {
  let shown = null;
  for (;;) {
    try {
      shown = await load();
      showApplication(shown);
      contact(`Live, every ${POLL_MS / 1000} s`, "");
    } catch (error) {
      console.warn(error);
      const ended = await askYarn(shown).catch(() => null);
      if (ended) return showEnded(ended);
      contact(`No answer from the application master (${error.message}): it has ended, or is not there yet. Asking on …`, "bad");
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
    while (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
  }
}

function showEnded(application) {
  showHead(application);
  showOutcome(application.outcome);
  show("waiting");
  contact("The application has ended. What is below is the last that its application master said.", "");
}

at("filter").addEventListener("input", showConfiguration);
run();
