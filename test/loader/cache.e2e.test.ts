import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadTask, openCacheDir } from "../../src/loader/index.js";
import { run, useProject } from "./project.js";

const project = useProject();
const pkg = (version: string) => JSON.stringify({ name: "dep", version });
const files = {
  "task.ts": `import { a } from "./lib/a.js"; import data from "./data.json"; import { dep } from "dep";
export class T { process() { return [a, data.n, dep]; } }`,
  "lib/a.ts": `import { b } from "./b.js"; export const a = b + 1;`,
  "lib/b.ts": "export const b = 1;",
  "data.json": `{"n": 1}`,
  "tsconfig.json": `{"extends": "./base"}`,
  "base.json": `{"compilerOptions": {}}`,
  "node_modules/dep/package.json": pkg("1.0.0"),
  "node_modules/dep/index.js": "exports.dep = 'dep';",
};

test("a second start does not build, and yields the same", async () => {
  project.write(files);
  const first = await project.load("task.ts");
  const second = await project.load("task.ts");
  expect([first.built, second.built]).toEqual([true, false]);
  expect([second.entryUrl, second.moduleHash, second.files]).toEqual([first.entryUrl, first.moduleHash, first.files]);
  expect(run(second)).toEqual([2, 1, "dep"]);
});

test.each([
  ["the task itself", { "task.ts": files["task.ts"].replace("[a,", "[-a,") }, [-2, 1, "dep"]],
  ["an import of an import", { "lib/b.ts": "export const b = 9;" }, [10, 1, "dep"]],
  ["a JSON import", { "data.json": `{"n": 8}` }, [2, 8, "dep"]],
  [
    "a tsconfig that is extended",
    {
      "base.json": `{"compilerOptions": {"paths": {"dep": ["./lib/dep"]}}}`,
      "lib/dep.ts": "export const dep = 'local';",
    },
    [2, 1, "local"],
  ],
  ["a tsconfig nearer than before", { "sub/tsconfig.json": "{}" }, [2, 1, "dep"]],
  ["the version of a dependency", { "node_modules/dep/package.json": pkg("1.0.1") }, [2, 1, "dep"]],
  [
    "a nearer copy of a dependency",
    { "sub/node_modules/dep/index.js": "exports.dep = 'nearer';", "sub/node_modules/dep/package.json": pkg("1.0.0") },
    [2, 1, "nearer"],
  ],
])("%s is noticed when it changes, in the same process", async (_what, change, expected) => {
  const inSub = (all: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(all).map(([name, text]) => [
        /^(task|lib|data|sub)/.test(name) ? `sub/${name.replace("sub/", "")}` : name,
        text,
      ]),
    );
  project.write(inSub({ ...files, "base.json": files["base.json"] }));
  expect(run(await project.load("sub/task.ts"))).toEqual([2, 1, "dep"]);
  project.write(
    inSub(
      Object.fromEntries(
        Object.entries(change).map(([name, text]) => [name, text.replace("./lib/dep", "./sub/lib/dep")]),
      ),
    ),
  );
  const after = await project.load("sub/task.ts");
  expect(after.built).toBe(true);
  expect(run(after)).toEqual(expected);
  expect((await project.load("sub/task.ts")).built).toBe(false);
});

