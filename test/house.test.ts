import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { errorCodes } from "../src/base/errors.js";
import { builtinNames, loadBuiltin } from "../src/builtins.js";
import { findUnusedExports } from "./house/exports.js";
import { checkImports, findCircles, importsOf, type Sources } from "./house/imports.js";

/** The rules of the house (DESIGN §2, STYLE), held by machine, each with an example that breaks it. */
const root = new URL("..", import.meta.url).pathname;

function sourcesIn(dirs: readonly string[], names = /\.(?:ts|cjs)$/): Sources {
  const files = dirs.flatMap((dir) =>
    readdirSync(join(root, dir), { recursive: true, encoding: "utf8" }).map((name) => join(dir, name)),
  );
  return Object.fromEntries(
    files.filter((name) => names.test(name)).map((name) => [name, readFileSync(join(root, name), "utf8")]),
  );
}

const sources = sourcesIn(["src", "backbones", "templates", "tasks"]);

describe("imports", () => {
  test("go down only", () => expect(checkImports(sources)).toEqual([]));
  test("make no circle", () => expect(findCircles(sources)).toEqual([]));
  test("of our own files find them", () => {
    const lost = importsOf(sources).filter(
      ({ to }) => /^(?:src|backbones|templates|tasks)\//.test(to) && !Object.hasOwn(sources, to),
    );
    expect(lost).toEqual([]);
  });

  const broken: readonly (readonly [string, Sources, RegExp])[] = [
    [
      "base knows nothing above it",
      { "src/base/x.ts": 'import { y } from "../contracts/y.js";' },
      /base must not import contracts/,
    ],
    ["base has no package", { "src/base/x.ts": 'import yaml from "yaml";' }, /base must not import the package yaml/],
    [
      "contracts know only base",
      { "src/contracts/x.ts": 'import type { y } from "../runner/y.js";' },
      /contracts must not import runner/,
    ],
    [
      "config, loader and data do not know one another",
      { "src/config/x.ts": 'export * from "../loader/y.js";' },
      /config must not import loader/,
    ],
    [
      "data does not know the runner",
      { "src/data/x.ts": 'const y = await import("../runner/y.js");' },
      /data must not import runner/,
    ],
    [
      "the runner does not know the command line",
      { "src/runner/a/x.ts": 'import { y } from "../../cli/y.js";' },
      /runner must not import cli/,
    ],
    [
      "the runner does not know a backbone",
      { "src/runner/x.ts": 'import mp from "../../backbones/mp.js";' },
      /runner must not import backbones/,
    ],
    [
      "no module below imports the command line",
      { "src/testing/x.ts": 'import { y } from "../cli/y.js";' },
      /testing must not import cli/,
    ],
    [
      "the dashboard knows a fleet by its contract alone",
      { "src/dashboard/x.ts": 'import type { y } from "../runner/y.js";' },
      /dashboard must not import runner/,
    ],
    [
      "the dashboard has no package",
      { "src/dashboard/x.ts": 'import express from "express";' },
      /dashboard must not import the package express/,
    ],
    [
      "the kit does not know the runner",
      { "src/kit.ts": 'export { y } from "./runner/y.js";' },
      /kit must not import runner/,
    ],
    [
      "a backbone knows only the kit",
      { "backbones/x.ts": 'import { y } from "../src/base/y.js";' },
      /backbones must not import base/,
    ],
    [
      "a backbone's folder is its own",
      { "backbones/x.ts": 'import { y } from "./z/y.js";' },
      /only backbones\/z\.ts may import from backbones\/z/,
    ],
    [
      "a mode knows only the kit",
      { "templates/modes/x.ts": 'import { y } from "../../src/runner/y.js";' },
      /templates must not import runner/,
    ],
    [
      "a mode has no package",
      { "templates/modes/x.ts": 'import glob from "fast-glob";' },
      /templates must not import the package fast-glob/,
    ],
    [
      "a ready-made task imports what users import",
      { "tasks/x.ts": 'import { y } from "../src/kit.js";' },
      /tasks must not import kit/,
    ],
    [
      "a ready-made task has no package but ours",
      { "tasks/x.ts": 'import sharp from "sharp";' },
      /tasks must not import the package sharp/,
    ],
    [
      "the users' door loads the runner lazily",
      { "src/index.ts": 'export { y } from "./runner/y.js";' },
      /index must load the runner lazily/,
    ],
    [
      "the registry points at the shelves lazily",
      { "src/builtins.ts": 'import mp from "../backbones/mp.js";' },
      /builtins must point at the shelves lazily/,
    ],
    [
      "an engine is loaded by one file",
      { "src/data/formats/x.ts": 'const { parquetRead } = await import("hyparquet/src/read.js");' },
      /only src\/data\/formats\/parquet\/engine\.ts may load hyparquet/,
    ],
    ["a new room needs a rule", { "src/attic/x.ts": 'import "node:fs";' }, /the room "attic" has no rule/],
  ];
  for (const [title, example, says] of broken) {
    test(`rule: ${title}`, () => {
      expect(checkImports(example)).toEqual([expect.stringMatching(says)]);
      expect(checkImports(example)[0]).toMatch(/^\S+\.ts:1: /);
    });
  }

  test("rule: no circle, but types and lazy imports may go round", () => {
    const a = (line: string): Sources => ({
      "src/base/a.ts": line,
      "src/base/b.ts": 'import "./c.js";',
      "src/base/c.ts": 'import { a } from "./a.js";',
    });
    expect(findCircles(a('export { b } from "./b.js";'))).toEqual([
      "src/base/a.ts → src/base/b.ts → src/base/c.ts → src/base/a.ts",
    ]);
    expect(findCircles(a('import type { b } from "./b.js";'))).toEqual([]);
    expect(findCircles(a('const b = () => import("./b.js");'))).toEqual([]);
  });
});

