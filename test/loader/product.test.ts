import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { build } from "esbuild";
import { beforeEach, expect, test } from "vitest";
import { useProject } from "./project.js";

/** The loader as a product: plain JavaScript in a package of its own, run by Node and not by the test compiler. */
const project = useProject();
const execute = promisify(execFile);
const repository = new URL("../../", import.meta.url).pathname;
const files = {
  "task.ts": `import { fail } from "./lib/fail.js"; import "./lib/legacy.cjs";
interface Item { n: number }
export class T {
  process(item: Item): void {
    fail(item.n);
  }
}`,
  // Makes a head line in front of the bundle necessary.
  "lib/legacy.cjs": `require("fs");`,
  "lib/fail.ts": `type Never = never;

export function fail(n: number): Never {
  throw new Error("unlucky " + n);
}`,
};

beforeEach(async () => {
  mkdirSync(project.path("tool"), { recursive: true });
  symlinkSync(`${repository}node_modules`, project.path("tool/node_modules"));
  writeFileSync(
    project.path("tool/package.json"),
    `{"name": "kagurazaka", "version": "1.0.0", "type": "module", "exports": {".": "./out/index.js"}}`,
  );
  await build({
    entryPoints: { index: `${repository}src/loader/index.ts`, maps: `${repository}src/base/source-maps.ts` },
    outdir: project.path("tool/out"),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
  });
});

async function node(script: string): Promise<unknown> {
  const head = `import { loadTask } from ${JSON.stringify(project.path("tool/out/index.js"))};
import { enableSourceMaps } from ${JSON.stringify(project.path("tool/out/maps.js"))};
const file = ${JSON.stringify(project.path("task.ts"))};
const fails = (task) => { try { new task.taskClass().process({ n: 7 }); } catch (error) { return error.stack; } };
const tell = (value) => process.stdout.write(JSON.stringify(value));\n`;
  writeFileSync(project.path("script.mjs"), head + script);
  const { stdout } = await execute(process.execPath, [project.path("script.mjs")]);
  return JSON.parse(stdout);
}

test("an error thrown in process() shows the task's own lines, built, cached, and in a worker thread", async () => {
  project.write(files);
  const lines = [
    expect.stringMatching(/^Error: unlucky 7/),
    expect.stringContaining(`${project.path("lib/fail.ts")}:4:9`),
    expect.stringContaining(`${project.path("task.ts")}:5:5`),
  ];
  const stackOf = async (script: string) => ((await node(script)) as string).split("\n").slice(0, 3);
  expect(await stackOf(`tell(fails(await loadTask({ file })));`)).toEqual(lines);
  expect(await stackOf(`tell(fails(await loadTask({ file })));`)).toEqual(lines);
  const inWorker = `import { Worker, isMainThread, workerData, parentPort } from "node:worker_threads";
if (isMainThread) {
  const { entryUrl, exportName } = await loadTask({ file });
  new Worker(new URL(import.meta.url), { workerData: { entry: entryUrl, export: exportName } }).on("message", tell);
} else {
  enableSourceMaps();
  parentPort.postMessage(fails({ taskClass: (await import(workerData.entry))[workerData.export] }));
}`;
  expect(await stackOf(inWorker)).toEqual(lines);
});

test("a cached start loads no esbuild and no compiler of ours", async () => {
  project.write(files);
  const script = `import { register } from "node:module";
import { MessageChannel } from "node:worker_threads";
const { port1, port2 } = new MessageChannel();
const seen = [];
port1.on("message", (url) => seen.push(url));
register("data:text/javascript," + encodeURIComponent("let port; export const initialize = (data) => { port = data; }; export const load = (url, context, next) => { port.postMessage(url); return next(url, context); };"), { data: port2, transferList: [port2] });
const { built } = await loadTask({ file });
setTimeout(() => { port1.close(); tell([built, seen.some((url) => url.includes("/node_modules/esbuild/")), seen.some((url) => /build-\\w+\\.js$/.test(url))]); }, 20);`;
  expect(await node(script)).toEqual([true, true, true]);
  expect(await node(script)).toEqual([false, false, false]);
});

test('`import "kagurazaka"` in a task is the very module that runs', async () => {
  project.write({ "task.ts": `export { loadTask } from "kagurazaka";\nexport class T { process() {} }` });
  expect(await node(`tell((await import((await loadTask({ file })).entryUrl)).loadTask === loadTask);`)).toBe(true);
});

test("processes that start at once on a cold cache agree", async () => {
  project.write(files);
  writeFileSync(
    project.path("racer.mjs"),
    `import { loadTask } from "./tool/out/index.js";\nprocess.stdout.write((await loadTask({ file: ${JSON.stringify(project.path("task.ts"))} })).entryUrl);`,
  );
  const urls = await Promise.all(
    Array.from({ length: 4 }, async () => (await execute(process.execPath, [project.path("racer.mjs")])).stdout),
  );
  expect(new Set(urls).size).toBe(1);
  expect((await project.load("task.ts")).exportName).toBe("T");
});