const linked = {
  "app/task.ts": `import { u } from "#u"; import { v } from "linked"; import { w } from "../side/w"; export class T { process() { return [u, v, w]; } }`,
  "app/package.json": `{"imports": {"#u": "./one.ts"}}`,
  "app/one.ts": "export const u = 1;",
  "app/two.ts": "export const u = 2;",
  "kit/package.json": `{"name": "linked", "exports": "./one.ts"}`,
  "kit/one.ts": "export const v = 1;",
  "kit/two.ts": "export const v = 2;",
  "other/package.json": `{"name": "linked", "exports": "./one.ts"}`,
  "other/one.ts": "export const v = 2;",
  "side/w.ts": "export const w = 1;",
};
test.each<[string, Record<string, string>, number[], (() => void)?]>([
  ["a package's `imports`", { "app/package.json": `{"imports": {"#u": "./two.ts"}}` }, [2, 1, 1]],
  ["a linked package's `exports`", { "kit/package.json": `{"name": "linked", "exports": "./two.ts"}` }, [1, 2, 1]],
  ["a link that leads elsewhere", {}, [1, 2, 1], () => relink("../other")],
  ["another directory's tsconfig", { "side/tsconfig.json": "{}" }, [1, 1, 1]],
  ["a package.json nearer than before", { "side/package.json": "{}" }, [1, 1, 1]],
  ["another directory's jsconfig", { "side/jsconfig.json": `{"compilerOptions": {}}` }, [1, 1, 1]],
])("%s is noticed when it changes, too", async (_what, change, expected, act) => {
  project.write(linked);
  mkdirSync(project.path("app/node_modules"));
  relink("../kit");
  expect(run(await project.load("app/task.ts"))).toEqual([1, 1, 1]);
  expect((await project.load("app/task.ts")).built).toBe(false);
  project.write(change);
  act?.();
  const after = await project.load("app/task.ts");
  expect([after.built, run(after)]).toEqual([true, expected]);
});

function relink(to: string): void {
  rmSync(project.path("app/node_modules/linked"), { force: true });
  symlinkSync(`../${to}`, project.path("app/node_modules/linked"));
}

test("a deleted import is noticed", async () => {
  project.write(files);
  await project.load("task.ts");
  rmSync(project.path("lib/b.ts"));
  expect(await project.refused("task.ts")).toMatchObject({
    code: "task-load",
    where: expect.stringMatching(/lib\/a\.ts:1:19$/),
  });
});

test("another tool, or another version of it, has compiled modules of its own", async () => {
  project.write(files);
  for (const version of ["1.0.0", "1.0.1"]) {
    project.write({ "tool/package.json": JSON.stringify({ name: "kagurazaka", version }) });
    // Tools are looked at once per process, so the second is reached by another path to the same directory.
    const toolRoot = version === "1.0.0" ? project.path("tool") : `${project.path("tool")}-link`;
    if (version === "1.0.1") symlinkSync(project.path("tool"), toolRoot);
    expect((await loadTask({ file: project.path("task.ts"), toolRoot })).built).toBe(true);
    expect((await loadTask({ file: project.path("task.ts"), toolRoot })).built).toBe(false);
  }
});

test("a damaged cache is built anew: index, bundle, either missing", async () => {
  project.write(files);
  const damage = [
    (name: string) => name.endsWith(".json") && !name.startsWith("tsconfig") && '{"bundle": "../../',
    (name: string) => name.endsWith(".json") && !name.startsWith("tsconfig") && "null",
    (name: string) => name.endsWith(".mjs") && "",
    (name: string) => name.endsWith(".mjs") && "export class T { process() { return 'torn'; } }",
  ];
  for (const hurt of damage) {
    await project.load("task.ts");
    const dir = openCacheDir();
    for (const name of readdirSync(dir)) {
      const text = hurt(name);
      if (text !== false) writeFileSync(join(dir, name), text);
    }
    const task = await project.load("task.ts");
    expect(task.built).toBe(true);
    expect(readFileSync(fileURLToPath(task.entryUrl), "utf8")).toContain("sourceMappingURL");
  }
  rmSync(openCacheDir(), { recursive: true });
  expect((await project.load("task.ts")).built).toBe(true);
});

test("nothing is written beside the task, whose directory may be read-only", async () => {
  project.write(files);
  const before = readdirSync(project.path(), { recursive: true }).sort();
  for (const dir of ["lib", "."]) chmodSync(project.path(dir), 0o555);
  try {
    expect(run(await project.load("task.ts"))).toEqual([2, 1, "dep"]);
    expect(readdirSync(project.path(), { recursive: true }).sort()).toEqual(before);
  } finally {
    for (const dir of [".", "lib"]) chmodSync(project.path(dir), 0o755);
  }
});

