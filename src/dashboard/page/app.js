import { createList, createTerms, setAttribute, setText } from "./dom.js";
import { clock, count, plural, rate } from "./format.js";
import { createRunCard } from "./run-card.js";
import { openStream } from "./stream.js";
import { createWorkers } from "./tables.js";

const MAX_POINTS = 900;
const byId = (id) => document.getElementById(id);

/** What the server has told, put together. */
let state;
const runs = new Map();
const curves = new Map();
/** When the queue last answered, by the clock of the server. */
let answeredMs;

const nowMs = () => state.atMs;

const tiles = ["runs", "workers", "slots in use", "items queued", "rate", "chunks waiting", "chunks active"];
const overview = createTerms(tiles, { class: "tiles" });
byId("overview").replaceWith(overview.root);
const workers = createWorkers();
byId("workers-table").append(workers.root);
// It can be scrolled sideways, also by keys.
for (const [name, value] of Object.entries({ role: "region", tabindex: "0", "aria-labelledby": "workers-title" }))
  setAttribute(byId("workers-table"), name, value);
const updateRuns = createList({
  keyOf: ({ run }) => run,
  parentOf: (run) => byId(run.state === "ended" ? "ended" : "running"),
  createRow: () =>
    createRunCard({
      nowMs,
      pointsOf: (run) => curves.get(run) ?? [],
      mayCancel: () => state.allowCancel,
      onCancel: askToCancel,
    }),
});

function take(event, message) {
  if (event === "beat") return;
  const before = event === "all" ? undefined : summary();
  if (event === "all") {
    runs.clear();
    curves.clear();
  }
  state = { ...state, ...message, error: message.error };
  for (const run of message.runs) runs.set(run.run, run);
  for (const run of [...runs.keys()]) if (!state.order.includes(run)) runs.delete(run);
  for (const [run, points] of message.points)
    curves.set(run, [...(curves.get(run) ?? []), ...points].slice(-MAX_POINTS));
  for (const run of [...curves.keys()]) if (!runs.has(run)) curves.delete(run);
  if (state.error === undefined) answeredMs = state.atMs;
  render();
  if (before !== undefined) announce(changes(before, summary()));
}

function render() {
  const all = state.order.map((run) => runs.get(run));
  const active = all.filter((run) => run.state !== "ended");
  const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);
  const slots = sum(state.nodes, (node) => node.slots);
  const queued = sum(state.nodes, (node) => node.queued);
  overview.update({
    runs: count(active.length),
    workers: count(state.nodes.length + state.hidden.nodes),
    "slots in use": `${count(sum(state.nodes, (node) => node.slotsInUse))} of ${count(slots)}`,
    "items queued": queued === 0 ? undefined : count(queued),
    rate: rate(sum(active, ({ report }) => report?.itemsPerSecond ?? 0)),
    "chunks waiting": count(sum(active, ({ chunks }) => chunks.waiting)),
    "chunks active": count(sum(active, ({ chunks }) => chunks.active)),
  });
  updateRuns(all);
  workers.update(state.nodes);
  // Before the first answer it is not known that there are none.
  byId("no-runs").hidden = answeredMs === undefined || active.length > 0;
  byId("no-workers").hidden = answeredMs === undefined || state.nodes.length > 0;
  byId("workers-table").hidden = state.nodes.length === 0;
  byId("ended-runs").hidden = all.length === active.length;
  showMore("more-runs", state.hidden.runs, "run");
  showMore("more-workers", state.hidden.nodes, "worker");
  const problem = byId("problem");
  problem.hidden = state.error === undefined;
  const since = answeredMs === undefined ? "" : ` This is what the queue said at ${clock(answeredMs)}.`;
  setText(problem, state.error === undefined ? "" : `Not up to date: ${state.error}.${since}`);
  byId("mount").hidden = state.mount === undefined;
  if (state.mount !== undefined) setAttribute(byId("mount").firstElementChild, "href", state.mount);
}

function showMore(id, hidden, what) {
  byId(id).hidden = hidden === 0;
  setText(byId(id), `${plural(hidden, `more ${what}`)} not shown`);
}

/** What is worth a sentence when it changes. */
const summary = () => ({
  runs: new Map([...runs].map(([run, { task, state: now }]) => [run, { task, now }])),
  nodes: new Map(state.nodes.map((node) => [node.node, node.host])),
});

function changes(before, after) {
  const said = [];
  for (const [run, { task, now }] of after.runs)
    if (before.runs.get(run)?.now !== now) said.push(`Run of ${task} is ${now}.`);
  const joined = [...after.nodes.keys()].filter((node) => !before.nodes.has(node)).length;
  const left = [...before.nodes.keys()].filter((node) => !after.nodes.has(node)).length;
  if (joined > 0) said.push(`${plural(joined, "worker")} joined.`);
  if (left > 0) said.push(`${plural(left, "worker")} left.`);
  return said;
}

function announce(sentences) {
  if (sentences.length > 0) byId("announcements").textContent = sentences.join(" ");
}

let status;
function showStatus(now) {
  if (now === status) return;
  const was = status;
  status = now;
  const texts = {
    connecting: "Connecting…",
    live: "Live",
    lost: `Connection lost at ${clock(Date.now())}. Trying again…`,
    paused: "Paused",
  };
  setText(byId("connection"), texts[now]);
  byId("connection").dataset.state = now;
  if (now === "lost") announce(["Connection lost."]);
  if (now === "live" && was === "lost") announce(["Connected again."]);
}

/** The run that the open dialog is about, and its card. */
let asked;
function askToCancel(run, card) {
  asked = { run, card };
  byId("confirm-run").textContent = `${run.task} ${run.run}`;
  byId("confirm-what").textContent =
    `${consequences(run)} What is done is kept, and the same command goes on from there.`;
  byId("confirm").returnValue = "keep";
  byId("confirm").showModal();
}

const consequences = ({ state: now }) =>
  now === "orphaned"
    ? "The coordinator is gone. The run ends, and workers give up the items that run."
    : "Running items may finish, no others start.";

byId("confirm").addEventListener("close", async ({ target }) => {
  if (target.returnValue !== "cancel") return;
  const { run, card } = asked;
  card.showCancelling();
  const problem = await cancel(run.run);
  card.showCancelled(problem);
  announce([problem === undefined ? `Run of ${run.task} is asked to stop.` : `Not cancelled: ${problem}.`]);
});

/** @returns why it is not cancelled */
async function cancel(run) {
  try {
    const answer = await fetch(`api/runs/${encodeURIComponent(run)}/cancel`, { method: "POST" });
    return (await answer.json()).error;
  } catch {
    return "the dashboard does not answer";
  }
}

openStream("api/events", { names: ["all", "state"], onEvent: take, onStatus: showStatus });
