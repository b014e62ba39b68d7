import { mkdirSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { createPlace, taskFile } from "./kagurazaka.js";

const roots = (input: string, output: string) => [
  "--mixin",
  `hard_shard_mode.input_path=${input}`,
  `hard_shard_mode.output_path=${output}`,
];
const quiet = ["--json", "--backbone", "inline", "--progress", "none"];

test.each(["staging", "Fill/under-way"])(
  "%s as a symbolic link: nothing is removed where it leads, and the message names it",
  async (name) => {
    const place = createPlace({ "in/a.txt": "a", "victim/precious/gold": "gold" });
    for (const dir of ["precious", "."]) mkdirSync(place.path("out/.kagurazaka/Fill/runs", dir), { recursive: true });
    symlinkSync(place.path("victim"), place.path("out/.kagurazaka", name));
    const { code, stderr } = await place.run([taskFile("files.ts"), "Fill", ...roots("in", "out"), ...quiet]);
    expect([code, place.files("victim")]).toEqual([2, { "precious/gold": "gold" }]);
    expect(stderr).toContain(`${name} is a symbolic link to`);
  },
);

test("inputs and outputs in one directory under two names: no input is replaced", async () => {
  const place = createPlace({ "in/a.txt": "a" });
  symlinkSync("in", place.path("alias"));
  const same = [...roots("in", "alias"), "output_mode={use: OutputByReplacingExt, ext: .txt}"];
  const { code, stderr } = await place.run([taskFile("files.ts"), "Fill", ...same, ...quiet]);
  expect([code, place.read("in/a.txt")]).toEqual([2, "a"]);
  expect(stderr).toContain("every output would replace an input of its name");
});
