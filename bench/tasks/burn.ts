import { defineOptions, KagurazakaTask } from "kagurazaka";
import { burn, burnMsOf } from "../lib/burn.mjs";

const options = defineOptions({
  items: { type: "integer", default: 1, min: 0, help: "how many items there are" },
  roundsPerMs: { type: "integer", default: 500, help: "rounds of xorshift that take a millisecond here" },
});

/** Computes for 1 to 100 ms per item. */
export class Burn extends KagurazakaTask<{ i: number }, typeof options> {
  static options = options;

  override *generateTasks() {
    for (let i = 0; i < this.options.items; i++) yield { i };
  }

  process({ i }: { i: number }) {
    burn(burnMsOf(i) * this.options.roundsPerMs);
  }
}
