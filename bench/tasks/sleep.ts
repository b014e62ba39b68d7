import { setTimeout as delay } from "node:timers/promises";
import { defineOptions, KagurazakaTask } from "kagurazaka";

const options = defineOptions({
  items: { type: "integer", default: 1, min: 0, help: "how many items there are" },
  ms: { type: "integer", default: 50, help: "how long each takes" },
});

/** Waits, like a call of a service. */
export class Sleep extends KagurazakaTask<{ i: number }, typeof options> {
  static options = options;

  override *generateTasks() {
    for (let i = 0; i < this.options.items; i++) yield { i };
  }

  async process() {
    await delay(this.options.ms);
  }
}
