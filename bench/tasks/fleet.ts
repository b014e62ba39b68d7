import { appendFileSync } from "node:fs";
import { defineOptions, KagurazakaTask } from "kagurazaka";
import { burn } from "../lib/burn.mjs";

const options = defineOptions({
  items: { type: "integer", default: 1, min: 0, help: "how many items there are" },
  rounds: { type: "integer", default: 0, help: "rounds of xorshift per item" },
  stampFile: { type: "string", default: "", help: "where the time from listing to start goes" },
});

/** Computes for the same time per item; may say how long after its listing an item was begun. */
export class Fleet extends KagurazakaTask<{ i: number; listedMs: number }, typeof options> {
  static options = options;

  override *generateTasks() {
    for (let i = 0; i < this.options.items; i++) yield { i, listedMs: Date.now() };
  }

  override keyOf({ i }: { i: number }) {
    return String(i);
  }

  process({ listedMs }: { listedMs: number }) {
    if (this.options.stampFile !== "") appendFileSync(this.options.stampFile, `${Date.now() - listedMs}\n`);
    burn(this.options.rounds);
  }
}
