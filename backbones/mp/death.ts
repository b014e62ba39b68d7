import type { ErrorRecord } from "../../src/kit.js";

const MAX_KEPT = 16_384;
/** The beginning of the report that V8 or Node writes before it aborts; nothing else is written after it. */
const LAST_WORDS = /^(?:<--- Last few GCs --->|FATAL ERROR: |# Fatal error in |----- Native stack trace -----)/m;

/** Separates the crash report of a process, which is pages long, from the prints of its task. */
export class LastWords {
  #kept = "";

  /** @returns the part of the text that is a print */
  take(text: string): string {
    const at = this.#kept === "" ? text.search(LAST_WORDS) : 0;
    if (at < 0) return text;
    this.#kept = (this.#kept + text.slice(at)).slice(0, MAX_KEPT);
    return text.slice(0, at).trimEnd();
  }

  get reason(): string | undefined {
    return /^FATAL ERROR: (.*)$/m.exec(this.#kept)?.[1];
  }
}

const meanings: Readonly<Record<string, string>> = {
  SIGSEGV: "native code crashed",
  SIGBUS: "native code crashed",
  SIGILL: "native code crashed",
  SIGFPE: "native code crashed",
  SIGABRT: "native code aborted",
  SIGKILL: "sent by hand, or by the system because memory ran out",
};

/** Why a worker process ended by itself. */
export function deathRecord(code: number | null, signal: NodeJS.Signals | null, lastWords: LastWords): ErrorRecord {
  const { reason } = lastWords;
  if (reason?.includes("heap")) {
    const message = `the worker process reached its memory limit: ${reason}`;
    return { name: "Error", message, code: "ERR_WORKER_OUT_OF_MEMORY" };
  }
  if (signal === null) return { name: "Error", message: `the worker process exited with code ${code}` };
  const why = reason ?? meanings[signal];
  return { name: "Error", message: `${signal} ended the worker process${why ? ` (${why})` : ""}`, code: signal };
}
