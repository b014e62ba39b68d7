import type { ErrorRecord } from "../base/errors.js";
import { escapeControls, shortDuration } from "../base/text.js";
import type { UiSettings } from "../config/run-options.js";
import type { RunSnapshot } from "../runner/run/run-result.js";
import { rawStderr } from "./capture-output.js";
import { createPalette, type Palette } from "./messages.js";
import { describeRun } from "./run-status.js";
import { LINE_EVERY_MS, openStatusLine, type StatusKind, type StatusLine, statusKind } from "./status-line.js";

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
  const out = rawStderr();
  return ui.logFormat === "json" ? new JsonConsole(out) : new PrettyConsole(out, statusKind(ui.progress, out));
}

class PrettyConsole implements RunConsole {
  readonly palette: Palette;
  readonly #out: NodeJS.WriteStream;
  readonly #kind: StatusKind;
  #progress: StatusLine | undefined;
  /** Text without its newline yet, by item. */
  readonly #partial = new Map<string | null, string>();

  constructor(out: NodeJS.WriteStream, kind: StatusKind) {
    this.#out = out;
    this.#kind = kind;
    this.palette = createPalette(out);
  }

  begin(snapshot: () => RunSnapshot): void {
    this.#progress = openStatusLine(this.#kind, describeRun(this.#kind, snapshot), this.#out);
  }

  end(): void {
    for (const [key, text] of this.#partial) if (text !== "") this.#item(key, text);
    this.#partial.clear();
    this.#progress?.stop();
    this.#progress = undefined;
  }

  text(text: string): void {
    if (this.#progress) this.#progress.line(text);
    else this.#out.write(`${text}\n`);
  }

  note(message: string): void {
    this.text(`${this.palette.dim("note")} ${escapeControls(message)}`);
  }

  warn(message: string): void {
    this.text(`${this.palette.yellow("warning")} ${escapeControls(message, "newlines").replaceAll("\n", "\n  ")}`);
  }

  print(key: string | null, text: string): void {
    const lines = ((this.#partial.get(key) ?? "") + text).split("\n");
    const rest = lines.pop()!;
    if (rest === "") this.#partial.delete(key);
    else this.#partial.set(key, rest);
    for (const line of lines) this.#item(key, line);
  }

  log(key: string, level: "info" | "warn" | "error", message: string, fields?: unknown): void {
    const shown = fields === undefined ? message : `${message} ${JSON.stringify(fields)}`;
    const paint = level === "error" ? this.palette.red : level === "warn" ? this.palette.yellow : this.palette.cyan;
    this.text(`${this.#prefix(key)}${paint(level)} ${escapeControls(shown)}`);
  }

  failure(failureClass: string, key: string, error: ErrorRecord): void {
    const stack = error.stack ?? `${error.name}: ${error.message}`;
    const cause = error.cause
      ? `\ncaused by ${error.cause.stack ?? `${error.cause.name}: ${error.cause.message}`}`
      : "";
    const head = `${this.palette.red("failed")} ${this.palette.bold(escapeControls(key))} ${this.palette.dim(`(first of: ${escapeControls(failureClass)})`)}`;
    const body = escapeControls(stack + cause, "newlines").split("\n");
    const hint = error.hint === undefined ? [] : [`  ${this.palette.cyan("→")} ${escapeControls(error.hint)}`];
    this.text([head, ...body.map((line) => `  ${line}`), ...hint].join("\n"));
  }

  #item(key: string | null, line: string): void {
    this.text(`${this.#prefix(key)}${escapeControls(line)}`);
  }

  #prefix(key: string | null): string {
    return key === null || key === "" ? "" : `${this.palette.dim(`${escapeControls(key)} |`)} `;
  }
}

/** For machines: `ts, level, event, key, …`, one object a line. */
class JsonConsole implements RunConsole {
  readonly palette = createPalette({ isTTY: false }, { NO_COLOR: "1" });
  readonly #out: NodeJS.WriteStream;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  begin(snapshot: () => RunSnapshot): void {
    this.#timer = setInterval(() => this.#write("info", "progress", { ...snapshot() }), LINE_EVERY_MS);
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  text(text: string): void {
    this.#write("info", "text", { message: text });
  }

  note(message: string): void {
    this.#write("info", "note", { message });
  }

  warn(message: string): void {
    this.#write("warn", "warning", { message });
  }

  print(key: string | null, text: string): void {
    this.#write("info", "print", { ...(key === null ? {} : { key }), message: text });
  }

  log(key: string, level: "info" | "warn" | "error", message: string, fields?: unknown): void {
    this.#write(level, "log", { key, message, ...(fields === undefined ? {} : { fields }) });
  }

  failure(failureClass: string, key: string, error: ErrorRecord): void {
    this.#write("error", "failed", { key, class: failureClass, err: error });
  }

  retry(key: string, attempt: number, error: ErrorRecord, delayMs: number): void {
    this.#write("info", "retry", {
      key,
      attempt,
      delayMs: shortDuration(delayMs),
      err: { name: error.name, message: error.message },
    });
  }

  #write(level: string, event: string, fields: Record<string, unknown>): void {
    this.#out.write(`${JSON.stringify({ ts: new Date().toISOString(), level, event, ...fields })}\n`);
  }
}
