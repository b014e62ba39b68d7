import { describe, expect, test } from "vitest";
import type { SampleItem } from "../../src/testing/sample-task.js";
import { counts, createPlace, sampleTask, taskFile } from "./kagurazaka.js";

/** What is said, and on which stream. */
const inline = ["--backbone", "inline"];
const fields = ["run", "task", "backbone", "counts", "elapsedMs", "itemsPerSecond", "outputRoot", "runDir", "exitCode"];
const talk: SampleItem[] = [
  { id: "a", act: "print", message: "hello from a" },
  { id: "b", act: "log", message: "mind the gap" },
  { id: "c", act: "print", message: "hello from c" },
  { id: "d", act: "permanent", message: "d is no good" },
];

describe.concurrent("--json", () => {
  for (const backbone of ["inline", "mp"]) {
    test(`is exactly one object with exactly these fields, whatever the task prints (${backbone})`, async () => {
      const place = createPlace();
      const { stdout, stderr, json, code } = await place.sample(talk, ["--backbone", backbone]);
      expect(stdout.endsWith("}\n")).toBe(true);
      expect(stdout.trimEnd()).not.toContain("\n");
      expect(Object.keys(json)).toEqual(fields);
      expect(json).toMatchObject({
        task: "sample",
        backbone,
        counts: counts({ done: 3, failed: 1 }),
        outputRoot: null,
        exitCode: 3,
      });
      expect(Object.keys(json.counts)).toEqual(["total", "done", "skipped", "filtered", "failed", "cancelled"]);
      expect(code).toBe(3);
      expect(json.runDir).toBe(place.path(".kagurazaka/sample/runs", json.run));
      for (const line of ["a | hello from a", "c | hello from c", 'b | warn mind the gap {"id":"b"}'])
        expect(stderr).toContain(line);
      expect(stderr.match(/hello from a/g), "stdout and stderr of the task").toHaveLength(2);
      const log = place
        .read(`.kagurazaka/sample/runs/${json.run}/log.jsonl`)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(log).toContainEqual(
        expect.objectContaining({
          event: "log",
          key: "b",
          level: "warn",
          message: "mind the gap",
          fields: { id: "b" },
        }),
      );
    });
  }

  test("is there too when nothing was to do, when a run stopped early, and not for bad input", async () => {
    const place = createPlace();
    expect((await place.sample([], inline)).json).toMatchObject({
      counts: counts({}),
      elapsedMs: 0,
      itemsPerSecond: 0,
      exitCode: 0,
    });
    expect((await place.sample(talk, [...inline, "--setup", "throw"])).json).toMatchObject({ exitCode: 7 });
    expect((await place.sample(talk, [...inline, "--limit", "x"])).stdout).toBe("");
  });

  test("counts.total is the sum of the others, elapsedMs runs from the first item listed to the last recorded", async () => {
    const { json } = await createPlace().sample([{ id: "a", act: "wait", ms: 300 }], inline);
    expect(json.counts.total).toBe(1);
    expect(json.elapsedMs).toBeGreaterThanOrEqual(295);
    expect(json.elapsedMs).toBeLessThan(1500);
  });
});

