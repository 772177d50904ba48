// The live page: asks the application master for JSON again and again, by addresses relative to its own, and shows it.

"use strict";

const POLL_MS = 2000;
const USAGE_POLL_MS = 10000;
const KEPT_EVENTS = 1000;

let usageLoadedAt = 0;
let events = [];
let eventsLeftOut = 0;
let seen = { attempt: 1, number: 0 };

async function ask(address) {
  const answer = await fetch(address, { cache: "no-store", headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

async function load() {
  const application = await ask("application");
  await loadEvents();
  if (!configuration.length) {
    configuration = await ask("jobmanager/config");
    patchChildren(at("version"), [(await ask("overview"))["treadle-version"]]);
    showConfiguration();
  }
  const due = Date.now() - usageLoadedAt >= USAGE_POLL_MS;
  if (due && application.taskmanagers.length <= CHARTED_TASKMANAGERS) {
    usage = new Map((await ask("usage")).taskmanagers.map((each) => [each.id, each]));
    usageLoadedAt = Date.now();
  }
  return application;
}

// Only those that are new; a second application master behind the same address begins anew with number 1.
async function loadEvents() {
  let told = await ask(`events?after=${seen.number}`);
  if (told.attempt !== seen.attempt) {
    seen = { attempt: told.attempt, number: 0 };
    told = await ask("events");
  }
  const all = [...events, ...told.events];
  events = all.slice(-KEPT_EVENTS);
  eventsLeftOut += told.count - seen.number - told.events.length + all.length - events.length;
  seen.number = told.count;
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

async function run() {
  let shown = null;
  for (;;) {
    try {
      shown = await load();
      showApplication(shown);
      showEvents(events, eventsLeftOut);
      contact([`Live, every ${POLL_MS / 1000} s`], "");
    } catch (error) {
      console.warn(error);
      const ended = await askYarn(shown).catch(() => null);
      if (ended) return showEnded(ended);
      contact([`No answer from the application master (${error.message}): it has ended, or is not there yet. Asking on …`], "bad");
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
    while (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
  }
}

function showEnded(application) {
  showHead(application);
  showOutcome(application.outcome);
  show("waiting");
  contact(["The application has ended. What is below is the last that its application master said; all of it: ",
    code(`submit history page ${application.id}`)], "");
}

run();
