// What happened, the latest first: the records of the application master's event log, in words.

"use strict";

let shownEvents = 50;

const WORDS = {
  "attempt started": (each) => `number ${each.attempt} of the application master`,
  granted: (each) => [`${each.container} on ${each.node}`, amounts(each.resources)].filter(Boolean).join(": "),
  registered: (each) => `${each.task_manager} on ${each.node}: ${plural(each.slots, "slot")}, ${listed(each.devices) || "no devices"}`,
  completed: (each) => `${each.task_manager ?? each.container}: exit status ${each.exit_status} ${each.diagnostics}`,
  "node changed": (each) => `${each.node} is ${each.state}${each.health && `: ${each.health}`}${leftWithout(each.left_without)}`,
  "device lost": (each) => `${each.resource} ${each.uuid} of ${each.task_manager}: ${each.cause}`,
  "slot ended": (each) => `${each.slot}: exit code ${each.exit_code}`,
  "scheduler up": (each) => each.address,
  progress: (each) => `${each.name}: ${count(each.done)} of ${plural(each.total, "fragment")}, ${plural(each.rows, "row")}`,
  report: (each) => `${each.name}: ${plural(each.rows, "row")} in ${duration(each.seconds)} to ${each.output}`,
  "main started": () => "the job's script, beside the application master",
  deployed: (each) => (each.slots ? `${each.name} in ${plural(each.slots, "slot")}${attempted(each)}` : `${each.name}: all slots stop`),
  "replacement requested": (each) => each.task_manager,
  "container stopped": (each) => each.container,
  "nodes excluded": (each) => each.nodes.join(", ") || "none any more",
  "devices excluded": (each) => each.devices.join(", ") || "none any more",
  failure: (each) => `${each.kind}: ${each.task_manager}${each.node && ` on ${each.node}`} ${each.cause}`,
  finished: (each) => `${each.status.toLowerCase()}, exit code ${each.exit_code}: ${each.diagnostics}`,
  "left out": (each) => plural(each.records, "event"),
};

const EVENT_TONES = { failure: "bad", "device lost": "bad", "node changed": "warn", "replacement requested": "warn", "nodes excluded": "warn", "devices excluded": "warn", "left out": "warn",
  registered: "good", deployed: "busy", "main started": "busy" };

function eventTone(each) {
  if (each.event === "finished") return tone(each.status);
  if (each.event === "slot ended") return each.exit_code ? "bad" : "good";
  return EVENT_TONES[each.event] ?? "dim";
}

function attempted({ job_attempt: restarts }) {
  return restarts ? `, attempt ${restarts + 1}` : "";
}

function leftWithout(groups) {
  return groups.length ? `; no node is left for ${groups.join(", ")}` : "";
}

function listed(devices) {
  return devices.map((each) => `${each.resource} ${each.index}`).join(", ");
}

// Of another version's kinds of events what they hold.
function words(each) {
  const { number, time, attempt, event, ...told } = each;
  return WORDS[event]?.(each) ?? Object.entries(told).map(([key, value]) => `${key} ${JSON.stringify(value)}`).join(", ");
}

// `leftOut` earlier ones are not among them.
function showEvents(events, leftOut) {
  const told = events.filter((each, i) => !isOvertaken(each, events[i + 1]));
  const latest = [...told.entries()].reverse().slice(0, shownEvents);
  const attempts = new Set(events.map((each) => each.attempt)).size;
  show("events", latest.map(([i, each]) => eventItem(each, i, attempts > 1)));
  at("all-events").hidden = latest.length === told.length;
  patchChildren(at("all-events"), [`Show all ${count(told.length)}`]);
  at("all-events").onclick = () => {
    shownEvents = Infinity;
    showEvents(events, leftOut);
  };
  at("earlier-events").hidden = !leftOut;
  patchChildren(at("earlier-events"), [`${plural(leftOut, "event")} before these: see “Everything as JSON”.`]);
}

// Of progress upon progress the last is enough.
function isOvertaken(each, next) {
  return each.event === "progress" && next?.event === "progress" && each.name === next.name;
}

function eventItem(each, i, tellsAttempt) {
  const attempt = tellsAttempt && each.attempt ? dim(` attempt ${each.attempt}`) : "";
  return make("li", { "data-key": `${each.attempt}/${each.number ?? i}` }, make("span", { class: "dim" }, each.time ? time(each.time) : "", attempt),
    make("span", {}, make("span", { class: `badge ${eventTone(each)}` }, each.event)), make("span", { class: "lines" }, words(each)));
}
