import { writeFileSync } from "node:fs";
import {
  defineOptions,
  FinishCheckByOutputFileExistence,
  KAGURAZAKA_MIXIN_PLACEHOLDER,
  KagurazakaTask,
  moemoecueNormal,
  NoHardShard,
  OutputByTemplate,
  type OutputFile,
} from "kagurazaka";

const options = defineOptions({ items: { type: "integer", default: 1, min: 0, help: "how many items there are" } });
const content = Buffer.alloc(2048, "kagurazaka ");

interface Item {
  readonly i: number;
  readonly output: OutputFile;
}

const modes = {
  hardShardMode: NoHardShard({ inputPath: ".", outputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  outputMode: OutputByTemplate({ pattern: "{key}" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
};

abstract class WriteFiles extends KagurazakaTask<Item, typeof options> {
  static options = options;

  override *generateTasks() {
    for (let i = 0; i < this.options.items; i++) yield { i };
  }

  override keyOf({ i }: { i: number }) {
    return `${Math.floor(i / 1000)}/${i}.bin`;
  }

  process({ output }: Item) {
    writeFileSync(output.path, content);
  }
}

/** 2 KB per item, renamed into place. */
@moemoecueNormal(modes)
export class Atomic extends WriteFiles {}

/** 2 KB per item, written where they belong. */
@moemoecueNormal({ ...modes, atomic: false })
export class InPlace extends WriteFiles {}
