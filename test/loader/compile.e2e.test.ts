import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { run, useProject } from "./project.js";

const project = useProject();
const returning = (expression: string) => `export class T { process() { return ${expression}; } }\n`;

test("local imports, `.js` that is really `.ts`, enums, const enums and JSON are compiled in", async () => {
  project.write({
    "task.ts": `import { Color, name } from "./lib/color.js";\nimport { Size } from "./size";\nimport data, { deep } from "./data.json";\n${returning("[Color.Green, name, Size.L, data.deep.x, deep.x]")}`,
    "lib/color.ts": `export enum Color { Red, Green = "g" }\nexport const name: string = Color[Color.Red];`,
    "size.ts": "export const enum Size { S = 1, L = 3 }",
    "data.json": `{"deep": {"x": 7}}`,
  });
  expect(run(await project.load("task.ts"))).toEqual(["g", "Red", 3, 7, 7]);
});

test("JSON with an import attribute, parameter properties, `using`, `satisfies` and top-level await", async () => {
  project.write({
    "task.ts": `import data from "./data.json" with { type: "json" };
class Held { constructor(readonly log: string[]) {} [Symbol.dispose]() { this.log.push("gone"); } }
const log: string[] = await Promise.resolve(["start"]);
{ using held = new Held(log); held.log.push("held"); }
export class T { process() { return [log, data satisfies { a: number }]; } }`,
    "data.json": `{"a": 1}`,
  });
  expect(run(await project.load("task.ts"))).toEqual([["start", "held", "gone"], { a: 1 }]);
});

const decorated = `const seen: unknown[] = [];
function note(value: Function, context: ClassDecoratorContext | ClassMethodDecoratorContext) { seen.push([context.kind, context.name, value.name]); }
@note export class Decorated { @note process() { return seen; } }`;
const whatDecoratorsSaw = [
  ["method", "process", "process"],
  ["class", "Decorated", "Decorated"],
];

test("class and method decorators are those of TC39", async () => {
  project.write({ "task.ts": decorated });
  expect(run(await project.load("task.ts"))).toEqual(whatDecoratorsSaw);
});

test("they are even in a project of legacy decorators, whose other settings hold", async () => {
  project.write({
    "tsconfig.json": `{ "extends": ["./base.json"], /* legacy */ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true, }, }`,
    "base.json": `{ "compilerOptions": { "paths": { "@lib/*": ["./src/lib/*"], "bare": ["./src/lib/a"] } } }`,
    "src/task.ts": `import { a } from "@lib/a";\nimport { a as b } from "bare";\n${decorated.replace("return seen", "return [seen, a, b]")}`,
    "src/lib/a.ts": "export const a = 5;",
  });
  expect(run(await project.load("src/task.ts"))).toEqual([whatDecoratorsSaw, 5, 5]);
});

test("names of classes and functions are kept, also when two files use the same", async () => {
  project.write({
    "task.ts": `import { Same as Other } from "./other.js";\nclass Same {}\n${returning("[Same.name, Other.name, this.constructor.name]")}`,
    "other.ts": "export class Same {}",
  });
  expect(run(await project.load("task.ts"))).toEqual(["Same", "Same", "T"]);
});

test("`import.meta` means the file it stands in, in odd directories too", async () => {
  const meta = "[import.meta.url, import.meta.dirname, import.meta.filename]";
  project.write({
    "a #1 %20 ü/task.ts": `import { other } from "./lib/other.js";\n${returning(`{ mine: ${meta}, other, beside: readFileSync(new URL("./x.txt", import.meta.url), "utf8") }`)}import { readFileSync } from "node:fs";`,
    "a #1 %20 ü/lib/other.mts": `const { url, dirname, filename } = import.meta;\nexport const other = [url, dirname, filename];`,
    "a #1 %20 ü/lib/other.ts": `export { other } from "./other.mjs";`,
    "a #1 %20 ü/x.txt": "text",
  });
  const result = run(await project.load("a #1 %20 ü/task.ts")) as Record<string, string[]>;
  for (const [key, file] of Object.entries({ mine: "task.ts", other: "lib/other.mts" })) {
    const path = project.path("a #1 %20 ü", file);
    expect(fileURLToPath(result[key]![0]!)).toBe(path);
    expect(result[key]!.slice(1)).toEqual([path.slice(0, path.lastIndexOf("/")), path]);
  }
  expect(result.beside).toBe("text");
});

