import { closeSync, openSync, writeSync } from "node:fs";

/** `runs/<id>/log.jsonl`: what tasks printed and logged, one JSON object a line, opened by the first one. */
export class RunLog implements Disposable {
  readonly #path: string;
  readonly #run: string;
  #fd: number | undefined;
  #broken = false;

  constructor(path: string, run: string) {
    this.#path = path;
    this.#run = run;
  }

  write(
    event: "print" | "log" | "retry" | "warning" | "recycled",
    key: string | null,
    fields: Record<string, unknown>,
  ): void {
    if (this.#broken) return;
    try {
      this.#fd ??= openSync(this.#path, "a");
      writeSync(
        this.#fd,
        `${JSON.stringify({ ts: new Date().toISOString(), run: this.#run, event, ...(key === null ? {} : { key }), ...fields })}\n`,
      );
    } catch {
      // A log that cannot be written must not take the run with it; the ledger will say what the disk has to say.
      this.#broken = true;
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
