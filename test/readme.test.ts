import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorCodes } from "../src/base/errors.js";
import { builtinNames, loadBuiltin } from "../src/builtins.js";
import { commands } from "../src/cli/command-table.js";
import { snakeName } from "../src/config/text/names.js";

const root = new URL("..", import.meta.url).pathname;
const readme = readFileSync(join(root, "README.md"), "utf8");
const reference = readFileSync(join(root, "REFERENCE.md"), "utf8");

describe("the README", () => {
  it("tells of every error code, as the table in the code does", () => {
    const told = [...reference.matchAll(/^\| `([\w-]+)` \| (?:exit (\d+)|item): (.*) \|$/gm)].map(
      ([, code, exit, says]) => [code, exit && Number(exit), says],
    );
    const known = Object.entries(errorCodes).map(([code, entry]: [string, { exit?: number; says: string }]) => [
      code,
      entry.exit,
      entry.says,
    ]);
    expect(told).toEqual(known);
  });

  it("tells of every mode with its fields, every ready-made task and every command", async () => {
    const rows = (page: string, cell: RegExp): string[][] =>
      [...page.matchAll(/^\| (.*) \|$/gm)]
        .map(([, row]) => row!.split(/(?<!\\)\|/).map((text) => text.trim()))
        .filter(([first]) => cell.test(first!));
    const modes = new Map(rows(reference, /^`[A-Z]\w+`$/).map(([name, fields]) => [name!.slice(1, -1), fields!]));
    const known = builtinNames("modes").filter((name) => name !== "OutputByApendingExt");
    expect([...modes.keys()].sort()).toEqual(known.sort());
    for (const [name, told] of modes) {
      const { definition } = (await loadBuiltin("modes", name))!;
      const words =
        told
          .replace(/\{[^}]*\}/g, "")
          .replace(/: [\w\\|]*/g, "")
          .match(/[a-z]\w*/g) ?? [];
      expect(words.toSorted(), name).toEqual(Object.keys(definition.fields).map(snakeName).toSorted());
    }
    expect(
      rows(reference, /^`@/)
        .map(([name]) => name!.slice(2, -1))
        .sort(),
    ).toEqual(builtinNames("tasks").sort());
    const names = Object.keys(commands).map((name) => name.split(" ")[0]!);
    const told = rows(readme, /^`[a-z-]+(?: [^`]*)?`(?:, `[\w ]+`)*$/)
      .flatMap(([cell]) => [...cell!.matchAll(/`([a-z-]+)/g)].map(([, word]) => word!))
      .filter((word) => names.includes(word));
    expect(told.sort()).toEqual(names.toSorted());
  });

  it("is at most 250 lines", () => {
    expect(readme.split("\n").length).toBeLessThanOrEqual(251);
  });
});
