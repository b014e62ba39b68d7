import { describe, expect, test } from "vitest";
import { commands } from "../../src/cli/command-table.js";
import { mainFlags, renderScreen } from "../../src/cli/commands/help.js";
import { renderCommandHelp, twoColumns } from "../../src/config/help.js";
import { shortOptions, toolOptions } from "../../src/config/run-options.js";
import { flagName, snakeName } from "../../src/config/text/names.js";
import { createPlace, taskFile } from "../e2e/kagurazaka.js";

test("the one screen fits a terminal of 24 lines and 100 columns, and names every command", () => {
  const lines = renderScreen().trimEnd().split("\n");
  expect(lines.length).toBeLessThan(24);
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(100);
  for (const name of Object.keys(commands)) {
    const [family, member] = name.split(" ");
    const asRow = ` {2}${name} {2,}\\S`;
    expect(renderScreen()).toMatch(new RegExp(`${asRow}| {2}${family} {2,}(?:\\w+\\|)*${member}\\b`));
  }
});

test("the flags of the one screen exist", () => {
  const known = [...Object.keys(toolOptions), ...Object.keys(shortOptions), "numProcess"].map(snakeName);
  for (const [flag] of mainFlags) expect(known).toContain(snakeName(flag.split(" ")[0]!.slice(2)));
});

test.each(Object.entries(commands))("the page of %s has usage, what it does, and its flags", async (name, { load }) => {
  const { command } = await load();
  expect(command.name).toBe(name);
  const page = renderCommandHelp(command, 80);
  expect(page).toMatch(new RegExp(`^Usage: kagurazaka ${name} .*\n\n[A-Z]`));
  for (const flag of Object.keys(command.options)) expect(page).toContain(flagName(flag));
  expect(page.includes("kagurazaka -hk")).toBe(command.takes !== undefined);
});

test("a meaning is wrapped behind its term, and a long term has a line of its own", () => {
  const rows = [
    ["--a", "one two three four five six"],
    [`--${"b".repeat(40)}`, "x"],
    ["--c", ""],
  ] as const;
  expect(twoColumns(rows, 31)).toBe(
    ["  --a  one two three four five", "       six", `  --${"b".repeat(40)}`, "       x", "  --c"].join("\n"),
  );
});

describe.concurrent("help", () => {
  const page = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await createPlace().run(args);
    expect([code, stderr], args.join(" ")).toEqual([args.length === 0 ? 2 : 0, ""]);
    return stdout;
  };
  test("of kagurazaka is one screen, however it is asked for", async () => {
    for (const args of [[], ["-h"], ["--help"], ["help"]]) expect(await page(...args)).toBe(renderScreen());
  });
  test("of a command is one page, however it is asked for", async () => {
    const verify = await page("verify", "-h");
    expect(verify).toContain("--deep");
    for (const args of [
      ["help", "verify"],
      ["verify", "--help"],
      ["-h", "verify"],
      ["verify", taskFile("files.ts"), "-h"],
    ])
      expect(await page(...args)).toBe(verify);
    expect(await page("ledger", "-h")).toBe(await page("help", "ledger", "compact"));
  });
  test("of a command that does not exist names the nearest", async () => {
    const { code, stderr } = await createPlace().run(["help", "verfy"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no command "verfy". Did you mean "verify"?')]);
  });
  test("of a backbone never asks which tasks it runs", async () => {
    const place = createPlace({
      "bone.mjs": `export default { contract: 2, name: "bone", kinds: ["batch"], help: "Runs batches.", options: { width: { type: "integer" } }, size() {}, openWorkers() {} };`,
      "in/a.txt": "a",
    });
    for (const task of [[], [taskFile("files.ts"), "Shout"]]) {
      const { code, stdout, stderr } = await place.run([...task, "-hb", "--backbone", "./bone.mjs"]);
      expect([code, stderr, stdout]).toEqual([0, "", expect.stringMatching(/--backbone bone[\s\S]*--width <INTEGER>/)]);
    }
    const { stdout } = await place.run([taskFile("files.ts"), "Shout", "-h", "--backbone", "./bone.mjs"]);
    expect(stdout).toContain("hard_shard_mode.input_path");
  });
});

test("a run and a command report all mistakes at once, before anything runs", async () => {
  const place = createPlace({ "in/a.txt": "a" });
  const args = [
    "verify",
    taskFile("files.ts"),
    "Shout",
    "--list",
    "x",
    "--list",
    "y",
    "--depe",
    "--limit",
    "z",
    "--cfg",
  ];
  const { code, stderr } = await place.run(args);
  expect(code).toBe(2);
  for (const text of [
    "--list is given twice",
    "unknown flag --depe",
    "limit must be",
    "--cfg needs a value",
    "--in DIR",
  ])
    expect(stderr).toContain(text);
});

test("a word that several commands begin with has a page of them", async () => {
  const place = createPlace();
  for (const words of [
    ["records", "-h"],
    ["help", "records"],
  ]) {
    const { stdout, code } = await place.run(words);
    expect(code).toBe(0);
    for (const member of ["head", "schema", "count", "sample", "convert"])
      expect(stdout).toMatch(new RegExp(`^ {2}records ${member} +\\S`, "m"));
  }
});

test("a ready-made task that takes an export shows its page without one", async () => {
  const { stdout, code } = await createPlace().run(["@map", "-h"]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^Usage: kagurazaka @map FILE#EXPORT \[flags\]/)]);
});
