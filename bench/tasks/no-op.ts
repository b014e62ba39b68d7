import { defineOptions, KagurazakaTask } from "kagurazaka";

const options = defineOptions({ items: { type: "integer", default: 1, min: 0, help: "how many items there are" } });

interface Item {
  readonly i: number;
  readonly path: string;
}

/** Nothing, many times: what is left is the cost of bringing items to workers and writing down what became of them. */
export class NoOp extends KagurazakaTask<Item, typeof options> {
  static options = options;

  override *generateTasks() {
    for (let i = 0; i < this.options.items; i++) yield { i, path: `data/${i}.bin` };
  }

  process(_item: Item) {}
}

/** The same with names of the author's own. */
export class NoOpKeyed extends NoOp {
  override keyOf({ path }: Item) {
    return path;
  }
}
