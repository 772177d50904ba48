// The page of an application that has ended: shows what this file holds, and asks nobody.

"use strict";

const ENDS = { SUCCEEDED: "the application succeeded", FAILED: "the application failed", KILLED: "the application was killed",
  RUNNING: "the application was still running", LOST: "nobody knows how the application ended" };

const everything = JSON.parse(at("data").textContent);

function showHistory({ application, history, events }) {
  const charted = application.taskmanagers.length <= CHARTED_TASKMANAGERS ? everything.usage.taskmanagers : [];
  usage = new Map(charted.map((each) => [each.id, each]));
  configuration = everything.configuration;
  isPast = true;
  document.querySelectorAll("[data-live]").forEach((node) => node.remove());
  showApplication(application);
  showEvents(events, 0);
  showConfiguration();
  patchChildren(at("am-logs"), ["Logs: ", code(`submit logs ${application.id}`)]);
  patchChildren(at("version"), [everything.overview["treadle-version"] ?? ""]);
  at("everything").href = URL.createObjectURL(new Blob([JSON.stringify(everything, null, 1)], { type: "application/json" }));
  at("everything").download = `${application.id}.json`;
  contact(whatItIs(history), history.written ? "" : "bad");
}

function whatItIs({ written, ended, status }) {
  const end = ["History: ", ENDS[status] ?? `the application ended as ${status}`, ended ? [", ", date(ended)] : ""];
  return [...end.flat(), written ? "; what is below was written " : "; its application master has written nothing", written ? date(written) : "", "."];
}

showHistory(everything);
