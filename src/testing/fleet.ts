import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type FleetBackbone, isFleetBackbone } from "../contracts/backbone.js";
import { loadBackbone } from "../runner/prepare/find-backbone.js";
import { assertAgree, assertDescribed, assertDrained, assertUnfit, countOf, DESCRIBED, until } from "./assertions.js";
import type { FleetProcess } from "./fleet-process.js";
import { casesOf, type It } from "./it.js";
import { good, keysOf, mixture, payloads } from "./sample-items.js";
import { journalOf, runSampleIn, type SampleRun, type SampleRunRequest, type SampleSpec } from "./sample-run.js";
import type { SampleEvent, SampleItem } from "./sample-task.js";
import { withDirectory } from "./temporary.js";

export interface FleetSuite {
  readonly it: It;
  /** The backbone's module, as `--backbone` takes it: a path or a package. Nodes load it in processes of their own. */
  readonly module: string;
  /** Opens an empty queue for one case, with the backbone's options for it. */
  openQueue(): Promise<{ readonly options: Readonly<Record<string, unknown>>; close(): Promise<void> }>;
}

const PROCESS = fileURLToPath(new URL("./fleet-process.js", import.meta.url));
const QUIET_MS = 300;

/** What a case gets: an empty queue, a directory, and functions that start processes over them. */
interface Stage {
  /** Starts a node, in a process of its own. */
  node(name: string): ChildProcess;
  /** Starts a coordinator in a process of its own. */
  coordinator(spec: SampleSpec): ChildProcess;
  /** Runs as the coordinator, in this process. */
  run(request: Omit<SampleRunRequest, "backbone" | "options">): Promise<SampleRun>;
  journal(): SampleEvent[];
  closeQueue(): Promise<void>;
}

