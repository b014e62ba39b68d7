import { expect, it } from "vitest";
import { createPlace } from "./kagurazaka.js";

const throws = [
  'import { KagurazakaTask } from "kagurazaka";',
  "enum Kind { Good, Bad }",
  "export class Throws extends KagurazakaTask<{ kind: Kind }> {",
  "  *generateTasks() { yield { kind: Kind.Bad }; }",
  "  async process({ kind }: { kind: Kind }) {",
  '    if (kind === Kind.Bad) throw new Error("no good");',
  "  }",
  "}",
].join("\n");

it.each(["inline", "mp"])(
  "a failure under %s shows the task's own line, on screen and in failed.jsonl",
  async (backbone) => {
    const place = createPlace({ "throws.ts": throws });
    // The second time the task comes from the cache.
    for (let time = 0; time < 2; time++) {
      const { stderr, code } = await place.run(["throws.ts", "Throws", "--backbone", backbone, "--retries", "0"]);
      expect(code).toBe(3);
      expect(stderr).toContain("throws.ts:6:34");
      expect(stderr).not.toContain(".mjs");
    }
    expect(place.read(".kagurazaka/Throws/failed.jsonl")).toContain("throws.ts:6:34");
  },
);

it.each([
  [
    "a list of inputs that does not exist",
    ["--mixin", "input_mode={use: InputFromWhateverJsonl, jsonl_path: nope.jsonl}"],
    "nope.jsonl does not exist",
  ],
  ["flags that contradict each other", ["--skip-failed", "--retry-failed"], "contradict each other"],
])("%s: a mistake, and nothing is written", async (_, flags, says) => {
  const place = createPlace({ "in/a.txt": "x" });
  const roots = ["--mixin", "hard_shard_mode.input_path=in", "hard_shard_mode.output_path=out"];
  const mode = flags[0] === "--mixin" ? ["output_mode=null", "finish_check_mode=null"] : [];
  const { stderr, code } = await place.run(["@word-count", ...roots, ...mode, ...flags]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
  expect(place.everything("in")).toEqual(["a.txt"]);
  expect(place.everything().some((name) => name.startsWith("out"))).toBe(false);
});
