import { setAttribute, setText } from "./dom.js";
import { duration, rate } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 90;
const WINDOW_MS = 15 * 60_000;
const MIN_WINDOW_MS = 60_000;

/** The rate of a run over time. */
export function createCurve() {
  const root = document.createElement("figure");
  root.className = "curve";
  const highest = document.createElement("span");
  const start = document.createElement("span");
  const end = Object.assign(document.createElement("span"), { textContent: "now" });
  const svg = svgElement("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  const area = svgElement("path", { class: "area" });
  const line = svgElement("path", { class: "line" });
  svg.append(svgElement("path", { class: "grid", d: `M0 1H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}` }), area, line);
  const axis = document.createElement("figcaption");
  axis.append(start, end);
  const head = document.createElement("p");
  head.append("items per second", highest);
  root.append(head, svg, axis);
  // The label says the same.
  for (const part of [head, axis]) part.setAttribute("aria-hidden", "true");

  /** @param points `[atMs, perSecond]`, the oldest first */
  const update = (points, nowMs) => {
    const first = points[0]?.[0] ?? nowMs;
    const spanMs = Math.min(WINDOW_MS, Math.max(MIN_WINDOW_MS, nowMs - first));
    const top = points.reduce((most, [, value]) => Math.max(most, value), 0);
    const path = pathOf(points, { fromMs: nowMs - spanMs, spanMs, top });
    setAttribute(line, "d", path.line);
    setAttribute(area, "d", path.area);
    setText(highest, points.length === 0 ? "" : `highest ${rate(top)}`);
    setText(start, `${duration(spanMs)} ago`);
    const last = points.at(-1)?.[1] ?? 0;
    setAttribute(
      svg,
      "aria-label",
      `Items per second over the last ${duration(spanMs)}: now ${rate(last)}, highest ${rate(top)}`,
    );
  };
  return { root, update };
}

function pathOf(points, { fromMs, spanMs, top }) {
  const shown = points.filter(([ms]) => ms >= fromMs);
  if (shown.length === 0) return { line: "", area: "" };
  const x = (ms) => (((ms - fromMs) * WIDTH) / spanMs).toFixed(1);
  const y = (value) => (HEIGHT - 1 - (value * (HEIGHT - 4)) / Math.max(top, Number.MIN_VALUE)).toFixed(1);
  const line = `M${shown.map(([ms, value]) => `${x(ms)} ${y(value)}`).join("L")}`;
  return { line, area: `${line}V${HEIGHT}H${x(shown[0][0])}Z` };
}

function svgElement(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
