import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { builtinNames, builtins, builtinTaskEntry, loadBuiltin } from "../../src/builtins.js";
import * as templates from "../../templates/index.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const filesOf = (folder: string) =>
  readdirSync(`${root}${folder}`)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => name.slice(0, -3))
    .sort();
const kebab = (name: string) => name.replace(/(?<!^)([A-Z])/g, "-$1").toLowerCase();

test("every file on a shelf has its line, and every line its file", () => {
  expect(builtinNames("modes").map(kebab).sort()).toEqual(filesOf("templates/modes"));
  expect(builtinNames("tasks").sort()).toEqual(filesOf("tasks"));
  expect(builtinNames("backbones").sort()).toEqual(filesOf("backbones"));
});

test("every mode is exported under the name configuration knows, and named so", async () => {
  const exported = Object.entries(templates).filter(([, value]) => "definition" in value);
  expect(exported.map(([name]) => name).sort()).toEqual(builtinNames("modes").sort());
  for (const [name, factory] of exported) {
    const loaded = await loadBuiltin("modes", name);
    expect(loaded).toBe(factory);
    const alias = name === "OutputByAppendingExt" ? "OutputByApendingExt" : name;
    expect(loaded?.definition.name).toBe(alias);
  }
});

test("names of other things are not on a shelf", async () => {
  for (const shelf of Object.keys(builtins) as (keyof typeof builtins)[]) {
    for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty", "", "nope"]) {
      expect(await loadBuiltin(shelf, name)).toBeUndefined();
    }
  }
  expect(builtinTaskEntry("toString")).toBeUndefined();
});

test("a ready-made task is a file beside, loaded like a user's", async () => {
  for (const name of builtinNames("tasks")) {
    const path = fileURLToPath(builtinTaskEntry(name)!).replace(/\.js$/, ".ts");
    expect(existsSync(path), path).toBe(true);
    const task = (await loadBuiltin("tasks", name)) as { id?: string; name: string };
    expect(task.id).toBe(name);
  }
});