describe("exports", () => {
  /** Names that no import mentions, with the reason. */
  const exceptions: Readonly<Record<string, string>> = {
    "backbones/mp/threads.ts: runInThread": "piscina looks it up by its name",
  };

  test("are imported by another file, or promised by a door", () => {
    const users = { ...sourcesIn(["src"], /\.cts$/), ...sourcesIn(["test", "bench"], /\.(?:ts|mjs)$/) };
    const unused = findUnusedExports(sources, users);
    const nameOf = (place: string): string => place.replace(/:\d+/, "");
    expect(unused.filter((place) => !Object.hasOwn(exceptions, nameOf(place)))).toEqual([]);
    expect(
      Object.keys(exceptions).filter((name) => !unused.map(nameOf).includes(name)),
      "a reason for a name that is imported",
    ).toEqual([]);
  });

  const used: readonly (readonly [string, Sources, Sources?])[] = [
    ["an import", { "src/base/b.ts": 'import { a } from "./a.js";' }],
    ["an import under another name", { "src/base/b.ts": 'import { type a as c } from "./a.js";' }],
    ["an import of all", { "src/base/b.ts": 'import * as all from "./a.js"; all.a();' }],
    ["a lazy import", { "src/base/b.ts": 'const { a } = await import("./a.js");' }],
    ["a type by import()", { "src/base/b.ts": 'let x: typeof import("./a.js").a;' }],
    ["a door", { "src/kit.ts": 'export * from "./base/b.js";', "src/base/b.ts": 'export * from "./a.js";' }],
    ["a test", {}, { "test/a.test.ts": 'import { a } from "../src/base/a.js";' }],
    [
      "a script that runs the build",
      {},
      { "test/x.mjs": 'const { a } = await import(new URL("../dist/src/base/a.js", u).href);' },
    ],
  ];
  const declared = { "src/base/a.ts": "export const a = 1;" };
  for (const [title, more, users = {}] of used)
    test(`rule: ${title} is a use`, () => expect(findUnusedExports({ ...declared, ...more }, users)).toEqual([]));

  test.each<[string, Sources, string]>([
    ["a name that its own file uses alone", { "src/base/a.ts": "export function a() {}\na();" }, "src/base/a.ts:1: a"],
    ["a type", { "src/base/a.ts": "\nexport interface A { b: string }" }, "src/base/a.ts:2: A"],
    ["a name that is only passed on", { "src/base/a.ts": 'export { b as a } from "node:fs";' }, "src/base/a.ts:1: a"],
    [
      "one that another file has of its own",
      { "src/base/a.ts": "export const a = 1;", "src/base/b.ts": 'import "./a.js"; const a = 2;' },
      "src/base/a.ts:1: a",
    ],
    ["one that a test of its own name mentions", { "src/base/a.ts": "export const a = 1;" }, "src/base/a.ts:1: a"],
  ])("rule: no export of %s", (_, example, says) =>
    expect(findUnusedExports(example, { "test/a.test.ts": "const a = 3;" })).toEqual([says]),
  );
});

