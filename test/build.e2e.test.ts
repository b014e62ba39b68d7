import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

/** `npm run build` in a small project of the same shape. */
const repository = new URL("..", import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), "kagurazaka-build-"));
const path = (name: string): string => join(dir, name);
const read = (name: string): string => readFileSync(path(name), "utf8");
const write = (name: string, text: string): void => {
  mkdirSync(dirname(path(name)), { recursive: true });
  writeFileSync(path(name), text);
};

async function build(): Promise<{ code: number; stdout: string }> {
  const child = spawn(process.execPath, [path("build.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  const [code] = await once(child, "close");
  return { code, stdout };
}

beforeAll(() => {
  for (const name of ["build.mjs", "package.json", "tsconfig.json", "tsconfig.build.json"])
    cpSync(join(repository, name), path(name));
  symlinkSync(join(repository, "node_modules"), path("node_modules"));
  write("src/runner/worker/main.ts", "export {};\n");
  for (const name of ["src/index.ts", "src/helper.ts", "backbones/a.ts", "templates/a.ts", "tasks/a.ts"])
    write(name, "export const said: string = 'first';\n");
});
beforeEach(async () => expect(await build()).toEqual({ code: 0, stdout: "" }));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("what is built already is left alone", async () => {
  const before = statSync(path("dist/src/index.js")).mtimeMs;
  expect((await build()).code).toBe(0);
  expect(statSync(path("dist/src/index.js")).mtimeMs).toBe(before);
});

test("an edited source is built, also when its time is older than the build", async () => {
  for (const name of ["src/index", "src/helper"]) {
    write(`${name}.ts`, "export const said: string = 'second';\n");
    utimesSync(path(`${name}.ts`), 1, 1);
    expect((await build()).code).toBe(0);
    expect(read(`dist/${name}.js`)).toContain("second");
  }
});

test("outputs go with their source", async () => {
  write("src/old/name.ts", "export {};\n");
  await build();
  expect(existsSync(path("dist/src/old/name.js"))).toBe(true);
  rmSync(path("src/old"), { recursive: true });
  expect((await build()).code).toBe(0);
  for (const ending of ["js", "js.map", "d.ts"]) expect(existsSync(path(`dist/src/old/name.${ending}`))).toBe(false);
});

test("what browsers get is copied, and goes with its source", async () => {
  write("src/room/page/style.css", "a {}\n");
  await build();
  write("src/room/page/style.css", "b {}\n");
  expect((await build()).code).toBe(0);
  expect(read("dist/src/room/page/style.css")).toBe("b {}\n");
  rmSync(path("dist/src/room/page/style.css"));
  expect((await build()).code).toBe(0);
  expect(read("dist/src/room/page/style.css")).toBe("b {}\n");
  rmSync(path("src/room"), { recursive: true });
  expect((await build()).code).toBe(0);
  expect(existsSync(path("dist/src/room/page/style.css"))).toBe(false);
});

test("a removed output is made again", async () => {
  rmSync(path("dist/src/helper.js"));
  expect((await build()).code).toBe(0);
  expect(existsSync(path("dist/src/helper.js"))).toBe(true);
});

test("a mistake in a source fails every build until it is mended", async () => {
  const good = read("src/helper.ts");
  write("src/helper.ts", "export const said: string = 1;\n");
  for (let i = 0; i < 2; i++) expect(await build()).toEqual({ code: 2, stdout: expect.stringContaining("helper.ts") });
  write("src/helper.ts", good);
});

test("a build waits for the one that is running, and not for one that was killed", async () => {
  write("src/helper.ts", "export const said: string = 'third';\n");
  write(`dist/.building/${process.pid}`, "");
  write("dist/.building/4194304", ""); // No process has this number: it is above the highest.
  const builds = Promise.all([build(), build()]);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(existsSync(path("dist/.stamp")), "removed by a build that begins").toBe(true);
  rmSync(path(`dist/.building/${process.pid}`));
  expect((await builds).map(({ code }) => code)).toEqual([0, 0]);
  expect(read("dist/src/helper.js")).toContain("third");
  expect(readdirSync(path("dist/.building"))).toEqual([]);
});
