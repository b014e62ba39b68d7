import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { KagurazakaError } from "../../../src/base/errors.js";
import { PendingItem } from "../../../src/contracts/chunk.js";
import type { Outcome } from "../../../src/contracts/outcome.js";
import type { SinkFrame, SinkWriter } from "../../../src/contracts/sink.js";
import { openLedger } from "../../../src/runner/ledger/index.js";
import { Packer } from "../../../src/runner/plan/bulk/packed-chunk.js";
import { openSeenKeys } from "../../../src/runner/plan/bulk/seen-keys.js";
import { Recorder, type RecorderOptions } from "../../../src/runner/record/recorder.js";
import { RunCounters } from "../../../src/runner/record/run-counters.js";
import { useFakeClock } from "../dispatch/fake-session.js";
import { bareLines, header } from "../ledger/header.js";
import { freeDisk, limitDisk } from "../ledger/limited-disk.js";
import { tempDir } from "../temp-dir.js";

useFakeClock();

const itemOf = (key: string, attempt = 1): PendingItem =>
  Object.assign(new PendingItem({ key, json: `{"id":"${key}"}` }, { shard: 0, forced: false }), { attempt });
const frame = (text: string): SinkFrame => ({ sink: "rows", bytes: Buffer.from(text), records: 1 });
const bad = (message = "no good") => ({ status: "failed", durationMs: 2, error: { name: "Error", message } }) as const;

/** A recorder over a real ledger and toys, which notes the order in which they are asked. */
class TestRecorder {
  readonly dir = tempDir();
  readonly steps: string[] = [];
  readonly outcomes: Outcome[] = [];
  readonly stopped: { cause: KagurazakaError; how: string }[] = [];
  readonly counters = new RunCounters();
  readonly ledger = openLedger({ dir: join(this.dir, "ledger"), header: header("r1", 1), durable: false });
  readonly recorder: Recorder;
  /** What fails from now on. */
  readonly fails = { sinks: false, lease: false };

  constructor(more: Partial<RecorderOptions> = {}) {
    const flush = this.ledger.flush.bind(this.ledger);
    this.ledger.flush = () => {
      this.steps.push("ledger");
      flush();
    };
    const sinks: SinkWriter = {
      append: (key, frames) => void this.steps.push(`append ${key} ${frames.map(({ bytes }) => bytes).join("+")}`),
      flush: () => {
        this.steps.push("sinks");
        if (this.fails.sinks) throw new KagurazakaError("environment", "cannot write part-0.parquet");
      },
    };
    this.recorder = new Recorder({
      settings: { maxFailures: undefined },
      index: { segments: [], finishedEpoch: () => -1 },
      book: { current: 0 },
      ledger: this.ledger,
      lease: {
        assertHeld: () => {
          this.steps.push("lease");
          if (this.fails.lease) throw new KagurazakaError("root-in-use", "another run took over");
        },
      },
      sinks,
      hooks: {},
      counters: this.counters,
      isOnlyShard: true,
      stop: (cause, how) => void this.stopped.push({ cause, how }),
      ...more,
    });
  }

  done(...keys: readonly string[]): void {
    for (const key of keys) this.recorder.settled(itemOf(key), { status: "done", durationMs: 1 });
  }

  /** Lines on file, without the header. */
  lines(): Record<string, unknown>[] {
    if (!existsSync(this.ledger.path)) return [];
    const [, ...lines] = bareLines(readFileSync(this.ledger.path, "utf8"));
    return lines.map((line) => JSON.parse(line));
  }

  keys(): unknown[] {
    return this.lines().map(({ k }) => k);
  }

  /** As the run does at its end. */
  async close(): Promise<void> {
    try {
      this.recorder[Symbol.dispose]();
    } finally {
      await this.ledger[Symbol.asyncDispose]();
    }
  }
}