describe("the registry", () => {
  const shelved = importsOf({ "src/builtins.ts": sources["src/builtins.ts"]! })
    .filter(({ kind }) => kind === "lazy")
    .map(({ to }) => to);
  // What stands in a folder belongs to the plug-in of the folder's name.
  const all = Object.keys(sourcesIn(["backbones", "templates/modes", "tasks"]));
  const onDisk = all.filter((name) => !all.includes(`${dirname(name)}.ts`));

  test("names every file on the shelves, and only those", () => expect(shelved.toSorted()).toEqual(onDisk.toSorted()));

  test("calls each plug-in by its own name", async () => {
    for (const name of builtinNames("backbones")) expect((await loadBuiltin("backbones", name))!.name).toBe(name);
    for (const name of builtinNames("tasks")) expect(shelved).toContain(`tasks/${name}.ts`);
    for (const name of builtinNames("modes")) {
      const { definition } = (await loadBuiltin("modes", name))!;
      expect(definition.name).toBe(name === "OutputByAppendingExt" ? "OutputByApendingExt" : name);
    }
  });

  test("and the users' door name the same modes", async () => {
    const exported = [...sources["templates/index.ts"]!.matchAll(/default as (\w+)/g)].map(([, name]) => name);
    expect(exported.toSorted()).toEqual(builtinNames("modes").toSorted());
  });

  test("does not know what objects inherit", async () =>
    expect(await loadBuiltin("modes", "toString")).toBeUndefined());

  test("every plug-in has a conformance call", () => {
    const calls = [
      "test/backbones/conformance.e2e.test.ts",
      "test/backbones/bullmq.e2e.test.ts",
      "test/templates/conformance.test.ts",
    ]
      .map((file) => readFileSync(join(root, file), "utf8"))
      .join("");
    for (const name of builtinNames("backbones"))
      expect(calls).toMatch(new RegExp(`testBackbone\\(${name},|testFleet\\(\\{[^}]*module: "${name}"`));
    for (const name of builtinNames("modes")) {
      if (/^(?:Input|Output)By(?!Appending)|^InputFrom/.test(name))
        expect(calls).toMatch(new RegExp(`test(?:Input|Output)Mode\\(templates\\.${name},`));
    }
    for (const name of builtinNames("tasks"))
      expect(readFileSync(join(root, "test/e2e/commands.test.ts"), "utf8")).toContain(`"@${name}"`);
  });
});

describe("error codes", () => {
  test("are all used somewhere", () => {
    const code = Object.entries(sources)
      .filter(([name]) => name !== "src/base/errors.ts")
      .map(([, text]) => text)
      .join("");
    const unused = Object.keys(errorCodes).filter((name) => !code.includes(`"${name}"`));
    expect(unused).toEqual([]);
  });
});

describe("files", () => {
  test("only the command line's last step ends the process", () => {
    // A worker process ends itself, not the run; the sample task has an item whose very point is to end its worker; a process
    // of the fleet suite ends with its test.
    const exceptions = [
      "src/cli/main.ts",
      "backbones/mp/child.ts",
      "src/testing/sample-task.ts",
      "src/testing/fleet-process.ts",
    ];
    const ending = Object.entries(sources).filter(
      ([name, text]) => /process\.(?:exit|reallyExit|abort)\(/.test(text) && !exceptions.includes(name),
    );
    expect(ending.map(([name]) => name)).toEqual([]);
  });

  test("every exported class of the runner stands in the glossary, and no other", () => {
    const glossary = new Set([...sources["src/contracts/index.ts"]!.matchAll(/`([A-Z]\w+)`/g)].map(([, name]) => name));
    const all = Object.entries(sources).flatMap(([file, text]) =>
      [...text.matchAll(/^(?:export )?(?:abstract )?(class|interface|type) (\w+)/gm)].map(([line, kind, name]) => ({
        name: name!,
        isRunners: kind === "class" && line.startsWith("export") && file.startsWith("src/runner/"),
      })),
    );
    expect(all.filter(({ name, isRunners }) => isRunners && !glossary.has(name)).map(({ name }) => name)).toEqual([]);
    const declared = new Set(all.map(({ name }) => name));
    expect([...glossary].filter((name) => !declared.has(name!))).toEqual([]);
  });

  /** Files past 300 lines, with the reason. */
  const long: Readonly<Record<string, string>> = {};
  const lines = (text: string): number => text.split("\n").length;

  test("no file is longer than 300 lines without a reason", () => {
    const found = Object.entries(sources)
      .filter(([, text]) => lines(text) > 301)
      .map(([name]) => name);
    expect(found.filter((name) => !Object.hasOwn(long, name))).toEqual([]);
    expect(
      Object.keys(long).filter((name) => !found.includes(name)),
      "a reason for a file that is short",
    ).toEqual([]);
    const look = Object.entries(sources).filter(([name, text]) => lines(text) > 250 && !Object.hasOwn(long, name));
    if (look.length > 0)
      console.info(`look again, past 250 lines: ${look.map(([name, text]) => `${name} (${lines(text)})`).join(", ")}`);
  });

  test("names are kebab-case", () => {
    expect(Object.keys(sources).filter((name) => !/^[a-z][a-z0-9-]*\.(?:ts|cjs)$/.test(basename(name)))).toEqual([]);
  });
});
