import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { run, useProject } from "./project.js";

const project = useProject();

async function expectRun(source: string, result: unknown): Promise<void> {
  project.write({ "task.ts": source });
  expect(run(await project.load("task.ts"))).toEqual(result);
}

const sendToWorker = `import { Worker } from "node:worker_threads";
const answer = (code: string) => new Promise((resolve, reject) => {
  const worker = new Worker(code, { eval: true });
  worker.on("message", resolve).on("error", reject);
});`;

test("a function runs where it arrives as text: in a vm, in a worker made of a string, as another function", async () => {
  project.write({
    "task.ts": `${sendToWorker}
import { runInNewContext } from "node:vm";
import { eol } from "./eol.js";
function inWorker(start: number) {
  const { parentPort } = require("node:worker_threads");
  const twice = (x: number) => x * 2;
  function more(x: number) { return x + 1; }
  async function later<V>(value: V): Promise<V> { return value; }
  function* both() { yield 1; yield 2; }
  class Box { static size = 3; #hidden = 4; open = () => this.#hidden; }
  const inline = { plain: () => 5, ["com" + "puted"]: function () { return 6; } } as Record<string, () => number>;
  const Kind = class { kind = 7; };
  later(twice(start)).then((value) => parentPort.postMessage([value, more(1), ...both(), Box.size, new Box().open(), inline.plain!(),
    inline.computed!(), new Kind().kind, twice.name, more.name, Box.name, Kind.name, inline.plain!.name]));
}
const arrow = (x: number) => { const inner = (y: number) => y + 1; return inner(x); };
export class T { async process() {
  return [await answer("(" + inWorker + ")(21)"), runInNewContext("(" + arrow + ")(1)"), new Function("return " + arrow)()(2), eol()];
} }`,
    "eol.ts": `export const eol = () => require("node:os").EOL;`,
  });
  const names = ["twice", "more", "Box", "Kind", "plain"];
  expect(await run(await project.load("task.ts"))).toEqual([[42, 2, 1, 2, 3, 4, 5, 6, 7, ...names], 2, 3, "\n"]);
});

test("a class arrives under its own name, also one that mentions itself or extends another", async () => {
  project.write({
    "task.ts": `import { runInNewContext } from "node:vm";
class Box { static made = 0; static make() { Box.made++; return new Box(); } value = 1; }
class Bad extends Error { constructor(message: string) { super(message); this.name = new.target.name; } }
let Loose = class { again() { return Loose; } };
const first = new Loose();
Loose = class extends Loose {};
export class T { process() {
  return [runInNewContext(Box + "; Box.make().value + Box.made"), runInNewContext(Bad + "; String(new Bad('x'))"), first.again() === Loose];
} }`,
  });
  expect(run(await project.load("task.ts"))).toEqual([2, "Bad: x", true]);
});

test("what is renamed is renamed everywhere, or nowhere", () => {
  return expectRun(
    `class Spread { static list = [1]; static all() { return [...Spread.list, ...[Spread.name]]; } }
class Quoted { static is() { return "_Quoted is " + new Quoted().constructor.name; } }
export class T { process() { return [Spread.all(), Quoted.is()]; } }`,
    [[1, "Spread"], "_Quoted is Quoted"],
  );
});

test("large modules take time in proportion to their size", () => {
  const classes = Array.from({ length: 400 }, (_, i) => `class C${i} { static make() { return new C${i}(); } }`);
  const arrows = Array.from({ length: 4000 }, (_, i) => `a${i}: (x: number) => x + ${i}`);
  return expectRun(
    `const text = "${"Ab9_".repeat(100_000)}";\n${classes.join("\n")}
const arrows = { ${arrows.join(", ")} };
export class T { process() { return [text.length, C399.make().constructor.name, arrows.a3999.name]; } }`,
    [400_000, "C399", "a3999"],
  );
});

test("the module's own `require` is called so in the text, too", async () => {
  project.write({
    "task.ts": `${sendToWorker}
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
function inWorker() { require("node:worker_threads").parentPort.postMessage("here"); }
export class T { process() { return answer("(" + inWorker + ")()"); } }`,
  });
  expect(await run(await project.load("task.ts"))).toBe("here");
});

test("names are what was written, where two files use the same and where there is none", async () => {
  project.write({
    "task.ts": `import nameless, { Same as Other, make as otherMake, Big as OtherBig } from "./other.js";
class Same extends Other {}
const make = () => class {};
class Big extends (
  // several lines
  mix({ a: 1,
    b: 2 })) {}
function mix(_: object) { return Object; }
export class T { process() {
  const nested = () => { const make = () => 1; return make.name; };
  return [Same, Other, make, otherMake, Big, OtherBig, mix, nameless].map((named) => named.name).concat(nested(), new Same().constructor.name);
} }`,
    "other.ts": `export class Same {}\nexport const make = async function () {};\nexport class Big { static name2 = Big.name; }\nexport default class {}`,
  });
  expect(run(await project.load("task.ts"))).toEqual([
    "Same",
    "Same",
    "make",
    "make",
    "Big",
    "Big",
    "mix",
    "default",
    "make",
    "Same",
  ]);
});

test("strings that look like esbuild's helpers are left alone", async () => {
  const text = '__name(f, "f"); __require("x") /* @__PURE__ */';
  project.write({
    "task.ts": `const f = () => require;\nexport class T { process() { return [f.name, ${JSON.stringify(text)}]; } }`,
  });
  expect(run(await project.load("task.ts"))).toEqual(["f", text]);
});

test("source maps lead to the very columns that were written", async () => {
  project.write({
    "task.ts": `interface Padding { a: 1 }
class Box { static make() { return new Error("box"); } }
export class T {
  process() {
    const arrow = (n: number) => new Error("arrow" + n);
    return [arrow(1), Box.make(), apply(() => new Error("given"))].map((error) => /:(\\d+):(\\d+)/.exec(error.stack!)!.slice(1).map(Number));
  }
}
function apply(get: () => Error) { const once = () => get(), again = () => once(); return again(); }`,
  });
  const task = await project.load("task.ts");
  const inline = /base64,(.*)\n$/.exec(readFileSync(fileURLToPath(task.entryUrl), "utf8"))![1]!;
  const map = new SourceMap(JSON.parse(Buffer.from(inline, "base64").toString()));
  const origins = (run(task) as [number, number][]).map(([line, column]) => map.findEntry(line - 1, column - 1));
  expect(origins).toMatchObject([
    { originalLine: 4, originalColumn: 33 },
    { originalLine: 1, originalColumn: 35 },
    { originalLine: 5, originalColumn: 46 },
  ]);
});
