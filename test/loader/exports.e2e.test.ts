import { expect, test } from "vitest";
import { loadBuiltinTask, loadTask } from "../../src/loader/index.js";
import { importTaskClass } from "../../src/runner/program/task-class.js";
import { run, useProject } from "./project.js";

const project = useProject();
const has = (text: string) => expect.stringContaining(text);
const several = `export class Alpha { process() { return "alpha"; } }
export class Beta extends Alpha {}
export default class Gamma { process() {} }
export class Helper { help() {} }
export function make() {}
export const settings = { a: 1 }, count = 3, nothing = null, made = new Alpha();
class Hidden { process() {} }`;

test("a task is named by its export, with process() its own or inherited", async () => {
  project.write({ "task.ts": several });
  const beta = await project.load("task.ts", "Beta");
  expect([beta.exportName, beta.id, beta.taskClass.name, beta.template, run(beta)]).toEqual([
    "Beta",
    "Beta",
    "Beta",
    undefined,
    "alpha",
  ]);
  const gamma = await project.load("task.ts", "default");
  expect([gamma.exportName, gamma.id]).toEqual(["default", "Gamma"]);
});

test("an unknown name: the nearest, and the list of tasks", async () => {
  project.write({ "task.ts": several });
  expect(await project.refused("task.ts", "Bata")).toMatchObject({
    code: "task-not-found",
    message: has(`Did you mean "Beta"?`),
    hint: "Tasks in this file: Alpha, Beta, default",
  });
  expect(await project.refused("task.ts", "Gamma")).toMatchObject({ hint: has(`class Gamma is the default export`) });
  expect(await project.refused("task.ts", "Hidden")).toMatchObject({ hint: has(`write "export class Hidden"`) });
});

test.each(["toString", "constructor", "__proto__", "hasOwnProperty", "then"])(
  "%s is no export of anything",
  async (name) => {
    project.write({ "task.ts": several, "task.cjs": "module.exports = { A: class { process() {} } };" });
    expect(await project.refused("task.ts", name)).toMatchObject({ code: "task-not-found" });
    expect(await project.refused("task.cjs", name)).toMatchObject({ code: "task-not-found" });
  },
);

test.each([
  ["Helper", "a class without process()"],
  ["make", "a function"],
  ["settings", "an object"],
  ["count", "a number"],
  ["nothing", "null"],
  ["made", "an instance"],
])("export %s is not a task but %s", async (name, what) => {
  project.write({ "task.ts": several });
  expect(await project.refused("task.ts", name)).toMatchObject({
    code: "not-a-task",
    message: has(what),
    hint: has("Alpha, Beta, default"),
  });
});

test("without a name: the only task, whatever else is exported, or the list", async () => {
  project.write({
    "one.ts": "export class One { process() {} }\nexport default One;\nexport const x = 1;",
    "only-default.ts": "export default class { process() {} }",
    "task.ts": several,
    "none.ts": "class Lost { process() {} }\nexport const x = 1;",
    "empty.ts": "",
  });
  expect((await project.load("one.ts")).exportName).toBe("One");
  expect(await project.load("only-default.ts")).toMatchObject({ exportName: "default", id: "only-default" });
  expect(await project.refused("task.ts")).toMatchObject({
    code: "task-not-found",
    message: has("several tasks"),
    hint: "Tasks in this file: Alpha, Beta, default",
  });
  expect(await project.refused("none.ts")).toMatchObject({
    code: "not-a-task",
    message: has("only x (a number)"),
    hint: has(`write "export class Lost"`),
  });
  expect(await project.refused("empty.ts")).toMatchObject({ code: "not-a-task", hint: has("process(item, ctx)") });
});

