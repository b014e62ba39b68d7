/** Control characters, and those that change the direction of text (U+202A to U+202E, U+2066 to U+2069). */
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const CONTROLS_BUT_NEWLINES = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** Escapes control characters, so that a file name cannot move the cursor, forge a line of a log or reorder one. */
export function escapeControls(text: string, keep: "newlines" | "nothing" = "nothing"): string {
  return text.replace(keep === "newlines" ? CONTROLS_BUT_NEWLINES : CONTROLS, (char) => {
    if (char === "\t") return keep === "newlines" ? "\t" : "\\t";
    if (char === "\n") return "\\n";
    const hex = char.charCodeAt(0).toString(16);
    return hex.length > 2 ? `\\u${hex}` : `\\x${hex.padStart(2, "0")}`;
  });
}

/** `1,234,567`, without loading the tables of Intl (11 ms). */
export function groupedCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `950`, `12.3k`, `1.20M`. */
export function shortCount(count: number): string {
  if (count < 10_000) return String(Math.round(count));
  if (count < 1_000_000) return `${(count / 1000).toFixed(count < 100_000 ? 1 : 0)}k`;
  return `${(count / 1_000_000).toFixed(2)}M`;
}

/** `1.2 MB`, in millions. */
export function shortBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** step;
  return `${step === 0 ? Math.round(value) : value.toFixed(value < 100 ? 1 : 0)} ${units[step]}`;
}

/** What `ctx.count` has counted: names of bytes begin with `bytes`. */
export const amountText = (name: string, amount: number): string =>
  name.startsWith("bytes") ? shortBytes(amount) : shortCount(amount);

/** `0.8ms`, `12ms`, `3.4s`, `2m05s`, `3h07m`. */
export function shortDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)}ms`;
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(Math.floor(seconds % 60)).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}

/** Items per second: `0.42/s`, `37/s`, `1.20M/s`. */
export function shortRate(perSecond: number): string {
  return `${perSecond > 0 && perSecond < 10 ? perSecond.toFixed(2) : shortCount(perSecond)}/s`;
}
