import { cpSync, readFileSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { counts, createPlace } from "../e2e/kagurazaka.js";

const source = fileURLToPath(new URL("../fixtures/backbones/outsider.ts", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));
const items = Array.from({ length: 10 }, (_, i) => ({ id: `i${i}` }));

test("a third party imports nothing but the kit", () => {
  const imported = [...readFileSync(source, "utf8").matchAll(/from "([^"]+)"/g)].map(([, name]) => name);
  expect([...new Set(imported)]).toEqual(["node:worker_threads", "kagurazaka/kit"]);
});

test("a backbone is loaded by path, with its own flags and help", async () => {
  const place = createPlace();
  cpSync(source, place.path("my-backbone.ts"));
  const { json, stderr } = await place.sample(items, ["--backbone", "./my-backbone.ts", "--hands", "3"]);
  expect(json, stderr).toMatchObject({ backbone: "outsider", counts: counts({ done: 10 }) });
  expect(stderr).toMatch(/backbone +outsider, 3 workers/);
  expect((await place.run(["-hb", "--backbone", "./my-backbone.ts"])).stdout).toMatch(/--hands <INTEGER>/);
});

test("a backbone is loaded by package name, with the copy of us it brings along", async () => {
  const place = createPlace({
    "node_modules/kagurazaka-outsider/package.json":
      '{"name":"kagurazaka-outsider","version":"1.0.0","type":"module","exports":"./index.js"}',
    "node_modules/kagurazaka-outsider/index.js": `
import { defineBackbone } from "kagurazaka/kit";
export default defineBackbone({
  name: "packaged",
  help: "One of these days.",
  options: {},
  kinds: ["item"],
  killable: false,
  size: () => ({ workers: 1 }),
  async openWorkers({ entry }) {
    const { default: main } = await import(entry);
    return {
      startWorker(start, events) {
        let listener;
        const waiting = [];
        main({ port: { post: events.onMessage, onMessage: (listen) => { listener = listen; waiting.splice(0).forEach(listen); } }, ...start }).then(() => events.onExit({ kind: "ended" }));
        return { send: (message) => setImmediate(() => (listener ? listener(message) : waiting.push(message))), kill: () => setImmediate(() => events.onExit({ kind: "ended" })) };
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});
`,
  });
  const missing = await place.sample(items, ["--backbone", "kagurazaka-outsider"]);
  expect([missing.code, missing.stderr]).toEqual([
    2,
    expect.stringMatching(/error \[backbone\] the backbone kagurazaka-outsider cannot be loaded: .*'kagurazaka'/),
  ]);
  symlinkSync(repository, place.path("node_modules/kagurazaka"));
  const { json, stderr } = await place.sample(items, ["--backbone", "kagurazaka-outsider"]);
  expect(json, stderr).toMatchObject({ backbone: "packaged", counts: counts({ done: 10 }) });
});

test("a backbone of another contract is refused, whichever way it is exported", async () => {
  const old = `{ contract: 1, open() {}, size() {}, kinds: ["item"], options: {}, name: "old" }`;
  const place = createPlace({
    "old.mjs": `export default ${old};\n`,
    "old.cjs": `module.exports = ${old};\n`,
    "node_modules/old/package.json": `{"name": "old", "version": "1.0.0", "main": "./in#dex.js"}`,
    "node_modules/old/in#dex.js": `exports.__esModule = true; exports.default = ${old};\n`,
  });
  for (const backbone of ["./old.mjs", "./old.cjs", "old"]) {
    const { code, stderr } = await place.sample(items, ["--backbone", backbone]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/implements version 1 of the backbone contract, this kagurazaka needs version 2/),
    ]);
  }
});
