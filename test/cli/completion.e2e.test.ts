import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../src/cli/command-table.js";
import { scripts } from "../../src/cli/commands/completion.js";
import { suggest } from "../../src/cli/complete.js";
import { toolOptions } from "../../src/config/run-options.js";
import { flagName } from "../../src/config/text/names.js";

const bin = new URL("../../src/bin.cjs", import.meta.url).pathname;
const texts = async (line: string): Promise<string[]> => (await suggest(line.split(" "))).map(({ text }) => text);

describe("what may stand in place of the last word", () => {
  test("first: every command and ready-made task; files, where none fits", async () => {
    const names = Object.keys(commands).map((name) => name.split(" ")[0]);
    expect(await texts("")).toEqual(expect.arrayContaining([...names, "@word-count", "@exec"]));
    expect(await texts("ver")).toEqual(["verify"]);
    expect(await texts("task.t")).toEqual([]);
    expect(await texts("explain KEY @wo")).toEqual(["@word-count"]);
  });
  test("all flags of kagurazaka, and those of command, backbone and ready-made task", async () => {
    expect(await texts("task.ts -")).toEqual(expect.arrayContaining(Object.keys(toolOptions).map(flagName)));
    const lines: [string, string[]][] = [
      ["verify --de", ["--debug-item", "--deep", "--detach"]],
      ["ledger compact --js", ["--json"]],
      ["split in --max", ["--max-files", "--max-size"]],
      ["split in --back", []],
      ["task.ts --num", ["--num-process"]],
      ["task.ts --backbone inline --num", []],
      ["@checksum --alg", ["--algorithm"]],
      ["task.ts --in data --prog", ["--progress"]],
    ];
    for (const [line, found] of lines) expect([line, await texts(line)]).toEqual([line, found]);
  });
  test("the choices of a flag, behind a space or an equals sign", async () => {
    const lines: [string, string[]][] = [
      ["task.ts --progress b", ["bar"]],
      ["task.ts --progress=", ["--progress=auto", "--progress=bar", "--progress=lines", "--progress=none"]],
      ["split in --by ", ["link", "copy", "move"]],
      ["task.ts --backbone ", ["auto", "inline", "mp", "bullmq"]],
      ["task.ts --force ", ["continue", "new"]],
      ["task.ts --cfg @", []],
      ["task.ts --cfg --", []],
      ["verify --list un", ["unrecorded", "unsound", "undecided"]],
    ];
    for (const [line, found] of lines) expect([line, (await texts(line)).sort()]).toEqual([line, found.sort()]);
  });
  test("names behind help, completion and ledger; nothing behind --", async () => {
    expect(await texts("completion ")).toEqual(Object.keys(scripts));
    expect(await texts("help ver")).toEqual(["verify"]);
    expect(await texts("ledger ")).toEqual(["compact"]);
    expect(await texts("@exec -- ver")).toEqual([]);
    expect(await texts("@exec -- --prog")).toEqual([]);
  });
});

describe("the script of", () => {
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-completion-"));
  const has = (shell: string): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0;
  const run = (shell: string, code: string): string => {
    const { stdout, stderr } = spawnSync(shell, ["-c", code], {
      cwd: dir,
      encoding: "utf8",
      env: { ...process.env, PATH: `${dir}/bin:${process.env.PATH}` },
    });
    expect(stderr).toBe("");
    return stdout.trim();
  };
  beforeAll(() => {
    mkdirSync(join(dir, "bin"));
    writeFileSync(join(dir, "bin/kagurazaka"), `#!/bin/sh\nexec ${process.execPath} ${bin} "$@"\n`);
    chmodSync(join(dir, "bin/kagurazaka"), 0o755);
    for (const [shell, script] of Object.entries(scripts)) writeFileSync(join(dir, shell), script);
    writeFileSync(join(dir, "my task.ts"), "");
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test("bash completes what bash hands over, and splits at an equals sign", () => {
    const complete = (...words: string[]): string =>
      run(
        "bash",
        `source <(kagurazaka completion bash); COMP_WORDS=(kagurazaka ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; _kagurazaka; echo "\${COMPREPLY[*]}"`,
      );
    expect(complete("ver")).toBe("verify");
    expect(complete("task.ts", "--progress", "=", "b")).toBe("bar");
    expect(complete("task.ts", "--progress", "=")).toBe("auto bar lines none");
    expect(complete("split", "in", "--by", "")).toBe("link copy move");
    expect(complete("@wo")).toBe("@word-count");
    expect(complete("my ta")).toBe("");
  });
  test.skipIf(!has("zsh"))("zsh is read by zsh, and completes (skipped where there is no zsh)", () => {
    expect(run("zsh", "zsh -n zsh && echo fine")).toBe("fine");
    const code = `compdef() { :; }; _files() { echo files; }; _describe() { print -l -- "\${found[@]}"; }; source ./zsh`;
    const complete = (line: string): string =>
      run("zsh", `${code}; words=(kagurazaka ${line}); CURRENT=\${#words}; _kagurazaka`);
    expect(complete("ver")).toBe("verify:compare outputs with the ledger");
    expect(complete("task.ts --progress=b")).toBe("--progress=bar:");
    expect(complete('explain ""')).toBe("files");
  });
  test.skipIf(!has("fish"))("fish is read by fish, and completes (skipped where there is no fish)", () => {
    expect(run("fish", "fish -n fish; and echo fine")).toBe("fine");
    const complete = (line: string): string => run("fish", `source ./fish; complete -C '${line}'`);
    expect(complete("kagurazaka ver")).toBe("verify\tcompare outputs with the ledger");
    expect(complete("kagurazaka task.ts --progress b")).toBe("bar");
    expect(complete("kagurazaka my")).toContain("task.ts");
  });
});
