import { once } from "node:events";

const CHUNK = 64 * 1024;

/**
 * Lines on standard output, which may be a pipe whose reader ends early: `kagurazaka failures … --keys | head`. Later lines
 * are dropped without an error.
 */
export class DataOut {
  #text = "";
  #isClosed = false;

  constructor() {
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      this.#isClosed = true;
    });
  }

  /** Waits, now and then, until what was written has gone out. */
  async line(text: string): Promise<void> {
    this.#text += `${text}\n`;
    if (this.#text.length >= CHUNK) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text === "" || this.#isClosed || process.stdout.write(text)) return;
    // It fails with the error that is heard above.
    await once(process.stdout, "drain").catch(() => {});
  }
}