/** What every fleet must do, tested with real coordinators and nodes, some of them killed. Outcomes are compared with those of `mp`. */
export function testFleet(suite: FleetSuite): void {
  const cases = casesOf(suite.it, "a fleet");
  const test = (title: string, body: (stage: Stage) => Promise<void>): void =>
    cases.test(title, () => onStage(suite, body));

  test(DESCRIBED, async () => assertDescribed(await loadFleet(suite.module)));

  test("chunks go over and outcomes come back: every item is started once, and both nodes work", async (stage) => {
    const nodes = [stage.node("a"), stage.node("b")];
    const items = good(300).map((item): SampleItem => ({ ...item, act: "wait", ms: 5 }));
    const { result, outcomes, journal } = await stage.run({ items });
    assert.equal(result.exitCode, 0, result.error?.message);
    assert.deepEqual(keysOf(outcomes), keysOf(items));
    assert.equal(countOf("start", journal), 300);
    for (const { pid } of nodes) assert.ok(journal.some((one) => one.pid === pid && one.event === "end"));
  });

  test("a run without items ends at once, without a node", async (stage) => {
    const { result } = await stage.run({ items: [] });
    assert.deepEqual([result.exitCode, result.counts.total], [0, 0]);
  });

  test("agrees with mp on outcomes, attempts, reasons, errors and values", async (stage) => {
    stage.node("a");
    await agreesWithMp(stage, { items: mixture });
  });

  test("an item that hangs, crashes its worker or exhausts its retries ends as on mp", async (stage) => {
    stage.node("a");
    const items: SampleItem[] = [
      ...good(10),
      { id: "spin", act: "spin", ms: 60_000 },
      { id: "poison", act: "exit" },
      { id: "bad", act: "throw" },
      ...good(10, "more"),
    ];
    await agreesWithMp(stage, { items, settings: { timeout: "300ms", retries: 1 } });
  });

  test("what items log arrives with their keys", async (stage) => {
    stage.node("a");
    const { logs } = await stage.run({ items: [{ id: "x", act: "log", message: "from x" }, ...good(5)] });
    assert.deepEqual(logs, [{ key: "x", level: "warn", message: "from x", fields: { id: "x" } }]);
  });

  test("carries items and values of every JSON shape, and a large one", async (stage) => {
    stage.node("a");
    const { outcomes, result } = await stage.run({ items: payloads });
    assert.equal(result.counts.done, payloads.length, result.error?.message);
    assert.deepEqual(keysOf(outcomes), keysOf(payloads));
  });

  test("a node that joins late works", async (stage) => {
    const items = good(300).map((item): SampleItem => ({ ...item, act: "wait", ms: 40 }));
    let late: ChildProcess | undefined;
    const { result, journal } = await stage.run({
      items,
      async during() {
        stage.node("a");
        await until(() => stage.journal().some(({ event }) => event === "end"));
        late = stage.node("b");
      },
    });
    assert.equal(result.counts.done, 300, result.error?.message);
    assert.ok(journal.some(({ pid }) => pid === late!.pid));
  });

  test("a node that is killed costs its items one more start, and no item is blamed", async (stage) => {
    const items = good(40).map((item): SampleItem => ({ ...item, act: "wait", ms: 100 }));
    const doomed = stage.node("doomed");
    const { result, outcomes, journal } = await stage.run({
      items,
      settings: { concurrency: 4 },
      async during() {
        await until(() => countOf("end", stage.journal()) >= 4);
        await killed(doomed);
        stage.node("heir");
      },
    });
    assert.equal(result.exitCode, 0, result.error?.message);
    assert.equal(result.counts.done, 40);
    assert.equal(result.stats.retries, 0);
    for (const { attempts } of outcomes) assert.equal(attempts, 1);
    const again = keysStarted(journal).filter(([, starts]) => starts > 1);
    assert.ok(again.length > 0, "some items were running on the killed node");
    // Two workers, two items each; and those whose outcomes were on their way.
    assert.ok(again.length <= 8, `only those were started again, not ${again.length}`);
    for (const [key, starts] of again) assert.equal(starts, 2, key);
  });

  test("an item that takes two nodes with it fails as a crash, and all others are done", async (stage) => {
    const items: SampleItem[] = [...good(10), { id: "killer", act: "kill-node" }, ...good(30, "more")];
    for (const name of ["a", "b", "c"]) stage.node(name);
    const { result, outcomes, journal } = await stage.run({ items, settings: { stall: "60s" } });
    assert.equal(result.exitCode, 3, result.error?.message);
    assert.deepEqual([result.counts.done, result.counts.failed], [40, 1]);
    assert.equal(outcomes.find(({ key }) => key === "killer")?.error?.code, "crash");
    assert.equal(keysStarted(journal).find(([key]) => key === "killer")?.[1], 2);
  });

  test("a node that leaves gives back what it has not begun, and ends what it has", async (stage) => {
    const items = good(30).map((item): SampleItem => ({ ...item, act: "wait", ms: 50 }));
    const leaver = stage.node("leaver");
    const { result, journal } = await stage.run({
      items,
      async during() {
        await until(() => stage.journal().some(({ event }) => event === "end"));
        await killed(leaver, "SIGTERM");
        stage.node("heir");
      },
    });
    assert.equal(result.counts.done, 30, result.error?.message);
    assert.equal(countOf("start", journal), 30, "every item was started once");
  });

  test("a drained run finishes what it started and cancels the rest", async (stage) => {
    stage.node("a");
    const { result, journal } = await stage.run({
      items: good(60).map((item): SampleItem => ({ ...item, act: "wait", ms: 40 })),
      async during(running) {
        await until(() => stage.journal().some(({ event }) => event === "end"));
        running.drain();
      },
    });
    assertDrained(result, journal, 60);
  });

  test("setup() that throws stops the run with exit 7 before any item", async (stage) => {
    stage.node("a");
    const { result } = await stage.run({ items: good(10), task: { setup: "throw" } });
    assertUnfit(result, stage.journal());
  });

  test("what a dead coordinator left unrecorded is recorded before the plan: nothing is started again", async (stage) => {
    const items = [
      ...good(40).map((item): SampleItem => ({ ...item, act: "wait", ms: 20 })),
      { id: "bad", act: "permanent" } as const,
    ];
    stage.node("a");
    const coordinator = stage.coordinator({ items });
    await until(() => stage.journal().some(({ event }) => event === "end"));
    // A stopped coordinator records nothing more, while the node goes on with the chunks in the queue.
    coordinator.kill("SIGSTOP");
    await quiet(() => stage.journal().length);
    await killed(coordinator);
    const before = countOf("end", stage.journal());
    const { result, journal } = await stage.run({ items, settings: { skipFailed: true } });
    assert.ok(before > 1, "some outcomes were not recorded");
    assert.equal(result.counts.skipped, before);
    assert.equal(result.counts.done + result.counts.skipped + result.counts.failed, items.length);
    for (const [key, starts] of keysStarted(journal)) assert.equal(starts, 1, `${key} was started once`);
  });

  test("a run whose queue goes away ends with exit 75, and loses nothing that was recorded", async (stage) => {
    stage.node("a");
    const { result, outcomes } = await stage.run({
      items: good(40).map((item): SampleItem => ({ ...item, act: "wait", ms: 30 })),
      async during(running) {
        await until(() => running.snapshot().counts.done > 2);
        await stage.closeQueue();
      },
    });
    assert.equal(result.exitCode, 75, result.error?.message);
    assert.equal(result.counts.done, outcomes.filter(({ status }) => status === "done").length);
    assert.equal(result.counts.failed, 0);
  });

  test("a run after one that is over finds nothing of it in the queue", async (stage) => {
    stage.node("a");
    await stage.run({ items: good(10) });
    const { result } = await stage.run({ items: good(15) });
    assert.deepEqual([result.counts.done, result.counts.skipped], [5, 10]);
  });
}

