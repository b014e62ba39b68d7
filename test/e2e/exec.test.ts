import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { counts, createPlace, type Ended, type Place, until } from "./kagurazaka.js";

/** `@exec`: real programs, once per item. */
const exec = (place: Place, flags: readonly string[], command: readonly string[]): Promise<Ended> =>
  place.run(["@exec", "--json", ...flags, "--", ...command]);
const inOut = ["--in", "in", "--out", "out"];
const once = ["--retries", "0"];
const records = (place: Place, rows: readonly unknown[]): string[] => {
  place.write({ "rows.jsonl": rows.map((row) => `${JSON.stringify(row)}\n`).join("") });
  return ["--mixin", "input_mode={use: InputFromWhateverJsonl, jsonl_path: rows.jsonl, key_field: id}"];
};
/** The lines of failed.jsonl, wherever the run kept it. */
function failures(place: Place, { json }: Ended): Record<string, unknown>[] {
  const file = join(place.dir, json.runDir.startsWith("/") ? "" : ".", json.runDir);
  const path = [json.runDir, file].map((dir) => join(dir, "../../failed.jsonl")).find((one) => existsSync(one))!;
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
const isAlive = (pid: number): boolean => {
  const state = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
  return state !== "" && !state.startsWith("Z");
};
const texts = { "in/a.txt": "one\n", "in/sub/b c.txt": "two words\n" };

describe.concurrent("a program per file", () => {
  test("what it prints is shown with its item's key, never on stdout; finished items are skipped", async () => {
    const place = createPlace(texts);
    const first = await exec(place, ["--in", "in"], ["wc", "-w", "{input.path}"]);
    expect(first.json.counts, first.stderr).toEqual(counts({ done: 2 }));
    expect(first.stderr).toMatch(/^a\.txt \| 1 .*\/in\/a\.txt$/m);
    expect(first.stderr).toMatch(/^sub\/b c\.txt \| 2 .*\/in\/sub\/b c\.txt$/m);
    expect((await exec(place, ["--in", "in"], ["wc", "-w", "{input.path}"])).json.counts).toEqual(
      counts({ skipped: 2 }),
    );
    expect((await exec(place, ["--in", "in"], ["wc", "-l", "{}"])).json.counts, "another command").toEqual(
      counts({ done: 2 }),
    );
    expect((await exec(place, ["--in", "in/sub"], ["wc", "-l", "{}"])).json.counts, "another directory").toEqual(
      counts({ done: 1 }),
    );
  });

  test("its failures are found by the command of the run, though a flag's value is a directory", async () => {
    const place = createPlace({ "in2/a.txt": "a" });
    const words = ["--in", "in2", "--out", "o9", "@exec", "--", "false"];
    expect((await place.run(words)).code).toBe(3);
    const { code, stdout, stderr } = await place.run(["failures", ...words]);
    expect([code, stdout], stderr).toEqual([0, expect.stringMatching(/1 failed, in 1 class/)]);
    expect((await place.run(["failures", "--json", "o9/.kagurazaka/exec"])).json).toMatchObject({ failed: 1 });
  });

  test("it has the environment of the user: our own size of the thread pool is not in it", async () => {
    const place = createPlace({ "in/a.txt": "a" });
    const words = ["sh", "-c", 'echo "[$UV_THREADPOOL_SIZE$KAGURAZAKA_THREADPOOL_SIZE]"', "sh", "{}"];
    expect((await exec(place, ["--in", "in"], words)).stderr).toMatch(/^a\.txt \| \[\]$/m);
    const said = await place.run(["@exec", "--in", "in", "--force", "--", ...words], { UV_THREADPOOL_SIZE: "7" });
    expect(said.stderr).toMatch(/^a\.txt \| \[7\]$/m);
  });

  test("standard output becomes the output file, byte for byte; an output that is deleted is made again", async () => {
    const bytes = randomBytes(3_000_000);
    const place = createPlace({ ...texts, "in/big.bin": bytes });
    const run = () => exec(place, [...inOut, "--mixin", "output_mode.ext=.gz"], ["gzip", "-c", "{}"]);
    const made = await run();
    expect(made.json.counts, made.stderr).toEqual(counts({ done: 3 }));
    expect(Object.keys(place.files("out"))).toEqual(["a.gz", "big.gz", "sub/b c.gz"]);
    expect(gunzipSync(readFileSync(place.path("out/big.gz"))).equals(bytes)).toBe(true);
    spawnSync("rm", [place.path("out/a.gz")]);
    expect((await run()).json.counts).toEqual(counts({ done: 1, skipped: 2 }));
    const plain = createPlace({ "in/big.bin": bytes });
    await exec(plain, [...inOut, "--stdin", "input", "--stdout-to", "output"], ["cat"]);
    expect(readFileSync(plain.path("out/big.bin")).equals(bytes)).toBe(true);
  });

  test("or it writes the output itself; what it then prints is shown", async () => {
    const place = createPlace(texts);
    const { json, stderr } = await exec(place, inOut, ["cp", "-v", "{}", "{output.path}"]);
    expect(json.counts, stderr).toEqual(counts({ done: 2 }));
    expect(place.files("out")).toEqual({ "a.txt": "one\n", "sub/b c.txt": "two words\n" });
    expect(stderr).toMatch(/^a\.txt \| .*in\/a\.txt.* -> .*staging.*\/a\.txt/m);
  });

  test("gets every placeholder where it stands, empty words and braces of other languages as they are", async () => {
    const place = createPlace({ "in/sub/b c.tar.gz": "" });
    const words = [
      "{}",
      "{input.rel_dir}",
      "{input.file_name}",
      "{stem}+{ext}",
      "{key}#{attempt}",
      "{.}",
      "{/}",
      "{//}",
      "{/.}",
      "",
      "{{stem}}",
      "{print $1}",
      "{output.final_path}",
    ];
    const { json, stderr } = await exec(place, [...inOut, "--stdout-to", "output"], ["printf", "[%s]", ...words]);
    expect(json.counts, stderr).toEqual(counts({ done: 1 }));
    const [path, dir] = [place.path("in/sub/b c.tar.gz"), place.path("in/sub")];
    const filled = [
      path,
      "sub",
      "b c.tar.gz",
      "b c.tar+.gz",
      "sub/b c.tar.gz#1",
      `${dir}/b c.tar`,
      "b c.tar.gz",
      dir,
      "b c.tar",
      "",
      "{stem}",
      "{print $1}",
      place.path("out/sub/b c.tar.gz"),
    ];
    expect(place.read("out/sub/b c.tar.gz")).toBe(filled.map((word) => `[${word}]`).join(""));
  });

  test("names are never interpreted: spaces, quotes, newlines, leading dashes, wildcards, $(…)", async () => {
    const names = [
      "a b",
      "-rf",
      "--help",
      "it's",
      'say "hi"',
      "new\nline",
      "$(touch pwned)",
      "`touch pwned`",
      "; touch pwned",
      "*",
      "~",
      "back\\slash",
      "größe 😀",
      "{stem}",
      "%s",
      "a&b|c>d",
    ];
    const place = createPlace(
      Object.fromEntries(names.map((name, i) => [`in/${i % 2 ? "sub dir/" : ""}${name}`, `of ${name}`])),
    );
    const { json, stderr } = await exec(place, inOut, ["cp", "{}", "{output.path}"]);
    expect(json.counts, stderr).toEqual(counts({ done: names.length }));
    expect(place.files("out")).toEqual(place.files("in"));
    expect(place.everything().filter((name) => name.endsWith("pwned") && !name.includes("touch"))).toEqual([]);
  });

  test("runs in a directory of its own with --cwd {tmp}, which is gone afterwards", async () => {
    const place = createPlace(texts);
    const script = 'ls -A; echo "$1" > mine; pwd';
    const { json, stderr } = await exec(place, [...inOut, "--cwd", "{tmp}"], ["sh", "-c", script, "sh", "{key}"]);
    expect(json.counts, stderr).toEqual(counts({ done: 2 }));
    for (const dir of Object.values(place.files("out"))) {
      expect(dir).toMatch(/^\/.*\.tmp\n$/);
      expect(existsSync(dir.trim())).toBe(false);
    }
  });
});

describe.concurrent("a program per record", () => {
  test("gets the record's fields, and a field it lacks fails the item once, naming those it has", async () => {
    const place = createPlace();
    const rows = [
      { id: "x", text: "$(touch pwned) 'a b'", n: 3 },
      { id: "y", n: 4 },
      { id: "z", text: "", n: 5 },
    ];
    const flags = ["--out", "out", ...records(place, rows), "output_mode.pattern={key}.txt"];
    const ended = await exec(place, flags, ["printf", "<%s>", "{text}", "{n}"]);
    expect(ended.json.counts, ended.stderr).toEqual(counts({ done: 2, failed: 1 }));
    expect(place.files("out")).toEqual({ "x.txt": "<$(touch pwned) 'a b'><3>", "z.txt": "<><5>" });
    expect(failures(place, ended)).toMatchObject([
      { key: "y", attempts: 1, message: "{text} is nothing in this item, which has {id}, {n}, {output.path}" },
    ]);
    expect(existsSync(place.path("pwned"))).toBe(false);
  });

  test("a field of any name is filled in; one that is nearly right fails; other braces and scripts stay as they are", async () => {
    const place = createPlace();
    const list = records(place, [{ id: "x", "First Name": "Zoë", "a-b c": 7, "print $1": "no" }]);
    const said = async (...command: string[]): Promise<Ended> => exec(place, [...once, ...list], command);
    const filled = await said("echo", "{First Name}", "{a-b c}/{First Name}", "{{First Name}}", "{no such}", "{id}");
    expect(filled.stderr).toMatch(/^x \| Zoë 7\/Zoë \{\{First Name\}\} \{no such\} x$/m);
    const near = await said("echo", "{first_name }", "{id}");
    expect(near.json.counts).toEqual(counts({ failed: 1 }));
    expect(near.stderr).toMatch(/\{first_name \} is no field of this item\. Did you mean \{First Name\}\?/);
    const script = await said("sh", "-c", "echo '{First Name}' \"$1\"", "sh", "{id}");
    expect(script.stderr).toMatch(/^x \| \{First Name\} x$/m);
    const awk = await said("awk", "{print $1}", "{id}");
    expect(awk.stderr).not.toMatch(/no x/);
  });

  test("where no word names the item, it comes on standard input: a file, a line, a record", async () => {
    const place = createPlace({ "in/a.txt": "of the file\n", "list.txt": "of the list\n" });
    const list = records(place, [{ id: "x", n: [1, null] }]);
    for (const [flags, said] of [
      [["--in", "in"], "a.txt | of the file"],
      [["--lines", "list.txt", "--mixin", "input_mode.as=text"], "| of the list"],
      [list, 'x | {"id":"x","n":[1,null]}'],
    ] as const) {
      const { stderr, json } = await exec(place, flags, ["cat"]);
      expect(json.counts, stderr).toEqual(counts({ done: 1 }));
      expect(stderr).toContain(`${said}\n`);
    }
    const none = await exec(place, ["--in", "in", "--stdin", "none"], ["wc", "-c"]);
    expect(none.stderr).toMatch(/^a\.txt \| 0$/m);
    const named = await exec(place, ["--in", "in"], ["sh", "-c", 'cat; basename "$1"', "sh", "{}"]);
    expect(named.stderr).toMatch(/^a\.txt \| a\.txt$/m);
    expect(named.stderr).not.toContain("of the file");
  });
});

describe.concurrent("a program that fails", () => {
  const sh = (script: string): string[] => ["sh", "-c", script, "sh", "{key}"];

  test("is told apart by its exit code or signal, with the end of what it said on standard error", async () => {
    const place = createPlace({ "in/3": "", "in/4": "", "in/5": "", "in/segv": "" });
    const script = 'printf "\\033[31mbad %s\\n" "$1" >&2; case $1 in segv) kill -SEGV $$ ;; *) exit "$1" ;; esac';
    const ended = await exec(place, ["--in", "in", ...once], sh(script));
    expect([ended.code, ended.json.counts]).toEqual([3, counts({ failed: 4 })]);
    const failed = failures(place, ended).sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1));
    expect(failed.map(({ key, message, class: name, stack }) => [key, message, name, stack])).toEqual([
      ["3", "sh: exit code 3", "exit-3: sh: exit code #", "sh: exit code 3\n\x1b[31mbad 3"],
      ["4", "sh: exit code 4", "exit-4: sh: exit code #", "sh: exit code 4\n\x1b[31mbad 4"],
      ["5", "sh: exit code 5", "exit-5: sh: exit code #", "sh: exit code 5\n\x1b[31mbad 5"],
      ["segv", "sh: killed by SIGSEGV", "SIGSEGV: sh: killed by SIGSEGV", "sh: killed by SIGSEGV\n\x1b[31mbad segv"],
    ]);
    expect(ended.stderr).toContain("\\x1b[31mbad 3");
    expect(ended.stderr).not.toContain("\x1b[31mbad");
    expect(ended.stderr).toMatch(/kagurazaka @exec --json --in in --retries 0 --retry-failed -- sh -c/);
  });

  test("keeps the last 4 KB of 64 KB and of 5 MB, and standard output that was written is not published", async () => {
    const place = createPlace({ "in/65536": "", "in/5000000": "" });
    const script = 'echo half; head -c "$1" /dev/zero | sed "s/\\x00/é/g" >&2; echo >&2; echo "the end" >&2; exit 9';
    const ended = await exec(place, [...inOut, ...once], sh(script));
    for (const { stack } of failures(place, ended)) {
      expect(String(stack)).toMatch(/^sh: exit code 9\n[^\n]+\nthe end$/);
      expect(Buffer.byteLength(String(stack))).toBeGreaterThan(4000);
      expect(Buffer.byteLength(String(stack))).toBeLessThan(4200);
    }
    expect(place.files("out")).toEqual({});
  });

  test("succeeds with --ok-codes, and is not tried again with --permanent-codes", async () => {
    const place = createPlace({ "in/0": "", "in/1": "", "in/2": "", "in/3": "" });
    const ended = await exec(
      place,
      ["--in", "in", "--ok-codes", "0,1", "--permanent-codes", "2", "--backoff", "1ms:2ms"],
      sh('echo "try of $1" >&2; exit "$1"'),
    );
    expect(ended.json.counts, ended.stderr).toEqual(counts({ done: 2, failed: 2 }));
    // Two run at once, and end in any order.
    const attempts = failures(place, ended).map(({ key, attempts }) => [key, attempts] as const);
    expect(attempts.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))).toEqual([
      ["2", 1],
      ["3", 3],
    ]);
    expect(ended.stderr).toContain("0 | try of 0");
    const quiet = createPlace({ "in/0": "", "in/7": "" });
    const { stderr } = await exec(
      quiet,
      ["--in", "in", "--stderr", "none", ...once],
      sh('echo "try of $1" >&2; exit "$1"'),
    );
    expect(stderr).not.toContain("try of 0");
    expect(stderr).toContain("try of 7");
  });

  test("is what --retry-failed runs again, and nothing else", async () => {
    const place = createPlace({ "in/a": "", "in/b": "" });
    const command = sh('test "$1" = a || test -e mended');
    expect((await exec(place, ["--in", "in", ...once], command)).json.counts).toEqual(counts({ done: 1, failed: 1 }));
    place.write({ mended: "" });
    expect((await exec(place, ["--in", "in", "--retry-failed"], command)).json.counts).toEqual(counts({ done: 1 }));
    expect((await exec(place, ["--in", "in"], command)).json.counts).toEqual(counts({ skipped: 2 }));
  });

  test("shows the end of much standard output, and what one item said is never another's", async () => {
    const place = createPlace({ "in/1": "", "in/2": "", "in/3": "", "in/4": "" });
    const script =
      'if [ "$1" = 1 ]; then head -c 200000 /dev/zero | tr "\\0" x; echo; fi; echo "out of $1"; echo "err of $1" >&2; exit $(($1 == 3))';
    const { stderr } = await exec(place, ["--in", "in", "--concurrency", "1", ...once], sh(script));
    expect(stderr).toMatch(/^1 \| … \(\d+ bytes before\)$/m);
    for (const key of ["1", "2", "4"]) {
      expect(stderr.match(new RegExp(`^${key} \\| out of ${key}$`, "gm"))).toHaveLength(1);
      expect(stderr.match(new RegExp(`^${key} \\| err of ${key}$`, "gm"))).toHaveLength(1);
    }
    expect(stderr.match(/(?:out|err) of \d/g)).toHaveLength(8);
  });
});