describe("a write", () => {
  test("goes to the sinks, asks the lease, and then goes to the ledger", () => {
    const one = new TestRecorder();
    const frames = [frame("x"), frame("y")];
    one.recorder.settled(itemOf("a"), { status: "done", durationMs: 1, frames });
    one.done("b");
    one.recorder.messageDone();
    expect(one.steps).toEqual(["append a x+y", "sinks", "lease", "ledger"]);
    expect(one.keys()).toEqual(["a", "b"]);
  });

  test("comes at once after a rest, and then every 5 ms at most", async () => {
    const one = new TestRecorder();
    await vi.advanceTimersByTimeAsync(10);
    one.done("a");
    one.recorder.messageDone();
    expect(one.keys()).toEqual(["a"]);
    for (const key of ["b", "c"]) {
      one.done(key);
      one.recorder.messageDone();
    }
    await vi.advanceTimersByTimeAsync(4);
    expect(one.keys()).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(2);
    expect(one.keys()).toEqual(["a", "b", "c"]);
    expect(one.steps.filter((step) => step === "ledger")).toHaveLength(2);
  });

  test("does not wait for the end of a message with more than 256 KB buffered", () => {
    const one = new TestRecorder();
    const key = "k".repeat(1000);
    for (let i = 0; i < 249; i++) one.done(key);
    expect(one.lines()).toEqual([]);
    for (let i = 0; i < 20; i++) one.done(key);
    expect(one.lines().length).toBeGreaterThan(249);
  });

  test("is skipped without outcomes", () => {
    const one = new TestRecorder();
    one.recorder.messageDone();
    one.recorder.write();
    expect([one.steps, existsSync(one.ledger.path)]).toEqual([[], false]);
  });

  test("is reported to its listener, once it is recorded", () => {
    const one = new TestRecorder();
    const told: number[] = [];
    one.done("a");
    one.recorder.messageDone(() => void told.push(one.lines().length));
    expect(told).toEqual([1]);
    // Nothing of the message is of this shard.
    one.recorder.messageDone(() => void told.push(2));
    expect(told).toEqual([1, 2]);
  });
});

describe("a step that fails", () => {
  const failing = {
    sinks: (one: TestRecorder) => (one.fails.sinks = true),
    lease: (one: TestRecorder) => (one.fails.lease = true),
    ledger: () => limitDisk(0),
  };
  const steps = ["sinks", "lease", "ledger"] as const;

  test.each([
    ["sinks", "environment"],
    ["lease", "root-in-use"],
    ["ledger", "environment"],
  ] as const)("%s: nothing after it is written or reported, and the run stops once", async (step, code) => {
    const one = new TestRecorder();
    const onRecorded = vi.fn();
    failing[step](one);
    one.done("a");
    one.recorder.messageDone(onRecorded);
    expect(one.steps).toEqual(steps.slice(0, steps.indexOf(step) + 1));
    one.done("b");
    one.recorder.messageDone(onRecorded);
    one.recorder.write();
    await vi.advanceTimersByTimeAsync(100);
    expect(one.stopped).toEqual([{ cause: expect.objectContaining({ code }), how: "now" }]);
    expect(one.recorder.stopCause).toBe(one.stopped[0]!.cause);
    expect([one.lines(), onRecorded.mock.calls.length]).toEqual([[], 0]);
    // What has happened is counted all the same.
    expect(one.counters.counts).toMatchObject({ done: 2, total: 2 });
  });

  test("what other shards have is told of: a shard that has failed holds up none of it", () => {
    const one = new TestRecorder();
    limitDisk(0);
    const onRecorded = vi.fn();
    one.done("a");
    one.recorder.messageDone(onRecorded);
    expect(onRecorded).toHaveBeenCalledTimes(0);
    one.recorder.messageDone(onRecorded);
    expect(onRecorded).toHaveBeenCalledTimes(1);
    freeDisk();
  });

  test.each(steps)(
    "%s: the last try, at the end, fails without a word, and leaves nothing to be written",
    async (step) => {
      const one = new TestRecorder();
      failing[step](one);
      one.done("a");
      one.recorder.messageDone();
      await one.close();
      expect([one.lines(), one.stopped.length]).toEqual([[], 1]);
    },
  );

  test.each(steps)("%s: for the first time at the end, it is thrown, and nothing is written", async (step) => {
    const one = new TestRecorder();
    one.done("a");
    failing[step](one);
    await expect(one.close()).rejects.toMatchObject({ name: "KagurazakaError" });
    freeDisk();
    expect(one.lines()).toEqual([]);
  });

  test("ledger: unwritten lines are written if the last try succeeds", async () => {
    const one = new TestRecorder();
    const onRecorded = vi.fn();
    limitDisk(0);
    one.done("a");
    one.recorder.messageDone(onRecorded);
    freeDisk();
    one.done("b");
    await one.close();
    expect([one.keys(), onRecorded.mock.calls.length]).toEqual([["a", "b"], 1]);
  });

  test("commit throws it, for callers that cannot go on without", () => {
    const one = new TestRecorder();
    one.fails.lease = true;
    one.done("a");
    expect(() => one.recorder.commit()).toThrow("another run took over");
    expect(one.stopped).toEqual([]);
  });

  test("begin makes no ledger where the lease is lost", async () => {
    const one = new TestRecorder();
    one.fails.lease = true;
    await expect(one.recorder.begin()).rejects.toThrow("another run took over");
    expect(existsSync(one.ledger.path)).toBe(false);
  });
});

