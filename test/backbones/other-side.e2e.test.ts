import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { runTask } from "../../dist/src/index.js";
import { openToyQueue } from "../fixtures/backbones/toy-queue.js";

/** A worker on the other side of a border: another working directory, another mount point of the root, other code. */

const toyFleet = fileURLToPath(new URL("../fixtures/backbones/toy-fleet.ts", import.meta.url));
const script = fileURLToPath(new URL("../fixtures/node-elsewhere.mjs", import.meta.url));
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

function createDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-other-side-"));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function startNode(what: Record<string, unknown>, cwd: string): { child: ChildProcess; said: () => string } {
  let said = "";
  const child = spawn(process.execPath, [script, JSON.stringify({ name: "elsewhere", ...what })], {
    cwd,
    stdio: ["ignore", "inherit", "pipe"],
  });
  child.stderr!.setEncoding("utf8").on("data", (piece) => {
    said += piece;
  });
  undo.push(
    () =>
      new Promise((resolve) => {
        child.once("exit", resolve);
        child.kill("SIGKILL");
      }),
  );
  return { child, said: () => said };
}

const counting = `import { FinishCheckByOutputFileExistence, InputByExts, KagurazakaTask, moemoecueNormal, NoHardShard, OutputByAppendingExt } from "kagurazaka";
import { readFileSync, writeFileSync } from "node:fs";
@moemoecueNormal({
  hardShardMode: NoHardShard({ inputPath: "???", outputPath: "???" }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByAppendingExt({ ext: ".json" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
})
export class Where extends KagurazakaTask {
  process({ input, output }, ctx) {
    writeFileSync(output.path, JSON.stringify({ from: input.path, to: output.finalPath, tmp: ctx.tmpDir, cwd: process.cwd(), text: readFileSync(input.path, "utf8") }));
  }
}
`;

test("a node works below its own mount point of the root, from its own working directory", async () => {
  const [here, elsewhere] = [createDirectory(), createDirectory()];
  for (const dir of ["data/in/sub", "data/out"]) mkdirSync(join(here, dir), { recursive: true });
  for (const name of ["a.txt", "sub/b.txt"]) writeFileSync(join(here, "data/in", name), name);
  // The same directory, mounted elsewhere; the task file is another copy of the same code.
  symlinkSync(join(here, "data"), join(elsewhere, "mnt"));
  for (const side of [here, elsewhere]) writeFileSync(join(side, "task.ts"), counting);
  const queue = await openToyQueue();
  undo.push(() => queue.close());
  const roots = (base: string) => [`hard_shard_mode.input_path=${base}/in`, `hard_shard_mode.output_path=${base}/out`];
  startNode(
    {
      fleetOptions: queue.options,
      task: join(elsewhere, "task.ts"),
      input: { mixin: roots(join(elsewhere, "mnt")), backboneOptions: { numProcess: "1" } },
    },
    elsewhere,
  );
  const result = await runTask(join(here, "task.ts"), {
    backbone: toyFleet,
    backboneOptions: queue.options,
    mixin: roots(join(here, "data")),
    stall: "20s",
  });
  expect(result.error).toBeUndefined();
  expect(result.counts.done).toBe(2);
  const made = JSON.parse(readFileSync(join(here, "data/out/sub/b.txt.json"), "utf8"));
  expect(made).toEqual({
    from: join(elsewhere, "mnt/in/sub/b.txt"),
    to: join(elsewhere, "mnt/out/sub/b.txt.json"),
    tmp: expect.stringContaining(join(elsewhere, "mnt/out/.kagurazaka/staging/")),
    cwd: elsewhere,
    text: "sub/b.txt",
  });
  expect(readdirSync(join(here, "data/out/.kagurazaka")), "staging is swept").not.toContain("staging");
});

test.each([
  ["other code", /the code of Where differs on this node .*: task\.ts differs/],
  ["another output root", /on this node is not the directory of the run of Where/],
])("a node with %s refuses the run, and says so", async (what, says) => {
  const [here, elsewhere] = [createDirectory(), createDirectory()];
  for (const dir of ["in", "out"]) mkdirSync(join(here, dir));
  writeFileSync(join(here, "in/a.txt"), "a");
  writeFileSync(join(here, "task.ts"), counting);
  writeFileSync(join(elsewhere, "task.ts"), what === "other code" ? `${counting}// changed\n` : counting);
  const otherRoot = join(elsewhere, "out/.kagurazaka/Where");
  mkdirSync(otherRoot, { recursive: true });
  writeFileSync(join(otherRoot, "root-id"), "of another run\n");
  const queue = await openToyQueue();
  undo.push(() => queue.close());
  const mixin = [`hard_shard_mode.input_path=${here}/in`, `hard_shard_mode.output_path=${here}/out`];
  const there = [`hard_shard_mode.input_path=${here}/in`, `hard_shard_mode.output_path=${elsewhere}/out`];
  startNode({ fleetOptions: queue.options, task: join(elsewhere, "task.ts"), input: { mixin: there } }, elsewhere);
  const result = await runTask(join(here, "task.ts"), {
    backbone: toyFleet,
    backboneOptions: queue.options,
    mixin,
    stall: "20s",
  });
  expect(result.exitCode).toBe(7);
  expect(result.error?.message).toMatch(says);
  expect(result.counts.failed).toBe(0);
});

test("nothing that crosses to a worker holds a path of the coordinator", async () => {
  const here = createDirectory();
  for (const dir of ["in", "out"]) mkdirSync(join(here, dir));
  writeFileSync(join(here, "in/a.txt"), "a");
  writeFileSync(join(here, "task.ts"), counting);
  const spy = join(here, "spy.mjs");
  writeFileSync(
    spy,
    `import inline from ${JSON.stringify(fileURLToPath(new URL("../../dist/backbones/inline.js", import.meta.url)))};
import { writeFileSync } from "node:fs";
export default {
  ...inline,
  name: "spy",
  async openWorkers(request) {
    const session = await inline.openWorkers(request);
    return {
      startWorker(start, events) {
        writeFileSync(${JSON.stringify(join(here, "setup.json"))}, JSON.stringify(start.setup));
        return session.startWorker(start, events);
      },
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
    };
  },
};
`,
  );
  const result = await runTask(join(here, "task.ts"), {
    backbone: spy,
    mixin: [`hard_shard_mode.input_path=${here}/in`, `hard_shard_mode.output_path=${here}/out`],
  });
  expect(result.counts.done).toBe(1);
  const setup = readFileSync(join(here, "setup.json"), "utf8");
  expect(setup).not.toContain(here);
  expect(setup).not.toMatch(/file:|"\//);
});