test.each([
  "*",
  "a*b",
  "**",
  "{x,y}",
  "[z]",
  "q?x",
  "h#a",
  "p%41",
  "s p",
  "b\\\\s",
  "ün漢",
  "n\\nl",
  "!x",
  ":x",
  "'\"`",
  "$&",
])("a task, what it imports and its tsconfig lie in a directory called %j", async (dir) => {
  project.write({
    [`${dir}/tsconfig.json`]: `{"compilerOptions": {"baseUrl": ".", "paths": {"@s/*": ["./src/*"]}, "useDefineForClassFields": false}}`,
    [`${dir}/task${dir}.ts`]: `import { a } from "@s/a"; import { b } from "src/b"; import { c } from "./src/c*d.js"; import { d } from ${JSON.stringify(`../${dir.replaceAll("%", "%25")}/d`)};
class Fields { empty: unknown }
export class T { async process() { return [a, b, c, d, (await import("./src/" + "a" + ".ts")).a, import.meta.dirname, Object.keys(new Fields())]; } }`,
    [`${dir}/src/a.ts`]: "export const a = 1;",
    [`${dir}/src/b.ts`]: "export const b = 2;",
    [`${dir}/src/c*d.ts`]: "export const c = 3;",
    [`${dir}/d.ts`]: "export const d = 4;",
  });
  const expected = [1, 2, 3, 4, 1, project.path(dir), []];
  for (const built of [true, false]) {
    const task = await project.load(`${dir}/task${dir}.ts`);
    expect([task.built || !built, await run(task)]).toEqual([true, expected]);
  }
});

test("imports may be URLs: `file:`, and relative ones with escapes", async () => {
  project.write({
    "task.ts": `import { v } from "./a%23b.ts"; import { v as w } from "file://${project.path("a%23b.ts")}"; ${returning("[v, w]")}`,
    "a#b.ts": "export const v = 1;",
  });
  expect(run(await project.load("task.ts"))).toEqual([1, 1]);
});

test("`import.meta.resolve` answers from the file it stands in", async () => {
  project.write({
    "lib/a.ts": `export const found = ["./b.js", "fs", "node:path", "pkg", "https://a.b/c"].map((name) => import.meta.resolve(name));`,
    "lib/node_modules/pkg/index.js": "",
    "task.ts": `import { found } from "./lib/a.js";\n${returning("found")}`,
  });
  expect(run(await project.load("task.ts"))).toEqual([
    `file://${project.path("lib/b.js")}`,
    "node:fs",
    "node:path",
    `file://${project.path("lib/node_modules/pkg/index.js")}`,
    "https://a.b/c",
  ]);
});

test("local CommonJS: require of builtins, of JSON, of neighbours, `__dirname`, `require.resolve`", async () => {
  project.write({
    "task.ts": `import legacy, { sum } from "./lib/legacy.cjs";\n${returning("[legacy.dir, legacy.file, sum, legacy.where, legacy.dynamic()]")}`,
    "lib/legacy.cjs": `"use strict";
const path = require("path");
module.exports = { dir: __dirname, file: path.basename(__filename), sum: require("./data.json").n + require("./neighbour").n,
  where: require.resolve("./neighbour.cjs"), dynamic: () => typeof require(["o", "s"].join("")).cpus };`,
    "lib/neighbour.cjs": "exports.n = 1;",
    "lib/neighbour/index.js": "exports.n = 2;",
    "lib/data.json": `{"n": 40}`,
  });
  const lib = project.path("lib");
  expect(run(await project.load("task.ts"))).toEqual([lib, "legacy.cjs", 42, `${lib}/neighbour.cjs`, "function"]);
});

test("a file's own `require`, `__dirname` and `__filename` stay its own", async () => {
  project.write({
    "task.mjs": `import { createRequire } from "node:module"; import "./uses.cjs";
import { dirname } from "node:path"; import { fileURLToPath } from "node:url";
const require = createRequire(import.meta.url); const __filename = fileURLToPath(import.meta.url); const __dirname = dirname(__filename);
${returning(`[typeof require("fs").readFile, __dirname, __filename]`)}`,
    "uses.cjs": `require("fs"); module.exports = __dirname;`,
  });
  expect(run(await project.load("task.mjs"))).toEqual(["function", project.path(), project.path("task.mjs")]);
});