describe.concurrent("a program that lasts too long", () => {
  test("is asked to end, then killed with its children, though they ignore SIGTERM; the others go on", async () => {
    const place = createPlace({ "in/good": "", "in/stubborn": "", "in/polite": "" });
    const script = `case $1 in
      stubborn) trap '' TERM; (trap '' TERM; echo $$ > child; sleep 600; sleep 600) & sleep 600; sleep 600 ;;
      polite) trap 'echo cleaned > cleaned; exit 1' TERM; sleep 600 & wait ;;
    esac`;
    const flags = ["--in", "in", "--timeout", "2s", "--concurrency", "3", ...once];
    const ended = await exec(place, flags, ["sh", "-c", `echo $$ > "pid-$1"; ${script}`, "sh", "{key}"]);
    expect(ended.json.counts, ended.stderr).toEqual(counts({ done: 1, failed: 2 }));
    expect(failures(place, ended).map(({ key, class: name }) => [key, String(name).split(":")[0]])).toEqual([
      ["polite", "timeout"],
      ["stubborn", "timeout"],
    ]);
    expect(place.read("cleaned")).toBe("cleaned\n");
    for (const file of ["pid-stubborn", "child", "pid-polite"])
      await until(`${file} is gone`, () => !isAlive(Number(place.read(file))));
    expect(ended.stderr, "its worker lives on").not.toMatch(/replaced/);
  });
});

