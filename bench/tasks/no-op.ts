import { defineOptions, KagurazakaTask } from "kagurazaka";

const options = defineOptions({ items: { type: "integer", default: 1, min: 0, help: "how many items there are" } });

interface Item {
  readonly i: number;
  readonly path: string;
}

/** Does nothing: only the cost of sending items to workers and recording outcomes is left. */
export class NoOp extends KagurazakaTask<Item, typeof options> {
  static options = options;

  override *generateTasks() {
    for (let i = 0; i < this.options.items; i++) yield { i, path: `data/${i}.bin` };
  }

  process(_item: Item) {}
}

/** The same with `keyOf`. */
export class NoOpKeyed extends NoOp {
  override keyOf({ path }: Item) {
    return path;
  }
}
