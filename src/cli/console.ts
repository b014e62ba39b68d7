import type { ErrorRecord } from "../base/errors.js";
import { stringifyJson } from "../base/exact-json.js";
import { escapeControls, shortDuration } from "../base/text.js";
import type { UiSettings } from "../config/run-options.js";
import type { RunSnapshot } from "../runner/run/run-result.js";
import { type MessageOut, messages } from "./message-out.js";
import { createPalette, type Palette } from "./messages.js";
import {
  describeRun,
  LINE_EVERY_MS,
  openStatusLine,
  type StatusKind,
  type StatusLine,
  statusKind,
} from "./status-line.js";

/** A longer line is shown in pieces. */
const MAX_LINE = 65_536;

/** Everything a run shows, on stderr: text for people, or one JSON object a line (`--log-format json`). */
export interface RunConsole {
  readonly palette: Palette;
  begin(snapshot: () => RunSnapshot): void;
  end(): void;
  text(text: string): void;
  note(message: string): void;
  warn(message: string): void;
  print(key: string | null, text: string): void;
  log(key: string, level: "info" | "warn" | "error", message: string, fields?: unknown): void;
  failure(failureClass: string, key: string, error: ErrorRecord): void;
  /** For machines only: for people, a line for each retry would hide everything else. */
  retry?(key: string, attempt: number, error: ErrorRecord, delayMs: number): void;
}

export function createConsole(ui: UiSettings): RunConsole {
  const out = messages;
  return ui.logFormat === "json" ? createJsonConsole(out) : createPrettyConsole(out, statusKind(ui.progress, out));
}

function createPrettyConsole(out: MessageOut, kind: StatusKind): RunConsole {
  const palette = createPalette(out);
  let progress: StatusLine | undefined;
  /** Text without its newline yet, by item. */
  const partial = new Map<string | null, string>();
  const text = (line: string): void => {
    if (progress) progress.line(line);
    else out.write(`${line}\n`);
  };
  const ofItem = (key: string | null, line: string): void => {
    const prefix = key === null || key === "" ? "" : `${palette.dim(`${escapeControls(key)} |`)} `;
    text(prefix + line);
  };
  return {
    palette,
    begin(snapshot) {
      progress = openStatusLine(kind, describeRun(kind, snapshot), out);
    },
    end() {
      for (const [key, line] of partial) if (line !== "") ofItem(key, escapeControls(line));
      partial.clear();
      progress?.stop();
      progress = undefined;
    },
    text,
    note: (message) => text(`${palette.dim("note")} ${escapeControls(message)}`),
    warn: (message) =>
      text(`${palette.yellow("warning")} ${escapeControls(message, "newlines").replaceAll("\n", "\n  ")}`),
    print(key, printed) {
      const lines = ((partial.get(key) ?? "") + printed).split("\n");
      const rest = lines.at(-1)!.length > MAX_LINE ? "" : lines.pop()!;
      if (rest === "") partial.delete(key);
      else partial.set(key, rest);
      for (const line of lines) ofItem(key, escapeControls(line));
    },
    log(key, level, message, fields) {
      const shown = fields === undefined ? message : `${message} ${stringifyJson(fields)}`;
      const paint = { error: palette.red, warn: palette.yellow, info: palette.cyan }[level];
      ofItem(key, `${paint(level)} ${escapeControls(shown)}`);
    },
    failure(failureClass, key, error) {
      const stackOf = ({ stack, name, message }: ErrorRecord): string => stack ?? `${name}: ${message}`;
      const cause = error.cause ? `\ncaused by ${stackOf(error.cause)}` : "";
      const body = escapeControls(stackOf(error) + cause, "newlines").split("\n");
      const first = palette.dim(`(first of: ${escapeControls(failureClass)})`);
      text(
        [
          `${palette.red("failed")} ${palette.bold(escapeControls(key))} ${first}`,
          ...body.map((line) => `  ${line}`),
          ...(error.hint === undefined ? [] : [`  ${palette.cyan("→")} ${escapeControls(error.hint)}`]),
        ].join("\n"),
      );
    },
  };
}

/** For machines: `ts, level, event, key, …`, one object a line. */
function createJsonConsole(out: MessageOut): RunConsole {
  let timer: NodeJS.Timeout | undefined;
  const write = (level: string, event: string, fields: Record<string, unknown>): void =>
    void out.write(`${stringifyJson({ ts: new Date().toISOString(), level, event, ...fields })}\n`);
  return {
    palette: createPalette({ isTTY: false }, { NO_COLOR: "1" }),
    begin(snapshot) {
      timer = setInterval(() => write("info", "progress", { ...snapshot() }), LINE_EVERY_MS).unref();
    },
    end: () => clearInterval(timer),
    text: (message) => write("info", "text", { message }),
    note: (message) => write("info", "note", { message }),
    warn: (message) => write("warn", "warning", { message }),
    print: (key, message) => write("info", "print", { ...(key === null ? {} : { key }), message }),
    log: (key, level, message, fields) =>
      write(level, "log", { key, message, ...(fields === undefined ? {} : { fields }) }),
    failure: (failureClass, key, err) => write("error", "failed", { key, class: failureClass, err }),
    retry: (key, attempt, { name, message }, delayMs) =>
      write("info", "retry", { key, attempt, delayMs: shortDuration(delayMs), err: { name, message } }),
  };
}
