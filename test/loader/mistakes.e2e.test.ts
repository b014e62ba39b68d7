import { mkdirSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { MistakesError } from "../../src/base/errors.js";
import { useProject } from "./project.js";

const project = useProject();
const good = "export class Good { process() {} }\n";
const has = (text: string) => expect.stringContaining(text);

test("a missing file: the nearest name, or the directory that is missing", async () => {
  project.write({ "tasks/word_count.ts": good });
  expect(await project.refused("tasks/word-cuont.ts")).toMatchObject({
    code: "task-not-found",
    message: has(`Did you mean "word_count.ts"?`),
  });
  expect(await project.refused("tasks/word_count")).toMatchObject({ message: has(`Did you mean "word_count.ts"?`) });
  expect(await project.refused("task/word_count.ts")).toMatchObject({
    message: expect.stringMatching(/there is no directory .*\/task\. Did you mean "tasks"\?$/),
  });
  expect(await project.refused("tasks/word_count.ts/x.ts")).toMatchObject({ code: "task-not-found" });
  symlinkSync("gone.ts", project.path("link.ts"));
  expect(await project.refused("link.ts")).toMatchObject({
    message: has("is a link to gone.ts, which does not exist"),
  });
});

test("a path that cannot even be looked at", async () => {
  project.write({ "x.ts": good });
  symlinkSync("loop.ts", project.path("loop.ts"));
  for (const file of ["loop.ts", "nul\0.ts", `${"x".repeat(300)}.ts`]) {
    expect(await project.refused(file)).toMatchObject({ code: "task-not-found", message: has("cannot be reached") });
  }
});

test("a directory: the task files in it", async () => {
  project.write({ "tasks/one.ts": good, "tasks/two.mjs": good, "tasks/x.csv": "" });
  mkdirSync(project.path("empty"));
  expect(await project.refused("tasks")).toMatchObject({
    code: "task-not-found",
    message: has("is a directory"),
    hint: expect.stringMatching(/one\.ts, .*two\.mjs$/),
  });
  expect(await project.refused("empty")).toMatchObject({ hint: has("no task file") });
});

test.each([
  ["task.py", "is a Python task", "kagurazaka init"],
  ["base.yaml", "is configuration", "--cfg"],
  ["task.tsx", "JSX", "Rename"],
  ["notes.txt", "is not a task file", ".ts .mts .cts .js .mjs .cjs"],
  ["noext", "is not a task file", ".ts"],
])("%s %s", async (file, message, hint) => {
  project.write({ [file]: "x" });
  expect(await project.refused(file)).toMatchObject({
    code: "not-a-task",
    message: has(message),
    hint: has(hint),
    where: has(file),
  });
});

test("a syntax error: file, line, column and the lines around it", async () => {
  project.write({
    "task.ts": `import "./lib.js";\n${good}`,
    "lib.ts": "const ä = 1;\n\tconst b = ä ä;\nconst c = 3;\n",
  });
  const error = await project.refused("task.ts");
  expect(error).toMatchObject({ code: "task-load", where: `${project.path("lib.ts")}:2:14` });
  expect(error.frame).toBe(
    ["  1 | const ä = 1;", "> 2 | \tconst b = ä ä;", "    | \t            ^", "  3 | const c = 3;"].join("\n"),
  );
});

test("columns of a first line are its own, though variables are put in front of it", async () => {
  project.write({ "task.ts": "const here = import.meta.url; const x = ;" });
  const error = await project.refused("task.ts");
  expect(error.where).toBe(`${project.path("task.ts")}:1:41`);
  expect(error.frame).toBe(`> 1 | const here = import.meta.url; const x = ;\n    | ${" ".repeat(40)}^`);
});

test("several mistakes are told together", async () => {
  project.write({ "task.ts": `import "./a.js";\nimport "./b.js";\n${good}` });
  const error = await project.refused("task.ts");
  expect((error as MistakesError).mistakes?.map((mistake) => mistake.where)).toEqual([
    `${project.path("task.ts")}:1:8`,
    `${project.path("task.ts")}:2:8`,
  ]);
  expect(error).toBeInstanceOf(MistakesError);
});

test.each([
  ["./lib/utlis.js", `Did you mean "utils.ts"?`, "/lib/utlis.js"],
  ["helper.ts", `cannot find "helper.ts"`, `"./helper.ts"`],
  ["no-such-package/sub", `cannot find "no-such-package/sub"`, "npm install no-such-package"],
  ["kagurasaka", `Did you mean "kagurazaka"?`, "npm install"],
  ["fs/promise", `Did you mean "fs/promises"?`, ""],
  ["closed/inner.js", `cannot find "closed/inner.js"`, `not exported by package "closed"`],
])("an import that does not resolve: %s", async (specifier, message, hint) => {
  project.write({
    "task.ts": `${good}\nimport x from "${specifier}";\nconsole.log(x);`,
    "lib/utils.ts": "",
    "helper.ts": "",
    "node_modules/closed/package.json": `{"name": "closed", "exports": {".": "./i.js"}}`,
    "node_modules/closed/inner.js": "",
  });
  const error = await project.refused("task.ts");
  expect(error).toMatchObject({
    code: "task-load",
    message: has(message),
    hint: has(hint),
    where: `${project.path("task.ts")}:3:15`,
  });
  expect(error.frame).toContain(`> 3 | import x from "${specifier}";`);
});

test("data that is imported, a named import that is not there, a tsconfig that cannot be read", async () => {
  project.write({ "task.ts": `import x from "./x.csv";\nconsole.log(x);${good}`, "x.csv": "" });
  expect(await project.refused("task.ts")).toMatchObject({
    code: "task-load",
    hint: has("readFile(new URL"),
    where: has("task.ts:1:"),
  });
  project.write({ "two.ts": `import { b } from "./lib.js";\nconsole.log(b);${good}`, "lib.ts": "export const a = 1;" });
  expect(await project.refused("two.ts")).toMatchObject({
    message: has(`No matching export in "lib.ts" for import "b"`),
    where: has("two.ts:1:10"),
  });
  project.write({
    "legacy.ts": `const inject = () => {};\nexport class T { constructor(@inject x: number) {} process() {} }`,
  });
  expect(await project.refused("legacy.ts")).toMatchObject({
    hint: has("standard (TC39) decorators"),
    where: has("legacy.ts:2:"),
  });
  project.write({ "three.ts": good, "tsconfig.json": `{"compilerOptions": {` });
  expect(await project.refused("three.ts")).toMatchObject({ where: has("tsconfig.json:1:") });
  for (const [base, message] of [
    ["./nope.json", 'Cannot find base config file "./nope.json"'],
    ["./tsconfig.json", "forms cycle"],
  ] as const) {
    project.write({ "four.ts": good, "tsconfig.json": JSON.stringify({ extends: base }) });
    expect(await project.refused("four.ts")).toMatchObject({ where: has("tsconfig.json:1:"), message: has(message) });
  }
});

test("a module that throws while loading: the place in its own file, the error as cause", async () => {
  project.write({
    "task.ts": `import { check } from "./lib/check.js";\n\ninterface Padding { a: string }\ncheck({ a: "x" } satisfies Padding);\n${good}`,
    "lib/check.ts": `interface More { a: string }\nexport function check(x: More): void {\n  if (x.a) throw new RangeError("bad setting");\n}`,
  });
  for (const cached of [false, true]) {
    const error = await project.refused("task.ts");
    expect(error).toMatchObject({
      code: "task-load",
      message: has("task.ts throws while loading: RangeError: bad setting"),
      where: expect.stringMatching(/lib\/check\.ts:3:18$/),
      cause: expect.any(RangeError),
    });
    expect(error.frame, `cached: ${cached}`).toContain(`> 3 |   if (x.a) throw new RangeError("bad setting");`);
  }
});

test("a named import that a CommonJS package has only at run time: what to write instead", async () => {
  project.write({
    "task.ts": `import { late } from "dynamic";\nexport class T { process() { return late; } }`,
    "node_modules/dynamic/index.js": `for (const name of ["late"]) module.exports[name] = 1;`,
  });
  expect(await project.refused("task.ts")).toMatchObject({
    hint: has("const { late } = pkg;"),
    where: has("task.ts:1"),
  });
});

test("what is thrown may be no Error, and an error of ours keeps its code", async () => {
  project.write({ "task.ts": `throw "words";\n${good}` });
  expect(await project.refused("task.ts")).toMatchObject({
    code: "task-load",
    message: has("words (not an Error)"),
    cause: "words",
  });
  project.write({
    "ours.ts": `class Ours extends Error { code = "not-a-task"; hint = "do this"; [Symbol.for("kagurazaka.error")] = true; }\n\nthrow new Ours("wrong template");`,
  });
  expect(await project.refused("ours.ts")).toMatchObject({
    code: "not-a-task",
    message: "wrong template",
    hint: "do this",
    where: has("ours.ts:3:7"),
  });
});
