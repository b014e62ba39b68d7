import { writeFileSync } from "node:fs";
import { defineOptions, KagurazakaTask } from "kagurazaka";

const options = defineOptions({
  stampFile: { type: "string", required: true, help: "where the time of arrival goes" },
});

/** One item that says when it was reached. */
export class FirstItem extends KagurazakaTask<{ i: number }, typeof options> {
  static options = options;

  override *generateTasks() {
    yield { i: 0 };
  }

  process() {
    const reachedNs = process.hrtime.bigint();
    writeFileSync(this.options.stampFile, String(reachedNs));
  }
}
