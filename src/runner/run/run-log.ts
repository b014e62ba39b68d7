import { closeSync, writeSync } from "node:fs";
import { stringifyJson } from "../../base/exact-json.js";
import { openOwn } from "../../base/own-file.js";

/** `runs/<id>/log.jsonl`: prints, logs, retries, warnings and recycled workers, one JSON object a line. Made by the first one. */
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
    const line = { ts: new Date().toISOString(), run: this.#run, event, ...(key === null ? {} : { key }), ...fields };
    try {
      this.#fd ??= openOwn(this.#path, "new");
      writeSync(this.#fd, `${stringifyJson(line)}\n`);
    } catch {
      // A log that cannot be written must not stop the run; where the disk is at fault, the ledger's next write says so.
      this.#broken = true;
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
