import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { KagurazakaError } from "../../base/errors.js";
import { defineCommand } from "../command.js";
import { messages } from "../message-out.js";

const TASK = `import {
  FinishCheckByOutputFileExistence,
  InputByExts,
  KAGURAZAKA_MIXIN_PLACEHOLDER,
  KagurazakaTask,
  moemoecueNormal,
  NoHardShard,
  OutputByAppendingExt,
  type FileItem,
  type TaskContext,
} from "kagurazaka";
import { readFile, writeFile } from "node:fs/promises";

/** One JSON file per text file. Run it:
 *
 *   kagurazaka task.ts MyTask --in in --out out
 */
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: KAGURAZAKA_MIXIN_PLACEHOLDER, outputPath: KAGURAZAKA_MIXIN_PLACEHOLDER }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByAppendingExt({ ext: ".json" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export class MyTask extends KagurazakaTask<FileItem> {
  async process({ input, output }: FileItem, ctx: TaskContext) {
    const text = await readFile(input.path, "utf8");
    if (text.trim() === "") return ctx.filtered("empty file");
    // Write output.path; it appears under its final name only when this method has returned.
    await writeFile(output.path, JSON.stringify({ file: ctx.key, characters: text.length }));
  }
}
`;

export const command = defineCommand({
  name: "init",
  words: ["[DIR]"],
  options: {},
  help: "Writes a task file that runs, and a tsconfig.json with which editors know its imports. Replaces nothing.",
  async run({ words }) {
    const dir = words[0] ?? ".";
    const files: [string, string][] = [
      ["task.ts", TASK],
      ["tsconfig.json", tsconfig()],
    ];
    const taken = files.map(([name]) => join(dir, name)).filter((path) => existsSync(path));
    if (taken.length > 0) {
      const message = `${taken.join(" and ")} already exist${taken.length === 1 ? "s" : ""}; nothing was written`;
      throw new KagurazakaError("usage", message, { hint: "kagurazaka init another-directory" });
    }
    mkdirSync(dir, { recursive: true });
    for (const [name, text] of files) writeFileSync(join(dir, name), text, { flag: "wx" });
    const task = relative(".", join(dir, "task.ts"));
    messages.write(`wrote ${files.map(([name]) => join(dir, name)).join(", ")}\n`);
    messages.write(`run it:  kagurazaka ${task} MyTask --in DIR --out DIR\n`);
    return 0;
  },
});

/** Types come from the running tool: nothing has to be installed beside the task. */
function tsconfig(): string {
  const types = (door: string): string => fileURLToPath(new URL(`../../${door}.d.ts`, import.meta.url));
  const config = {
    compilerOptions: {
      target: "es2022",
      module: "esnext",
      moduleResolution: "bundler",
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      resolveJsonModule: true,
      skipLibCheck: true,
      types: ["node"],
      typeRoots: [dirname(dirname(createRequire(import.meta.url).resolve("@types/node/package.json")))],
      paths: {
        kagurazaka: [types("index")],
        "kagurazaka/kit": [types("kit")],
        "kagurazaka/testing": [types("testing")],
      },
    },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
