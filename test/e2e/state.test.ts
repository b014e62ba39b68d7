import { cpSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/base/random.js";
import { runTask } from "../../src/runner/run-task.js";
import { counts, createPlace, type Place } from "./kagurazaka.js";

/** What a state directory says of itself: whose it is, and that it is as it was written. */

const source = `
import { readFileSync, writeFileSync } from "node:fs";
import { FinishCheckByLedger, InputByExts, KagurazakaTask, moemoecueNormal, NoHardShard, OutputByAppendingExt } from "kagurazaka";
const modes = (inputPath: string, outputPath: string) => ({
  hardShardMode: NoHardShard({ inputPath, outputPath }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByAppendingExt({ ext: ".up" }),
  finishCheckMode: FinishCheckByLedger(),
});
class Base extends KagurazakaTask<any> {
  process({ input, output }: any, ctx: any) {
    const text = readFileSync(input.path, "utf8");
    if (text === "bad") throw new Error("bad");
    if (text === "none") return ctx.filtered("none");
    writeFileSync(output.path, text.toUpperCase());
  }
}
@moemoecueNormal(modes("in", "out")) export class Up extends Base {}
@moemoecueNormal(modes("in", "out")) export class 検査 extends Base {}
@moemoecueNormal(modes("in", "out")) export class 変換 extends Base {}
`;
const inputs = Object.fromEntries(["a", "b", "c", "d"].map((name) => [`in/${name}.txt`, name]));
const up = ["task.ts", "Up", "--backbone", "inline", "--retries", "0", "--json"];
const create = (): Place => createPlace({ ...inputs, "task.ts": source });
const ledgerOf = (place: Place): string => {
  const dir = "out/.kagurazaka/Up/ledger";
  return join(dir, readdirSync(place.path(dir)).sort().at(-1)!);
};

describe.concurrent("a state directory", () => {
  test("of one output root is refused to another, by every command, before anything is written", async () => {
    const place = create();
    const to = (out: string) => [...up, "--run-dir", "st", "--out", out];
    expect((await place.run(to("o1"))).json.counts).toEqual(counts({ done: 4 }));
    for (const words of [[], ["verify"], ["explain", "a.txt"], ["failures"], ["ledger", "compact"]]) {
      const { code, stderr } = await place.run([...words, ...to("o2")]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`is of the output root ${place.path("o1")}`)]);
      expect(stderr).toContain("Give each output root a --run-dir of its own.");
    }
    expect(place.everything()).not.toContain("o2");
    renameSync(place.path("o1"), place.path("moved"));
    expect((await place.run(to("moved"))).json.counts).toEqual(counts({ skipped: 4 }));
  });

  test("goes with its output root, moved or copied", async () => {
    const place = create();
    await place.run(up);
    cpSync(place.path("out"), place.path("far/out2"), { recursive: true });
    const { json, stderr } = await place.run([...up, "--out", "far/out2"]);
    expect([json.counts, stderr]).toEqual([counts({ skipped: 4 }), expect.not.stringContaining("warning")]);
  });

  test("is one for each task whose name is not ASCII", async () => {
    const place = create();
    for (const name of ["検査", "変換"]) {
      const words = ["task.ts", name, "--backbone", "inline", "--json"];
      expect((await place.run(words)).json.counts).toEqual(counts({ done: 4 }));
      expect((await place.run(words)).json.counts).toEqual(counts({ skipped: 4 }));
    }
  });

  test("whose ledger has a flipped bit: a run and verify name file and line, that item alone is made again", async () => {
    const place = create();
    await place.run(up);
    const path = ledgerOf(place);
    const text = place.read(path);
    const line = text.split("\n").findIndex((one) => one.includes('"b.txt"')) + 1;
    place.write({ [path]: text.replace('"b.txt"', '"f.txt"'), "in/f.txt": "f" });
    const audit = await place.run(["verify", "task.ts", "Up"]);
    expect([audit.code, audit.stdout]).toEqual([
      3,
      expect.stringContaining(`1 damaged line in the ledger, left out: ${path}:${line}`),
    ]);
    const { json, stderr } = await place.run(up);
    expect(json.counts).toEqual(counts({ done: 2, skipped: 3 }));
    expect(stderr).toContain(`the ledger has 1 damaged line, which is left out: ${path}:${line}.`);
    const compacted = await place.run(["ledger", "compact", "task.ts", "Up"]);
    expect(compacted.stdout).toContain(`damaged   1 line left out: ${path}:${line}`);
    const { json: again, stderr: said } = await place.run(up);
    expect([again.counts, said]).toEqual([counts({ skipped: 5 }), expect.not.stringContaining("damaged")]);
  });

  test("whose state.json is damaged: verify names it, and the next run writes it anew", async () => {
    const place = create();
    await place.run(up);
    writeFileSync(place.path("out/.kagurazaka/Up/state.json"), "\0".repeat(100));
    const seen = await place.run(["verify", ...up.slice(0, -1)]);
    expect([seen.code, seen.stdout]).toEqual([3, expect.stringContaining("out/.kagurazaka/Up/state.json is damaged")]);
    expect((await place.run(up)).stderr).toContain("state.json was damaged; it is written anew");
    expect((await place.run(["verify", ...up.slice(0, -1)])).code).toBe(0);
  });

  test("with other code of the same name says which file made its results", async () => {
    const place = create();
    await place.run(up);
    place.write({ "other.ts": source.replace("toUpperCase", "toLowerCase") });
    const { stderr } = await place.run(["other.ts", ...up.slice(1)]);
    expect(stderr).toContain("4 results were made by other code (task.ts)");
  });
});

