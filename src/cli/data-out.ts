import { once } from "node:events";
import { escapeControls } from "../base/text.js";
import { dataOut } from "./stdout.js";

const CHUNK = 64 * 1024;

/**
 * Lines on standard output, which may be a pipe whose reader ends early: `kagurazaka failures … --keys | head`. Later lines
 * are dropped without an error.
 */
export class DataOut {
  #text = "";

  /** Waits, now and then, until what was written has gone out. */
  async line(text: string): Promise<void> {
    this.#text += `${text}\n`;
    if (this.#text.length >= CHUNK) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    const out = dataOut();
    if (text === "" || out.destroyed || out.write(text)) return;
    // Where it fails instead, `dataDelivered` tells.
    await once(out, "drain").catch(() => {});
  }
}

/**
 * Keys for `--keys FILE`: bare, one a line. On a terminal, where they are for people, control characters are escaped. A key
 * that holds a line break cannot stand in such a file; those are counted.
 */
export class KeyLines {
  omitted = 0;

  lineOf(key: string): string | undefined {
    if (/[\r\n]/.test(key)) {
      this.omitted++;
      return undefined;
    }
    return process.stdout.isTTY ? escapeControls(key) : key;
  }

  /** What to say at the end. */
  get note(): string | undefined {
    if (this.omitted === 0) return undefined;
    return `keys with line breaks are left out, for --keys FILE cannot name them: ${this.omitted}`;
  }
}
