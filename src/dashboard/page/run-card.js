import { createCurve } from "./curve.js";
import { createTerms, element, setAttribute, setText } from "./dom.js";
import { count, duration, rate, shortCount } from "./format.js";
import { createFailures, createOldest } from "./tables.js";

const statuses = ["done", "skipped", "filtered", "failed", "cancelled"];

/** Says what each state means to whoever rests the pointer on it. */
const meanings = {
  running: "Items are being worked on.",
  draining: "Running items may finish, no others start.",
  orphaned: "The coordinator is dead or cut off. Workers go on with what is in the queue; the same command takes over.",
  ended: "The run is over.",
};

const STALE_MS = 10_000;
let lastId = 0;

/**
 * The card of one run.
 * @param pointsOf the curve of a run
 * @param mayCancel whether the page is more than read-only
 */
export function createRunCard({ nowMs, pointsOf, mayCancel, onCancel }) {
  const id = `run-${++lastId}`;
  const task = element("bdi");
  const name = element("code", { class: "name" });
  const title = element("h3", { id, tabindex: "-1" }, task, " ", name);
  const state = element("span", { class: "state" });
  const where = element("p", { class: "where" });
  const button = element("button", { type: "button", class: "danger", "aria-describedby": id }, "Cancel");
  const answer = element("p", { class: "answer", hidden: true });
  const bar = createBar();
  const counts = createTerms([...statuses, "in flight", "waiting"], { class: "counts" });
  const figures = createTerms(["rate", "time left", "elapsed", "retries", "chunks waiting", "chunks active"], {
    class: "figures",
  });
  const curve = createCurve();
  const error = element("p", { class: "problem" });
  const failures = createFailures();
  const oldest = createOldest();
  const head = element("div", { class: "card-head" }, title, state, button);
  const middle = element("div", { class: "middle" }, curve.root, figures.root);
  const root = element("article", { class: "card", "aria-labelledby": id }, head, where, answer, error, bar.root);
  root.append(counts.root, middle, failures.root, oldest.root);
  for (const [i, row] of [...counts.root.children].entries()) row.className = statuses[i] ?? "rest";
  let shown;
  // Not `disabled`: the button would lose the focus.
  button.addEventListener("click", () => button.ariaDisabled !== "true" && onCancel(shown, card));
  const resetAnswer = () => {
    answer.hidden = true;
    button.ariaDisabled = null;
    setText(button, "Cancel");
  };
  const card = {
    showCancelling() {
      resetAnswer();
      button.ariaDisabled = "true";
    },
    /** @param problem why the run is not cancelled */
    showCancelled(problem) {
      if (problem === undefined) setText(button, "Asked to stop");
      else button.ariaDisabled = null;
      answer.hidden = problem === undefined;
      setText(answer, `Not cancelled: ${problem}.`);
    },
  };

  const update = (run) => {
    // An answer is about the state in which it was given.
    if (shown !== undefined && shown.state !== run.state) resetAnswer();
    shown = run;
    const { report } = run;
    const isEnded = run.state === "ended";
    setText(task, run.task);
    setText(name, run.run);
    setText(state, isEnded && report?.exitCode !== undefined ? `ended, exit ${report.exitCode}` : run.state);
    setAttribute(state, "data-state", isEnded && report?.exitCode > 0 ? "broken" : run.state);
    setAttribute(state, "title", meanings[run.state]);
    setText(where, whereText(run));
    const isNoMore = !mayCancel() || isEnded || run.state === "draining";
    if (isNoMore && document.activeElement === button) title.focus({ preventScroll: true });
    button.hidden = isNoMore;
    error.hidden = report?.error === undefined;
    setText(error, report?.error?.message ?? "");
    for (const part of [bar.root, counts.root, failures.root, oldest.root]) part.hidden = report === undefined;
    middle.hidden = report === undefined || isEnded;
    if (report === undefined) return;
    bar.update(report);
    counts.update(countTexts(report, isEnded));
    figures.update(figureTexts(run));
    if (!isEnded) curve.update(pointsOf(run.run), nowMs());
    failures.update(report.failures);
    oldest.update(isEnded ? [] : report.oldest);
  };
  return { root, update };
}

function whereText({ coordinator, startedAt, report, reportAgeMs, state }) {
  const from = `started ${startedAt.slice(0, 19).replace("T", " ")} UTC on ${coordinator.host}, process ${coordinator.pid}`;
  if (state === "ended") return report === undefined ? from : `${from}; took ${duration(report.elapsedMs)}`;
  if (report === undefined) return `${from}; no report yet`;
  return reportAgeMs > STALE_MS ? `${from}; last report ${duration(reportAgeMs)} ago` : from;
}

/** A status that no item has is left out, but for those that are always asked for. */
function countTexts({ counts, inFlight, waiting, listed }, isEnded) {
  const texts = {};
  for (const status of statuses)
    if (counts[status] > 0 || status === "done" || status === "failed") texts[status] = count(counts[status]);
  if (isEnded) return texts;
  return { ...texts, "in flight": count(inFlight), waiting: `${count(waiting)}${listed ? "" : " and more (listing)"}` };
}

function figureTexts({ report, etaMs, chunks }) {
  return {
    rate: rate(report.itemsPerSecond),
    "time left": etaMs === undefined ? "–" : duration(etaMs),
    elapsed: duration(report.elapsedMs),
    retries: count(report.retries),
    "chunks waiting": count(chunks.waiting),
    "chunks active": count(chunks.active),
  };
}

/** How much of a run has settled, and how. */
function createBar() {
  const root = element("div", { class: "bar", role: "img" });
  const parts = new Map([...statuses, "rest"].map((name) => [name, element("span", { class: name })]));
  root.append(...parts.values());
  const text = element("span", { class: "percent", "aria-hidden": "true" });
  const frame = element("div", { class: "bar-frame" }, root, text);
  const update = ({ counts, inFlight, waiting, listed }) => {
    const known = counts.total + inFlight + waiting;
    for (const status of statuses) parts.get(status).style.flexGrow = String(counts[status]);
    parts.get("rest").style.flexGrow = String(known === 0 ? 1 : inFlight + waiting);
    setAttribute(root, "data-listing", !listed && "yes");
    const percent = known === 0 ? 0 : Math.floor((100 * counts.total) / known);
    setText(text, listed ? `${percent} %` : "listing");
    const of = `${shortCount(counts.total)} of ${shortCount(known)} items have settled`;
    setAttribute(root, "aria-label", listed ? `${of}, ${percent} percent` : `${of}; more are being listed`);
  };
  return { root: frame, update };
}
