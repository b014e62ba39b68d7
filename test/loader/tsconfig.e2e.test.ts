import { symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { run, useProject } from "./project.js";

const project = useProject();
const paths = (aliases: Record<string, string[]>, more: object = {}) =>
  JSON.stringify({ compilerOptions: { paths: aliases, ...more } });

test("a tsconfig's aliases are for the files below it: others have their own, installed packages none", async () => {
  project.write({
    "tsconfig.json": paths({ "@v": ["./root.ts"] }),
    "root.ts": `export const v = "root";`,
    "shared/uses.ts": `export { v } from "@v";`,
    "app/tsconfig.json": paths({ "@v": ["./v.ts"], dep: ["./fake.ts"], kit: ["../kit/src/index.ts"] }),
    "app/v.ts": `export const v = "app";`,
    "app/fake.ts": `export const dep = "fake";`,
    "app/deep/er/uses.ts": `export { v } from "@v";`,
    "app/task.ts": `import { v } from "@v"; import { v as below } from "./deep/er/uses"; import { v as above } from "../shared/uses";
import { dep } from "dep"; import { viaJs } from "js-user"; import { viaTs } from "ts-user";
import { v as kit } from "kit"; import { v as linked } from "linked"; import { v as beside } from "../kit/src/index.js";
export class T { process() { return [v, below, above, dep, viaJs, viaTs, kit, linked, beside]; } }`,
    "app/node_modules/dep/index.js": `exports.dep = "real";`,
    "app/node_modules/js-user/index.js": `exports.viaJs = require("dep").dep;`,
    "app/node_modules/ts-user/package.json": `{"name": "ts-user", "exports": "./index.ts"}`,
    "app/node_modules/ts-user/index.ts": `import { dep } from "dep"; export const viaTs: string = dep;`,
    "kit/package.json": `{"name": "linked", "exports": "./src/index.ts"}`,
    "kit/tsconfig.json": paths({ "@v": ["v"] }, { baseUrl: "src" }),
    "kit/src/index.ts": `export { v } from "@v";`,
    "kit/src/v.ts": `export const v = "kit";`,
  });
  symlinkSync("../../kit", project.path("app/node_modules/linked"));
  expect(run(await project.load("app/task.ts"))).toEqual([
    "app",
    "app",
    "root",
    "fake",
    "real",
    "real",
    "kit",
    "kit",
    "kit",
  ]);
});

test("`${configDir}` is the directory of the project's own tsconfig.json, also out of the bases it extends", async () => {
  const base = paths({ "@s/*": ["${configDir}/src/*"] }, { baseUrl: "${configDir}/lib" });
  project.write({
    "base/tsconfig.json": base,
    "node_modules/@preset/ts/package.json": `{"name": "@preset/ts", "version": "1.0.0"}`,
    "node_modules/@preset/ts/tsconfig.json": base,
    "own/tsconfig.json": base,
    "file/tsconfig.json": `{"extends": "../base/tsconfig.json"}`,
    "list/tsconfig.json": `{"extends": ["../base/tsconfig.json", "@preset/ts/tsconfig.json"]}`,
  });
  for (const dir of ["own", "file", "list"]) {
    project.write({
      [`${dir}/src/a.ts`]: `export const a = "${dir}";`,
      [`${dir}/lib/b.ts`]: `export const b = "${dir}";`,
      [`${dir}/task.ts`]: `import { a } from "@s/a"; import { b } from "b"; export class T { process() { return [a, b]; } }`,
    });
    expect(run(await project.load(`${dir}/task.ts`))).toEqual([dir, dir]);
  }
});

test("decorators are those of a file's tsconfig; in the task file and where kagurazaka is imported, the standard ones", async () => {
  const kinds = `(...args: any[]): any => { seen.push(typeof args[1] === "object" ? args[1].kind : "legacy"); }`;
  project.write({
    "tsconfig.json": `{ "compilerOptions": { "experimentalDecorators": true, "useDefineForClassFields": false } }`,
    "seen.ts": "export const seen: string[] = [];",
    "entity.ts": `import { seen } from "./seen"; const note = ${kinds};
export class Entity { constructor(@note n: number) {} @note id!: number; empty: unknown; }`,
    "task.ts": `import { seen } from "./seen"; import { Entity } from "./entity"; import "./tool.js"; const note = ${kinds};
class Fields { empty: unknown; }
@note export class T { @note process() { return [seen, Object.keys(new Entity(1)), Object.keys(new Fields())]; } }`,
    "tool.ts": `import { seen } from "./seen"; import { PermanentError } from "kagurazaka"; const note = ${kinds};
@note class Tool extends PermanentError {}`,
  });
  expect(run(await project.load("task.ts"))).toEqual([["legacy", "legacy", "class", "method", "class"], [], []]);
});