test.each([
  ["task.js", `export class T { process() { return "ok"; } }`],
  ["task.mjs", `#!/usr/bin/env node\nexport class T { process() { return import.meta.url && "ok"; } }`],
  ["task.mts", `export class T { process(): string { return "ok"; } }`],
  ["task.cjs", `exports.T = class T { process() { return require("fs") && "ok"; } };`],
  [
    "task.cts",
    `import fs = require("fs");\nclass T { process(): string { return fs && __dirname && "ok"; } }\nexport = { T };`,
  ],
  ["bom.ts", `\ufeffexport class T { process() { return import.meta.url && "ok"; } }`],
])("%s is a task file", async (file, text) => {
  project.write({ [file]: text });
  const task = await project.load(file, "T");
  expect([run(task), task.exportName, task.id]).toEqual(["ok", "T", "T"]);
});

test("a local module imported dynamically belongs to the task", async () => {
  project.write({
    "task.ts": `export class T { async process() { return (await import("./later.js")).later; } }`,
    "later.ts": "export const later = await 3;",
  });
  const task = await project.load("task.ts");
  expect(await run(task)).toBe(3);
  expect(task.files.map((file) => file.slice(project.path().length + 1)).sort()).toEqual(["later.ts", "task.ts"]);
});

test("imports of the tool are the running tool's built doors", async () => {
  project.write({
    "task.ts": `import { x } from "kagurazaka";\nimport { y } from "kagurazaka/kit";\n${returning("[x, y]")}`,
    "tool/package.json": `{"name": "kagurazaka", "version": "9.9.9", "type": "module", "exports": {".": {"types": "./d.ts", "default": "./dist/i.js"}, "./kit": "./dist/k.js"}}`,
    "tool/dist/i.js": "export const x = 1;",
    "tool/dist/k.js": "export const y = 2;",
    "node_modules/kagurazaka/package.json": `{"name": "kagurazaka", "version": "0.0.1", "main": "wrong.js"}`,
    "node_modules/kagurazaka/wrong.js": "exports.x = 'wrong';",
  });
  const { loadTask } = await import("../../src/loader/index.js");
  const task = await loadTask({ file: project.path("task.ts"), toolRoot: project.path("tool") });
  expect(run(task)).toEqual([1, 2]);
  expect(readFileSync(fileURLToPath(task.entryUrl), "utf8")).toContain(`"file://${project.path("tool/dist/k.js")}"`);
  project.write({ "typo.ts": `import "kagurazaka/kti";` });
  await expect(loadTask({ file: project.path("typo.ts"), toolRoot: project.path("tool") })).rejects.toMatchObject({
    code: "task-load",
    where: expect.stringMatching(/typo\.ts:1:8$/),
    message: expect.stringContaining(`Did you mean "kagurazaka/kit"?`),
    hint: expect.stringContaining("kagurazaka, kagurazaka/kit"),
  });
});

test("without a tool root the doors are this package's own dist", async () => {
  project.write({ "task.ts": `export { PermanentError } from "kagurazaka";\n${returning("1")}` });
  const { compileModule } = await import("../../src/loader/index.js");
  const code = readFileSync(fileURLToPath((await compileModule({ file: project.path("task.ts") })).entryUrl), "utf8");
  expect(code).toContain(`"${new URL("../../dist/src/index.js", import.meta.url).href}"`);
});

test("imports by pattern bring in the code that is there, data beside it is left alone, and each start looks again", async () => {
  project.write({
    "task.ts": `const part = async (name: string) => (await import("./parts/" + name + ".ts")).name;
export class T { process() { return Promise.all(["a", "b"].map((name) => part(name).catch(() => "none"))); } }`,
    "parts/a.ts": "export const name = 'A';",
    "loose.ts": `const part = async (name: string) => (await import("./parts/" + name)).name;
export class T { process() { return part("a.ts"); } }`,
    "parts/data.csv": "1,2",
  });
  expect(await run(await project.load("task.ts"))).toEqual(["A", "none"]);
  expect(await run(await project.load("loose.ts"))).toBe("A");
  project.write({ "parts/b.ts": "export const name = 'B';" });
  expect(await run(await project.load("task.ts"))).toEqual(["A", "B"]);
});