describe("what is written down", () => {
  test("of each outcome", async () => {
    const one = new TestRecorder({ hooks: { onOutcome: (outcome) => void one.outcomes.push(outcome) } });
    const { recorder } = one;
    recorder.settled(itemOf("a"), { status: "done", durationMs: 1.23 });
    recorder.settled(itemOf("b", 3), { status: "done", durationMs: 2, value: 7 });
    recorder.settled(itemOf("c"), { status: "filtered", durationMs: 1, reason: "empty" });
    recorder.settled(itemOf("d", 2), bad());
    recorder.settled(itemOf("e", 2), { status: "cancelled", durationMs: 0 });
    recorder.skipped("f", "output exists");
    recorder.refused({ key: "g", item: { odd: true }, error: { name: "E", message: "no key", permanent: true } });
    await one.close();
    expect(one.lines()).toMatchObject([
      { k: "a", s: "done", ms: 1.2 },
      { k: "b", s: "done", n: 3 },
      { k: "c", s: "filtered", reason: "empty" },
      { k: "d", s: "failed", n: 2, class: "Error: no good", item: { id: "d" } },
      { k: "g", s: "failed", n: 0, item: { odd: true } },
    ]);
    expect(one.counters.counts).toEqual({ total: 7, done: 2, skipped: 1, filtered: 1, failed: 2, cancelled: 1 });
    expect(one.outcomes.map(({ key, status, attempts }) => `${key} ${status} ${attempts}`)).toEqual([
      "a done 1",
      "b done 3",
      "c filtered 1",
      "d failed 2",
      "e cancelled 0",
      "f skipped 0",
      "g failed 0",
    ]);
    expect(one.outcomes[1]!.value).toBe(7);
  });

  test("of an item that was done before in this epoch: that it was done again", async () => {
    const finishedEpoch = (key: string) => (key === "a" ? 4 : 3);
    const segments = [{}] as unknown as RecorderOptions["index"]["segments"];
    const one = new TestRecorder({ index: { segments, finishedEpoch }, book: { current: 4 } });
    one.done("a", "b");
    await one.close();
    expect(one.lines()).toMatchObject([{ k: "a", again: 1 }, { k: "b" }]);
    expect(one.lines()[1]).not.toHaveProperty("again");
  });

  test("of packed items, the same as of others", async () => {
    const packer = new Packer(openSeenKeys({ spillDir: tempDir() }), { shard: 0, forced: false });
    const chunk = packer.pack([{ i: 0 }, { i: 1 }], 0)!;
    for (const more of [{}, { hooks: { onOutcome: vi.fn() } }]) {
      const one = new TestRecorder(more);
      one.recorder.done(chunk, 0, 1);
      one.recorder.done(chunk, 1, 2);
      await one.close();
      expect(one.lines()).toEqual([
        { k: chunk.keyAt(0), s: "done", ms: 1 },
        { k: chunk.keyAt(1), s: "done", ms: 2 },
      ]);
      expect(one.counters.counts.done).toBe(2);
    }
  });

  test("of one shard among several is counted for it and for the run", () => {
    const one = new TestRecorder({ isOnlyShard: false });
    one.done("a");
    one.counters.count("done");
    expect([one.recorder.counts.done, one.counters.counts.done]).toEqual([1, 2]);
  });

  test("of the first failure of each class, there and then", () => {
    const onFirstFailure = vi.fn();
    const one = new TestRecorder({ hooks: { onFirstFailure } });
    for (const message of ["status 404", "status 500", "other"]) one.recorder.settled(itemOf(message), bad(message));
    expect(onFirstFailure.mock.calls.map(([name, key]) => `${name} | ${key}`)).toEqual([
      "Error: status # | status 404",
      "Error: other | other",
    ]);
  });
});

