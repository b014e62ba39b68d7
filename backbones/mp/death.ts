import type { ErrorRecord } from "../../src/kit.js";

const MAX_KEPT = 16_384;
/** What V8 and Node write when they give up, after which nothing else is written. */
const LAST_WORDS = /^(?:<--- Last few GCs --->|FATAL ERROR: |# Fatal error in |----- Native stack trace -----)/m;

/** Tells a dying process's last words from what is printed in it: they are a reason, pages long, and no print. */
export class LastWords {
  #kept = "";

  /** @returns what of it is a print */
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
  SIGABRT: "native code gave up",
  SIGKILL: "by somebody, or by the system because memory ran out",
};

/** How a worker process ended that was not asked to. */
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