async function agreesWithMp(stage: Stage, request: Omit<SampleRunRequest, "backbone" | "options">): Promise<void> {
  const mine = await stage.run(request);
  const mp = await loadBackbone("mp", "item", PROCESS);
  const theirs = await withDirectory((dir) =>
    runSampleIn(dir, { ...request, backbone: mp, options: { numProcess: "2" } }),
  );
  assertAgree(mine, theirs);
}

async function loadFleet(module: string): Promise<FleetBackbone> {
  const backbone = await loadBackbone(module, "item", PROCESS);
  assert.ok(isFleetBackbone(backbone), `${module} has no openFleet and openNode`);
  return backbone;
}

async function onStage({ module, openQueue }: FleetSuite, body: (stage: Stage) => Promise<void>): Promise<void> {
  await withDirectory(async (dir) => {
    const queue = await openQueue();
    const processes: ChildProcess[] = [];
    let closed: Promise<void> | undefined;
    const closeQueue = (): Promise<void> => (closed ??= queue.close());
    const start = (role: FleetProcess["role"], name: string, spec: SampleSpec): ChildProcess => {
      const what: FleetProcess = { role, name, module, fleetOptions: queue.options, dir, spec };
      const child = spawn(process.execPath, [PROCESS, JSON.stringify(what)], {
        stdio: ["pipe", "ignore", "inherit"],
      });
      processes.push(child);
      return child;
    };
    try {
      await body({
        node: (name) => start("node", name, { items: [] }),
        coordinator: (spec) => start("coordinator", "coordinator", spec),
        run: async (request) =>
          runSampleIn(dir, { ...request, options: queue.options, backbone: await loadFleet(module) }),
        journal: () => journalOf(dir),
        closeQueue,
      });
    } finally {
      for (const child of processes) child.kill("SIGKILL");
      await closeQueue();
    }
  });
}

function killed(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill(signal);
  });
}

function keysStarted(journal: readonly SampleEvent[]): [key: string, starts: number][] {
  const starts = new Map<string, number>();
  for (const { event, key } of journal) if (event === "start") starts.set(key!, (starts.get(key!) ?? 0) + 1);
  return [...starts];
}

/** Resolves when a number has not changed for `QUIET_MS`. */
async function quiet(read: () => number): Promise<void> {
  let last = read();
  let since = Date.now();
  await until(() => {
    const now = read();
    if (now !== last) since = Date.now();
    last = now;
    return Date.now() - since > QUIET_MS;
  });
}