describe.concurrent("what happens to the run", () => {
  test("kill -9 of it, then the same command: every output is there once, none half-written", async () => {
    const names = Array.from({ length: 40 }, (_, i) => `f${i}`);
    const place = createPlace(Object.fromEntries(names.map((name) => [`in/${name}`, `${name}\n`])));
    const words = [
      "@exec",
      "--json",
      ...inOut,
      "--stdout-to",
      "output",
      "--",
      "sh",
      "-c",
      'echo "$1" >> started; head -c 1 "$2"; sleep 0.05; tail -c +2 "$2"',
      "sh",
      "{key}",
      "{}",
    ];
    const running = place.start(words);
    await until("ten outputs", () => existsSync(place.path("out")) && Object.keys(place.files("out")).length >= 10);
    running.child.kill("SIGKILL");
    await running.ended;
    for (const [name, text] of Object.entries(place.files("out"))) expect(text).toBe(`${name}\n`);
    const { json, stderr } = await place.run(words);
    expect(json.counts.done + json.counts.skipped, stderr).toBe(40);
    expect(json.counts.skipped).toBeGreaterThanOrEqual(10);
    expect(place.files("out")).toEqual(place.files("in"));
    const startedTwice = place.read("started").trim().split("\n").length - 40;
    expect(startedTwice, "no more than were in flight").toBeLessThanOrEqual(4);
  });

  test("one Ctrl-C lets programs finish, a second ends them", async () => {
    const place = createPlace({ "in/a": "" });
    const script = 'echo $$ > pid; sleep "$1"; echo finished > finished';
    const patient = place.start(["@exec", "--json", "--in", "in", "--", "sh", "-c", script, "sh", "1.5"]);
    await until("it runs", () => existsSync(place.path("pid")));
    patient.child.kill("SIGINT");
    expect((await patient.ended).code).toBe(130);
    expect(place.read("finished")).toBe("finished\n");
    spawnSync("rm", [place.path("pid"), place.path("finished")]);
    const hasty = place.start(["@exec", "--json", "--in", "in", "--", "sh", "-c", script, "sh", "600"]);
    await until("it runs", () => existsSync(place.path("pid")) && place.read("pid") !== "");
    hasty.child.kill("SIGINT");
    await hasty.says("once more to end now");
    hasty.child.kill("SIGINT");
    expect((await hasty.ended).code).toBe(130);
    await until("it is gone", () => !isAlive(Number(place.read("pid"))));
    expect(existsSync(place.path("finished"))).toBe(false);
  });

  test("sixteen sleep at once where sixteen are asked for, in one worker; --show-config says whose default that is", async () => {
    const place = createPlace(Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`in/${i}`, ""])));
    const { json, stderr } = await exec(place, ["--in", "in", "--concurrency", "16"], ["sleep", "1"]);
    expect(json.counts, stderr).toEqual(counts({ done: 16 }));
    expect(json.elapsedMs).toBeLessThan(12_000);
    expect(stderr).toMatch(/mp, 1 worker, 16 items at once/);
    const { stdout } = await exec(place, ["--in", "in", "--show-config"], ["sleep", "1"]);
    expect(stdout).toMatch(/^run\.concurrency = \d+ +# task$/m);
    expect(stdout).toMatch(/^backbone\.num_process = 1 +# task$/m);
    expect(stdout).toMatch(/^mixin\.hard_shard_mode\.input_path = "in" +# --in$/m);
    const inline = await exec(place, ["--in", "in", "--backbone", "inline"], ["true"]);
    expect(inline.json.counts, inline.stderr).toEqual(counts({ done: 16 }));
  });

  test("--dry-run and --debug-item take the words behind -- as the command", async () => {
    const place = createPlace(texts);
    const dry = await place.run(["@exec", ...inOut, "--dry-run", "--", "cp", "{}", "{output.path}"]);
    expect(dry.stdout).toMatch(/would run +2\n[\s\S]*a\.txt → out\/a\.txt/);
    expect(existsSync(place.path("out"))).toBe(false);
    const one = await place.run([
      "@exec",
      "--json",
      ...inOut,
      "--debug-item",
      "a.txt",
      "--",
      "cp",
      "{}",
      "{output.path}",
    ]);
    expect(one.json.counts, one.stderr).toEqual(counts({ done: 1 }));
    expect(place.files("out")).toEqual({ "a.txt": "one\n" });
  });
});