test("the cache is its user's alone, holds whole files only, and forgets bundles of long ago", async () => {
  project.write(files);
  const old = await project.load("task.ts");
  const monthsAgo = new Date(Date.now() - 90 * 24 * 3600 * 1000);
  utimesSync(fileURLToPath(old.entryUrl), monthsAgo, monthsAgo);
  project.write({ "lib/b.ts": "export const b = 3;" });
  const next = await project.load("task.ts");
  project.write({ "lib/b.ts": "export const b = 4;" });
  await project.load("task.ts");
  const names = readdirSync(openCacheDir());
  expect(names.filter((name) => name.endsWith(".mjs"))).toHaveLength(2);
  expect(names).toContain(next.entryUrl.split("/").at(-1));
  expect(names.filter((name) => name.endsWith(".tmp"))).toEqual([]);
  expect(statSync(openCacheDir()).mode & 0o777).toBe(0o700);
});

test("many loads at once, cold, agree", async () => {
  project.write(files);
  const all = await Promise.all(Array.from({ length: 8 }, () => project.load("task.ts")));
  expect(new Set(all.map((task) => task.entryUrl)).size).toBe(1);
  expect((await project.load("task.ts")).built).toBe(false);
});

test("where the cache lies", () => {
  expect(() => openCacheDir({ KAGURAZAKA_CACHE_DIR: `${project.root}/a\\b` })).toThrow("backslash");
  const at = (env: NodeJS.ProcessEnv) => openCacheDir(env).slice(project.root.length + 1);
  const inside = (name: string) => join(project.root, name);
  expect(at({ KAGURAZAKA_CACHE_DIR: inside("own"), XDG_CACHE_HOME: inside("xdg") })).toBe("own/modules");
  expect(at({ XDG_CACHE_HOME: inside("xdg"), HOME: inside("home") })).toBe("xdg/kagurazaka/modules");
  expect(at({ XDG_CACHE_HOME: "relative", HOME: inside("home") })).toBe("home/.cache/kagurazaka/modules");
  writeFileSync(inside("a-file"), "");
  expect(openCacheDir({ HOME: inside("a-file") })).toMatch(/kagurazaka-[^/]+\/modules$/);
  expect(() => openCacheDir({ KAGURAZAKA_CACHE_DIR: inside("a-file") })).toThrow(
    expect.objectContaining({ code: "environment", where: "KAGURAZAKA_CACHE_DIR" }),
  );
  mkdirSync(inside("loose/modules"), { recursive: true, mode: 0o777 });
  chmodSync(inside("loose/modules"), 0o777);
  expect(statSync(openCacheDir({ KAGURAZAKA_CACHE_DIR: inside("loose") })).mode & 0o777).toBe(0o700);
});

test("the module hash tells code from code, not machine from machine", async () => {
  project.write(files);
  const { moduleHash } = await project.load("task.ts");
  cpSync(project.path(), join(project.root, "elsewhere/deeper"), { recursive: true });
  expect((await loadTask({ file: join(project.root, "elsewhere/deeper/task.ts") })).moduleHash).toBe(moduleHash);
  const hashAfter = async (change: Record<string, string>) => {
    project.write(change);
    return (await project.load("task.ts")).moduleHash;
  };
  expect(await hashAfter({ "tsconfig.json": "{}", "unrelated.ts": "" })).toBe(moduleHash);
  expect(await hashAfter({ "lib/b.ts": "export const b = 1; // a comment" })).not.toBe(moduleHash);
  expect(await hashAfter({ "lib/b.ts": files["lib/b.ts"] })).toBe(moduleHash);
  expect(await hashAfter({ "node_modules/dep/package.json": pkg("2.0.0") })).not.toBe(moduleHash);
});

test("the cached path costs little", async () => {
  const names = Array.from({ length: 9 }, (_, i) => `m${i}`);
  const body = `export const x = ${JSON.stringify("y".repeat(4000))};`;
  project.write(Object.fromEntries(names.map((name) => [`${name}.ts`, body])));
  project.write({
    "task.ts": `${names.map((name) => `import { x as ${name} } from "./${name}.js";`).join("\n")}\nexport class T { process() { return [${names}].length; } }`,
  });
  const { compileModule } = await import("../../src/loader/index.js");
  await compileModule({ file: project.path("task.ts") });
  const times: number[] = [];
  for (let i = 0; i < 21; i++) {
    const start = performance.now();
    expect((await compileModule({ file: project.path("task.ts") })).built).toBe(false);
    times.push(performance.now() - start);
  }
  const median = times.sort((a, b) => a - b)[10]!;
  expect(median).toBeLessThan(5);
});
