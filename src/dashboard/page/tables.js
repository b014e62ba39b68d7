import { createList, element, setAttribute, setText } from "./dom.js";
import { bytes, count, duration, rate } from "./format.js";

const SILENT_MS = 10_000;

/** Classes of failures; each opens to the first item that failed so. */
export function createFailures() {
  const list = element("div");
  const root = element("section", { class: "failures", tabindex: "-1" }, element("h4", {}, "Failures by class"), list);
  const update = createList({ keyOf: (failure) => failure.class, parentOf: () => list, createRow: createFailure });
  return {
    root,
    update(failures) {
      update(failures);
      root.hidden = failures.length === 0;
    },
  };
}

function createFailure() {
  const number = element("span", { class: "number" });
  const name = element("bdi");
  const key = element("bdi");
  const stack = element("pre", { tabindex: "0", role: "region", "aria-label": "Stack" });
  const hint = element("p");
  const root = element("details", {}, element("summary", {}, number, " ", name));
  root.append(element("p", {}, "First item: ", element("code", {}, key)), stack, hint);
  const update = (failure) => {
    setText(number, count(failure.count));
    setText(name, failure.class);
    setText(key, failure.key);
    setText(stack, stackText(failure.error));
    setText(hint, failure.error.hint ?? "");
    hint.hidden = failure.error.hint === undefined;
  };
  return { root, update };
}

const stackText = ({ stack, name, message, cause }) =>
  `${stack ?? `${name}: ${message}`}${cause === undefined ? "" : `\ncaused by ${stackText(cause)}`}`;

export function createOldest() {
  const body = element("tbody");
  const table = createTable(["Item", "For", "Worker"], body);
  const root = element(
    "section",
    { class: "oldest", tabindex: "-1" },
    element("h4", {}, "Longest running items"),
    table,
  );
  const update = createList({
    keyOf: ({ key, node }) => JSON.stringify([node, key]),
    parentOf: () => body,
    createRow() {
      const cells = [element("bdi"), element("td", { class: "figure" }), element("bdi")];
      const [key, time, node] = cells;
      const row = element("tr", {}, element("th", { scope: "row" }, key), time, element("td", {}, node));
      return {
        root: row,
        update(item) {
          setText(key, item.key);
          setText(time, duration(item.sinceMs));
          setText(node, item.node ?? "–");
        },
      };
    },
  });
  return {
    root,
    update(items) {
      update(items);
      root.hidden = items.length === 0;
    },
  };
}

/** Besides the worker itself, its state and what it works on. */
const workerColumns = [
  ["Slots", slotsText, "figure"],
  ["Rate", (node) => rate(node.itemsPerSecond), "figure"],
  ["Settled", (node) => count(node.settled), "figure"],
  ["Memory", (node) => bytes(node.rssBytes), "figure"],
  ["Longest running item", (node) => longest(node.running[0]), "item"],
  ["Version", (node) => node.version, "version"],
  ["Up", (node) => (node.upMs === undefined ? "–" : duration(node.upMs)), "figure"],
  ["Report", (node) => `${duration(node.ageMs)} ago`, "figure"],
];

function slotsText({ slotsInUse, slots, queued }) {
  const inUse = `${slotsInUse} of ${slots}`;
  return queued === 0 ? inUse : `${inUse}, ${count(queued)} queued`;
}

const longest = (item) => (item === undefined ? "–" : `${item.key}, ${duration(item.sinceMs)}`);

function stateOf({ leaving, ageMs, inFlight }) {
  if (ageMs > SILENT_MS) return "silent";
  if (leaving) return "leaving";
  return inFlight > 0 ? "working" : "idle";
}

export function createWorkers() {
  const body = element("tbody");
  const root = createTable(["Worker", "State", "Works on", ...workerColumns.map(([title]) => title)], body);
  const update = createList({
    keyOf: ({ node }) => node,
    parentOf: () => body,
    createRow() {
      const name = element("bdi");
      const id = element("small");
      const state = element("span", { class: "state" });
      const task = element("bdi");
      const run = element("small");
      const slots = element("meter", { min: "0", "aria-hidden": "true" });
      const cells = workerColumns.map(([title, text, className]) => {
        const shown = element("bdi");
        const cell = element("td", { class: className }, ...(title === "Slots" ? [slots, " "] : []), shown);
        return { cell, show: (node) => setText(shown, text(node)) };
      });
      const row = element("tr", {}, element("th", { scope: "row" }, name, " ", id), element("td", {}, state));
      row.append(element("td", {}, task, " ", run), ...cells.map(({ cell }) => cell));
      return {
        root: row,
        update(node) {
          setText(name, `${node.host}:${node.pid}`);
          setText(id, node.node);
          setText(task, node.task);
          setText(run, node.run ?? "no run");
          setText(state, stateOf(node));
          setAttribute(state, "data-state", stateOf(node));
          setAttribute(slots, "max", Math.max(1, node.slots));
          setAttribute(slots, "value", node.slotsInUse);
          for (const { show } of cells) show(node);
        },
      };
    },
  });
  return { root, update };
}

function createTable(titles, body) {
  const head = element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)));
  return element("table", {}, element("thead", {}, head), body);
}
