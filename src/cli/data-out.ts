import { once } from "node:events";

const CHUNK = 64 * 1024;

/** Lines on standard output, which may be a pipe that nobody reads to its end: `kagurazaka failures … --keys | head`. */
export class DataOut {
  #text = "";

  constructor() {
    process.stdout.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
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
    if (text !== "" && !process.stdout.write(text)) await once(process.stdout, "drain");
  }
}