describe("too many failures", () => {
  test("let running items settle, and then the run stops", () => {
    const one = new TestRecorder({ settings: { maxFailures: { count: 2 } } });
    for (const key of ["a", "b"]) one.recorder.settled(itemOf(key), bad());
    expect(one.stopped).toEqual([]);
    one.recorder.settled(itemOf("c"), bad());
    expect(one.stopped).toMatchObject([
      { how: "drain", cause: { code: "failure-budget", message: "3 items failed, --max-failures allows 2" } },
    ]);
  });

  test("of one class without a done item: twenty", () => {
    const one = new TestRecorder();
    for (let i = 0; i < 19; i++) one.recorder.settled(itemOf(`${i}`), bad(`no ${i}`));
    expect(one.stopped).toEqual([]);
    one.recorder.settled(itemOf("last"), bad("no 19"));
    expect(one.stopped).toMatchObject([
      { how: "drain", cause: { message: "the first 20 items all failed with Error: no #" } },
    ]);
  });

  test("directories that cannot be listed are not among the twenty", () => {
    const one = new TestRecorder();
    const error = { name: "KagurazakaError", message: "no", code: "unreadable" };
    for (let i = 0; i < 25; i++) one.recorder.refused({ key: `${i}/`, item: {}, error });
    for (let i = 0; i < 19; i++) one.recorder.settled(itemOf(`${i}`), bad(`no ${i}`));
    expect(one.stopped).toEqual([]);
    one.recorder.settled(itemOf("last"), bad("no 19"));
    expect(one.stopped).toMatchObject([{ cause: { code: "failure-budget" } }]);
  });

  test.each([
    ["one was done", (one: TestRecorder) => one.done("x")],
    ["one was skipped", (one: TestRecorder) => one.recorder.skipped("x", "in the ledger")],
    ["they are of two classes", (one: TestRecorder) => one.recorder.settled(itemOf("x"), bad("other"))],
  ])("of the first twenty are not, where %s", (_where, first) => {
    const one = new TestRecorder();
    first(one);
    for (let i = 0; i < 25; i++) one.recorder.settled(itemOf(`${i}`), bad());
    expect(one.stopped).toEqual([]);
  });

  test("as a share count from the thousandth outcome on", () => {
    const one = new TestRecorder({ settings: { maxFailures: { percent: 1 } } });
    for (let i = 0; i < 500; i++) one.recorder.settled(itemOf(`bad${i}`), bad());
    for (let i = 0; i < 499; i++) one.done(`${i}`);
    expect(one.stopped).toEqual([]);
    one.done("last");
    expect(one.stopped).toHaveLength(1);
  });
});