describe.concurrent("refused before anything runs", () => {
  const cases: readonly (readonly [string, string[], string[], RegExp])[] = [
    ["no command", [], [], /no command was given[\s\S]*kagurazaka @exec --in in -- wc -l \{\}/],
    ["a program that is not there", [], ["gzpi", "{}"], /there is no program "gzpi" in PATH\. Did you mean "gzip"\?/],
    ["a path that is no program", [], ["./in/a.txt"], /the program \.\/in\/a\.txt is not executable/],
    ["one word for a whole command", [], ["wc -l {}"], /"wc -l \{\}" is one word, and no program is called that/],
    [
      "an unknown placeholder",
      [],
      ["wc", "{input.pth}"],
      /no placeholder \{input\.pth\}\. Did you mean "input\.path"\?/,
    ],
    [
      "an output without --out",
      [],
      ["cp", "{}", "{output.path}"],
      /\{output\.path\} needs an output directory[\s\S]*Say --out DIR/,
    ],
    [
      "--stdout-to output without --out",
      ["--stdout-to", "output"],
      ["cat", "{}"],
      /needs one output file for each item/,
    ],
    [
      "names of outputs without --out",
      ["--mixin", "output_mode.ext=.gz"],
      ["cat", "{}"],
      /output_mode\.ext names outputs, but there is no output path/,
    ],
    [
      "outputs that nothing writes",
      ["--out", "out", "--stdout-to", "log"],
      ["cat", "{}"],
      /nothing would write the outputs/,
    ],
    [
      "a script with a name in it",
      [],
      ["sh", "-c", "wc {}"],
      /inside the script of sh -c[\s\S]*sh -c '… "\$1" …' sh \{\}/,
    ],
    ["a wait that would cost the worker", ["--kill-after", "5s"], ["true"], /kill_after must be a duration/],
    ["a misspelt flag", ["--stdout", "log"], ["true"], /unknown flag --stdout/],
    ["lines of files", ["--stdin", "line"], ["cat"], /--stdin line: these items are files/],
  ];
  for (const [title, flags, command, says] of cases) {
    test(title, async () => {
      const place = createPlace({ "in/a.txt": "a" });
      const before = place.everything();
      const { code, stderr } = await place.run([
        "@exec",
        "--in",
        "in",
        ...flags,
        ...(command.length > 0 ? ["--", ...command] : []),
      ]);
      expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
      expect(place.everything()).toEqual(before);
    });
  }

  test("integers beyond 2^53 are those of the list: as keys, words and JSON, and when they are tried again", async () => {
    const ids = ["9007199254740992", "9007199254740993", "-1161888007138312193"];
    const place = createPlace({ "rows.jsonl": ids.map((id) => `{"id": ${id}, "in": [${id}]}\n`).join("") });
    const list = ["--mixin", "input_mode={use: InputFromWhateverJsonl, jsonl_path: rows.jsonl, key_field: id}"];
    const command = ["sh", "-c", 'echo "$1"; test -e mended', "sh", "{id}"];
    const first = await exec(place, [...once, ...list], command);
    expect(first.json.counts, first.stderr).toEqual(counts({ failed: 3 }));
    place.write({ mended: "" });
    const again = await exec(place, [...list, "--retry-failed"], command);
    expect(again.json.counts, again.stderr).toEqual(counts({ done: 3 }));
    const piped = await exec(place, list, ["cat"]);
    for (const id of ids) {
      for (const { stderr } of [first, again]) expect(stderr).toContain(`\n${id} | ${id}\n`);
      expect(piped.stderr).toContain(`\n${id} | {"id":${id},"in":[${id}]}\n`);
    }
  });

  test("no input at all; a field that only an item can tell fails there", async () => {
    const place = createPlace();
    const none = await place.run(["@exec", "--", "true"]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/--in DIR/)]);
  });

  test("a program of one's own by its path, relative to --cwd", async () => {
    const place = createPlace({ "in/a": "", "tools/mine": "#!/bin/sh\necho mine\n" });
    chmodSync(place.path("tools/mine"), 0o755);
    const { json, stderr } = await exec(place, ["--in", "in", "--cwd", "tools"], ["./mine"]);
    expect(json.counts, stderr).toEqual(counts({ done: 1 }));
    expect(stderr).toContain("a | mine");
  });
});

describe.concurrent("files of the run", () => {
  test("what programs print leaves nothing in the temporary directory", async () => {
    const place = createPlace(texts);
    mkdirSync(place.path("tmp"));
    writeFileSync(place.path("tmp/other"), "");
    const { json } = await place.run(["@exec", "--json", "--in", "in", "--", "ls", "tmp"], {
      TMPDIR: place.path("tmp"),
    });
    expect(json.counts).toEqual(counts({ done: 2 }));
    expect(readdirSync(place.path("tmp")).filter((name) => name.startsWith("kagurazaka-exec"))).toEqual([]);
  });
});
