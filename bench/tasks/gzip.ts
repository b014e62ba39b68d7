import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { defineOptions, KagurazakaTask } from "kagurazaka";

const compress = promisify(gzip);
const options = defineOptions({ items: { type: "integer", default: 1, min: 0, help: "how many items there are" } });

/** Text that compresses about as well as English: words of a small vocabulary, the same on every machine. */
function textOf(seed: number, bytes: number): string {
  let state = seed + 1;
  let text = "";
  while (text.length < bytes) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += `${((state >>> 12) % 5000).toString(36)} `;
  }
  return text;
}

/** Compresses 1 MB of text per item, on the I/O threads of the worker's process. */
export class Gzip extends KagurazakaTask<{ i: number }, typeof options> {
  static options = options;
  #text = "";

  override setup() {
    this.#text = textOf(1, 1e6);
  }

  override *generateTasks() {
    for (let i = 0; i < this.options.items; i++) yield { i };
  }

  async process() {
    await compress(this.#text);
  }
}