describe.concurrent("stderr", () => {
  test("without --json says what ran and how it went; stdout stays empty", async () => {
    const place = createPlace({ "in/a.txt": "a", "in/b.txt": "bad", "out/.keep": "" });
    const { stdout, stderr, code } = await place.run([
      taskFile("files.ts"),
      "Shout",
      "--mixin",
      "hard_shard_mode.input_path=in",
      "hard_shard_mode.output_path=out",
      "--retries",
      "0",
      ...inline,
    ]);
    expect(stdout).toBe("");
    expect(code).toBe(3);
    for (const part of [
      /task +Shout .*files\.ts/,
      /backbone +inline, 1 worker/,
      /input +in\n/,
      /output +out\n/,
      /done +1\n/,
      /failed +1\n/,
      /time +/,
      /cannot shout bad/,
    ])
      expect(stderr).toMatch(part);
    expect(stderr).toMatch(/files\.ts:\d+:\d+/);
    expect(stderr, "no colour unless requested").not.toMatch(/\x1b\[/);
  });

  test("--progress none and lines print no bar; a short run prints no line", async () => {
    for (const progress of ["none", "lines"]) {
      const { stderr } = await createPlace().sample(
        [{ id: "a", act: "wait", ms: 50 }],
        [...inline, "--progress", progress],
      );
      expect(stderr).not.toMatch(/in flight/);
      expect(stderr).toMatch(/done +1/);
    }
  });

  test("--progress bar draws where it is asked to", async () => {
    const { stderr } = await createPlace().sample(
      [{ id: "a", act: "wait", ms: 400 }],
      [...inline, "--progress", "bar"],
    );
    expect(stderr).toMatch(/done +1/);
  });

  test("--log-format json is one object a line", async () => {
    const { stderr } = await createPlace().sample(talk, [...inline, "--log-format", "json"]);
    const events = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const event of events) expect(Object.keys(event).slice(0, 3)).toEqual(["ts", "level", "event"]);
    expect(events).toContainEqual(expect.objectContaining({ event: "log", key: "b", message: "mind the gap" }));
    expect(events).toContainEqual(expect.objectContaining({ event: "failed", key: "d", level: "error" }));
    expect(events).toContainEqual(expect.objectContaining({ event: "print", key: "a" }));
  });

  test("control characters of names and messages are escaped", async () => {
    const { stderr } = await createPlace().sample(
      [{ id: "evil\x1b[2Jname", act: "permanent", message: "bell\x07\x1b]0;title\x07" }],
      inline,
    );
    expect(stderr).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f]/);
    expect(stderr).toContain("evil\\x1b[2Jname");
  });
});

describe.concurrent("--show-config", () => {
  test("prints every value with where it was said, keeps references and hides secrets, and runs nothing", async () => {
    const place = createPlace({
      "in/a.txt": "a",
      "base.yaml":
        'task:\n  retries: 5\nmixin:\n  hard_shard_mode:\n    input_path: "${oc.env:KAGURAZAKA_TEST_ROOT}"\n    output_path: out\n',
    });
    const before = place.everything();
    const { stdout, code } = await place.run(
      [taskFile("files.ts"), "Shout", "--cfg", "base.yaml", "--show-config", "--limit", "3"],
      { KAGURAZAKA_TEST_ROOT: "in" },
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/run\.retries = 5 +# base\.yaml:2:12/);
    expect(stdout).toMatch(/run\.limit = "?3"? +# --limit/);
    expect(stdout).toMatch(/run\.grace = .* # default/);
    expect(stdout).toMatch(
      /mixin\.hard_shard_mode\.input_path = "\$\{oc\.env:KAGURAZAKA_TEST_ROOT\}" +# base\.yaml:5:17/,
    );
    expect(stdout).toMatch(/mixin\.output_mode\.ext = "\.up" +# /);
    expect(place.everything()).toEqual(before);
  });
});

describe.concurrent("help", () => {
  test("-hk, -hb, -h and --version print their page and exit 0", async () => {
    const place = createPlace();
    const pages = [
      [["-hk"], /--max-failures <N\|P%\|none>/],
      [["-hb", "--backbone", "mp"], /--num[-_]process <N\|50%\|auto>/],
      [["-h", sampleTask], /--journal <STRING>/],
      [["-h", taskFile("files.ts"), "Shout"], /hard_shard_mode\.input_path +"\?\?\?"/],
      [["--version"], /^\d+\.\d+\.\d+\n$/],
    ] as const;
    for (const [args, says] of pages) {
      const { code, stdout, stderr } = await place.run(args);
      expect(stdout, stderr).toMatch(says);
      expect(code).toBe(0);
    }
    const { code, stdout } = await place.run([]);
    expect([code, stdout.startsWith("Usage: kagurazaka")]).toEqual([2, true]);
    expect(place.everything()).toEqual([]);
  });
});