const commonJs = "class T { process() { return 1; } }";
test.each([
  ["module.exports = { T };", "T"],
  ["exports.T = T;", "T"],
  ["module.exports.T = T;", "T"],
  ["exports = module.exports = Object.create(null); exports.T = T;", "T"],
  ["exports.__esModule = true; exports.T = T;", "T"],
  [`Object.defineProperty(exports, "__esModule", { value: true }); exports.T = void 0; exports.T = T;`, "T"],
  [`Object.defineProperty(exports, "T", { enumerable: true, get: () => T });`, "T"],
  [`Object.defineProperty(exports, "T", { value: T });`, "T"],
  ["module.exports = T; module.exports.T = T;", "T"],
  ["module.exports = T;", "default"],
  ["module.exports = { default: T };", "default"],
  ["exports.__esModule = true; exports.default = T;", "default"],
])("CommonJS: %s exports %s, also where a worker imports it", async (exporting, name) => {
  project.write({ "task.cjs": `${commonJs} ${exporting}`, "pkg/package.json": `{"type": "commonjs"}` });
  project.write({ "pkg/task.js": `${commonJs} ${exporting}` });
  for (const file of ["task.cjs", "pkg/task.js"]) {
    const named = await project.load(file, name);
    expect(await importTaskClass(named.entryUrl, name)).toBe(named.taskClass);
    const only = await project.load(file);
    expect([run(named), named.exportName, only.exportName]).toEqual([1, name, name]);
  }
});

test("CommonJS: what has no task in it says so", async () => {
  project.write({
    "none.cjs": "module.exports = { a: 1 };",
    "compiled.cjs": "exports.__esModule = true; exports.a = 1;",
  });
  expect(await project.refused("none.cjs")).toMatchObject({ message: has("no task, only default (an object)") });
  expect(await project.refused("compiled.cjs")).toMatchObject({ message: has("no task, only a (a number)") });
});

test("`static id` names the task; another exported task's id is not inherited, an undecorated one's is", async () => {
  project.write({
    "task.ts": `export class Base { static id = "the-base"; process() {} }
export class Derived extends Base {}
class Hidden { static id = "hidden-id"; process() {} }
export class Shown extends Hidden {}
export class Bad { static id = "../up"; process() {} }
export class Number { static id = 5; process() {} }`,
  });
  expect((await project.load("task.ts", "Base")).id).toBe("the-base");
  expect((await project.load("task.ts", "Derived")).id).toBe("Derived");
  expect((await project.load("task.ts", "Shown")).id).toBe("hidden-id");
  for (const name of ["Bad", "Number"])
    expect(await project.refused("task.ts", name)).toMatchObject({
      code: "not-a-task",
      message: has("cannot name a directory"),
    });
});

test("the template is what a decorator left on the very class", async () => {
  project.write({
    "task.ts": `const brand = Symbol.for("kagurazaka.template");
const template = (contract: number) => (target: any) => { target[brand] = { contract, name: "t", kind: "item", spec: {}, mixinMode: true }; };
@template(1) export class Made { process() {} }
export class Under extends Made {}
@template(2) export class Future { process() {} }`,
  });
  expect((await project.load("task.ts", "Made")).template).toMatchObject({ name: "t", kind: "item" });
  expect((await project.load("task.ts", "Under")).template).toBeUndefined();
  expect(await project.refused("task.ts", "Future")).toMatchObject({ code: "not-a-task", hint: has("contract 2") });
});

test("a ready-made task is imported as it was built; where only its TypeScript lies, that is compiled", async () => {
  project.write({
    "tool/package.json": `{"name": "kagurazaka", "version": "1.0.0", "type": "module", "exports": {}}`,
    "tool/dist/tasks/count.js": "export default class Count { process() { return import.meta.url; } }",
    "tool/tasks/sum.ts": `export class Sum { static id = "own-id"; process() { return 1 as number; } }`,
  });
  const options = { toolRoot: project.path("tool") };
  const count = await loadBuiltinTask("count", `file://${project.path("tool/dist/tasks/count.js")}`, options);
  expect([count.entryUrl, count.built, count.id]).toEqual([
    `file://${project.path("tool/dist/tasks/count.js")}`,
    false,
    "count",
  ]);
  expect(run(count)).toBe(count.entryUrl);
  const sum = await loadBuiltinTask("sum", project.path("tool/tasks/sum.js"), options);
  expect([sum.built, sum.id, run(sum)]).toEqual([true, "own-id", 1]);
  expect((await loadTask({ file: `file://${project.path("tool/tasks/sum.ts")}`, ...options })).id).toBe("own-id");
});
