import { symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { run, useProject } from "./project.js";

const project = useProject();
const pkg = (name: string, more: object = {}) => JSON.stringify({ name, version: "1.0.0", ...more });

test("packages resolve from where the importing file lies, ESM and CommonJS, by `exports` conditions as Node does", async () => {
  project.write({
    "task.ts": `import { kind } from "dual"; import legacy, { named } from "legacy"; import { deep } from "@scope/deep/sub/part.js"; import { local } from "./lib/uses.js"; import { index } from "only-module";
export class T { process() { return [kind, legacy.named, named, deep, local, index]; } }`,
    "node_modules/only-module/package.json": pkg("only-module", { module: "wrong.js" }),
    "node_modules/only-module/index.js": `exports.index = "index";`,
    "node_modules/only-module/wrong.js": `exports.index = "wrong";`,
    "node_modules/dual/package.json": pkg("dual", {
      type: "module",
      module: "wrong.js",
      exports: { ".": { module: "./wrong.js", browser: "./wrong.js", import: "./esm.js", require: "./cjs.cjs" } },
    }),
    "node_modules/dual/esm.js": `export const kind = "esm";`,
    "node_modules/dual/cjs.cjs": `exports.kind = "cjs";`,
    "node_modules/dual/wrong.js": `export const kind = "wrong";`,
    "node_modules/legacy/package.json": pkg("legacy", { main: "lib/main", module: "wrong.mjs" }),
    "node_modules/legacy/lib/main.js": `exports.named = __dirname.endsWith("legacy/lib") && require("./other").n;`,
    "node_modules/legacy/lib/other.js": "exports.n = 5;",
    "node_modules/legacy/wrong.mjs": `throw new Error("not what Node takes");`,
    "node_modules/@scope/deep/package.json": pkg("@scope/deep", { type: "module" }),
    "node_modules/@scope/deep/sub/part.js": "export const deep = import.meta.url.slice(-26);",
    "lib/uses.ts": `import { where } from "dual-here"; export const local = where;`,
    "lib/node_modules/dual-here/index.js": `exports.where = "lib";`,
    "node_modules/dual-here/index.js": `exports.where = "root";`,
  });
  expect(run(await project.load("task.ts"))).toEqual([
    "esm",
    5,
    5,
    "des/@scope/deep/sub/part.js".slice(1),
    "lib",
    "index",
  ]);
});

test("`require` in local CommonJS takes the `require` condition, and what is inside `try` may be missing", async () => {
  project.write({
    "task.ts": `import { kinds } from "./legacy.cjs"; export class T { process() { return kinds; } }`,
    "legacy.cjs": `let extra = "none"; try { extra = require("optional-extra").name; } catch {}\nexports.kinds = [require("dual").kind, extra];`,
    "node_modules/dual/package.json": pkg("dual", { exports: { import: "./esm.mjs", require: "./cjs.cjs" } }),
    "node_modules/dual/esm.mjs": `export const kind = "esm";`,
    "node_modules/dual/cjs.cjs": `exports.kind = "cjs";`,
  });
  expect(run(await project.load("task.ts"))).toEqual(["cjs", "none"]);
  project.write({ "node_modules/optional-extra/index.js": `exports.name = "extra";` });
  expect(run(await project.load("task.ts"))).toEqual(["cjs", "extra"]);
});

test("`#imports`, JSON and TypeScript of packages, and linked packages", async () => {
  project.write({
    "package.json": JSON.stringify({
      name: "mine",
      type: "module",
      imports: { "#util": "./src/util.ts", "#pkg": "plain" },
    }),
    "task.ts": `import { util } from "#util"; import { plain } from "#pkg"; import data from "data-only/data.json"; import { typed } from "typed"; import { linked } from "linked";
export class T { process() { return [util, plain, data.d, typed, linked]; } }`,
    "src/util.ts": "export const util: string = 'util';",
    "node_modules/plain/package.json": pkg("plain", { type: "module", exports: "./p.js" }),
    "node_modules/plain/p.js": "export const plain = 'plain';",
    "node_modules/data-only/data.json": `{"d": 1}`,
    "node_modules/typed/package.json": pkg("typed", { exports: "./src/main.ts" }),
    "node_modules/typed/src/main.ts": `import { more } from "./more.js"; import { plain } from "plain"; export const typed: string = more + plain;`,
    "node_modules/typed/src/more.ts": "export const more = 'more+';",
    "packages/linked/package.json": pkg("linked", { exports: "./index.ts" }),
    "packages/linked/index.ts": "export const linked = 'linked';",
  });
  symlinkSync("../packages/linked", project.path("node_modules/linked"));
  expect(run(await project.load("task.ts"))).toEqual(["util", "plain", 1, "more+plain", "linked"]);
});

test("a task inside an installed package is compiled with that package's own files", async () => {
  project.write({
    "node_modules/tasks/package.json": pkg("tasks"),
    "node_modules/tasks/task.ts": `import { help } from "./help.js"; import { other } from "other"; export class T { process() { return [help, other]; } }`,
    "node_modules/tasks/help.ts": "export const help = 1;",
    "node_modules/other/index.js": "exports.other = 2;",
  });
  expect(run(await project.load("node_modules/tasks/task.ts"))).toEqual([1, 2]);
});

test("a package that exists twice in the graph is one module for task and helper", async () => {
  project.write({
    "task.ts": `import { add } from "./a.js"; import { list } from "state"; add("x"); export class T { process() { return list; } }`,
    "a.ts": `import { list } from "state"; export const add = (s: string) => list.push(s);`,
    "node_modules/state/package.json": pkg("state", { type: "module" }),
    "node_modules/state/index.js": "export const list = [];",
  });
  expect(run(await project.load("task.ts"))).toEqual(["x"]);
});
