import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorCodes } from "../src/base/errors.js";
import { builtinNames, loadBuiltin } from "../src/builtins.js";
import { commands } from "../src/cli/command-table.js";
import { snakeName } from "../src/config/text/names.js";

const root = new URL("..", import.meta.url).pathname;
const readme = readFileSync(join(root, "README.md"), "utf8");
const reference = readFileSync(join(root, "REFERENCE.md"), "utf8");

interface Block {
  readonly language: string;
  readonly text: string;
  /** What `<!-- ci: NAME -->` above it says: a command for a checkout, not for a folder of the reader's. */
  readonly marked: string | undefined;
}

const blocks: Block[] = [...readme.matchAll(/(?:<!-- ci: (\w+) -->\s*)?```(\w+)\n([\s\S]*?)```/g)].map(
  ([, marked, language, text]) => ({
    language: language!,
    text: text!,
    marked,
  }),
);

describe("the README", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "kagurazaka-readme-"));
    writeFileSync(join(folder, "kagurazaka"), `#!/bin/sh\nexec node ${join(root, "src/bin.cjs")} "$@"\n`);
    chmodSync(join(folder, "kagurazaka"), 0o755);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    execFileSync("mkdir", ["-p", join(folder, "node_modules")]);
    symlinkSync(root, join(folder, "node_modules/kagurazaka"));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (command: string): string =>
    execFileSync("bash", ["-euo", "pipefail", "-c", command], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}`, KAGURAZAKA_CACHE_DIR: join(folder, "cache") },
    });

  // In the order of the page: files are written as they come, commands see what came before.
  for (const { language, text, marked } of blocks) {
    const file = /^(?:\/\/|#) (\S+\.\w+)\n/.exec(text)?.[1];
    if (file !== undefined) {
      it(`has ${file} as it stands there`, () => {
        writeFileSync(join(folder, file), text);
        if (file.endsWith(".mjs")) expect(run(`node ${file}`)).toContain("total: 20");
      });
    } else if (marked === undefined && language === "sh") {
      for (const command of text.trim().split("\n")) it(`runs: ${command}`, () => void run(command));
    }
  }

  it("has the two commands of a checkout, which CI and this suite run", () => {
    const [first, second] = ["run", "test"].map((name) => blocks.find(({ marked }) => marked === name)?.text.trim());
    expect(second).toBe("npm ci && npm test");
    const [install, main] = first!.split(" && ");
    expect(install).toBe("npm ci");
    const result = execFileSync("bash", ["-c", `${main!.replace("out/words", join(folder, "words"))} --json`], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect(JSON.parse(result).counts.done).toBeGreaterThan(1000);
  });

  it("runs every block it does not leave to CI", () => {
    const left = blocks.filter(
      ({ language, text, marked }) => marked === undefined && language !== "sh" && !/^(?:\/\/|#) \S+\.\w+\n/.test(text),
    );
    expect(left).toEqual([]);
  });

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
    const told = rows(readme, /^`[a-z-]+(?: [^`]*)?`(?:, `[\w ]+`)?$/)
      .flatMap(([cell]) => [...cell!.matchAll(/`([a-z-]+)/g)].map(([, word]) => word!))
      .filter((word) => names.includes(word));
    expect(told.sort()).toEqual(names.toSorted());
  });

  it("is at most 250 lines", () => {
    expect(readme.split("\n").length).toBeLessThanOrEqual(251);
  });
});