test("one flipped bit anywhere in a state directory: the same is done again, or it is said what was damaged", async () => {
  const place = createPlace({ ...inputs, "in/bad.txt": "bad", "in/none.txt": "none", "task.ts": source });
  const run = async (out: string, more = {}) => {
    const [did, warnings]: [string[], string[]] = [[], []];
    const result = await runTask(
      { file: place.path("task.ts"), exportName: "Up" },
      {
        mixin: [`hard_shard_mode.input_path=${place.path("in")}`, `hard_shard_mode.output_path=${place.path(out)}`],
        backbone: "inline",
        retries: 0,
        hooks: {
          onWarning: (message) => void warnings.push(message),
          onOutcome: ({ key, status }) => void (status !== "skipped" && did.push(`${key} ${status}`)),
        },
        ...more,
      },
    );
    return { did: did.sort(), warnings, code: result.error?.code };
  };
  await run("out", { limit: 3 });
  await run("out");
  await run("out", { force: "continue", only: ["a*"] });
  cpSync(place.path("out"), place.path("whole"), { recursive: true });
  const expected = await run("whole");
  expect(expected).toEqual({ did: ["bad.txt failed"], warnings: [], code: undefined });

  const seed = String(Math.random());
  const random = createRandom(seed);
  const below = (end: number): number => Math.floor(random() * end);
  for (let flip = 0; flip < 120; flip++) {
    rmSync(place.path("copy"), { recursive: true, force: true });
    cpSync(place.path("out"), place.path("copy"), { recursive: true });
    const files = place.everything("copy/.kagurazaka").filter((name) => {
      const stat = statSync(place.path("copy/.kagurazaka", name));
      return stat.isFile() && stat.size > 0;
    });
    const file = files[below(files.length)]!;
    const path = place.path("copy/.kagurazaka", file);
    const bytes = readFileSync(path);
    const at = below(bytes.length);
    bytes[at]! ^= 1 << below(8);
    writeFileSync(path, bytes);
    const { did, warnings, code } = await run("copy");
    const where = `seed ${seed}, flip ${flip}: ${file}, byte ${at}`;
    expect(code, where).toBeUndefined();
    const isSaid = warnings.some((text) => text.includes("damaged") && text.includes(file));
    if (!isSaid) expect(did, where).toEqual(expected.did);
    if (file.includes("/ledger/")) expect(isSaid, where).toBe(true);
    for (const [name, text] of Object.entries(place.files("whole")))
      expect(place.files("copy")[name], where).toBe(text);
  }
});
