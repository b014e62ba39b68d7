import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const at = (path: string): string => JSON.stringify(new URL(`../../dist/${path}`, import.meta.url).href);

/** Node 20 may end the process when a thread is ended that loads its first module. */
test("threads that are warmed up may be disposed of at any moment of their start", () => {
  const script = `
    import mp from ${at("backbones/mp.js")};
    const entry = ${at("src/runner/worker/main.js")};
    for (let i = 0; i < 60; i++) {
      const warm = await mp.warmUp({ options: { isolation: "thread" }, workers: 2, entry, taskUrl: entry });
      await new Promise((resolve) => setTimeout(resolve, i % 60));
      await warm[Symbol.asyncDispose]();
    }
    console.log("ended");`;
  const words = ["--input-type=module", "-e", `import ${at("src/index.js")};${script}`];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
  expect([status, signal, stdout], stderr.slice(0, 2000)).toEqual([0, null, "ended\n"]);
});
