import type { FleetControl, FleetNode, FleetRun, RunReport } from "../../src/contracts/fleet-control.js";
import { emptyCounts } from "../../src/contracts/outcome.js";

/** A fleet that says what a test has put into it, and notes what it was asked. */
export class ScriptedFleet implements FleetControl {
  runList: FleetRun[] = [];
  nodeList: FleetNode[] = [];
  /** What questions fail with. */
  error: Error | undefined;
  /** While it is set, questions get no answer. */
  isMute = false;
  asked = 0;
  readonly cancelled: string[] = [];

  async runs(): Promise<readonly FleetRun[]> {
    this.asked++;
    return this.#say(this.runList);
  }

  async run(name: string): Promise<FleetRun | undefined> {
    return this.#say(this.runList.find(({ run }) => run === name));
  }

  async nodes(): Promise<readonly FleetNode[]> {
    return this.#say(this.nodeList);
  }

  async cancel(run: string): Promise<boolean> {
    if (this.error !== undefined) throw this.error;
    const found = this.runList.find((one) => one.run === run && one.state !== "ended");
    if (found === undefined) return false;
    this.cancelled.push(run);
    this.change(run, { state: found.state === "orphaned" ? "ended" : "draining" });
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  change(run: string, fields: Partial<FleetRun>): void {
    this.runList = this.runList.map((one) => (one.run === run ? { ...one, ...fields } : one));
  }

  async #say<T>(value: T): Promise<T> {
    if (this.isMute) return new Promise(() => {});
    if (this.error !== undefined) throw this.error;
    return value;
  }
}

export const report = (fields: Partial<RunReport> = {}): RunReport => ({
  counts: { ...emptyCounts(), total: 60, done: 50, skipped: 8, failed: 2 },
  listed: true,
  inFlight: 10,
  waiting: 30,
  retries: 1,
  elapsedMs: 60_000,
  itemsPerSecond: 2,
  failures: [],
  oldest: [],
  ...fields,
});

export const run = (name: string, fields: Partial<FleetRun> = {}): FleetRun => ({
  run: name,
  task: "Resize",
  rootIds: ["root-1"],
  state: "running",
  coordinator: { host: "alpha", pid: 4711 },
  startedAt: "2026-11-29T10:00:00.000Z",
  chunks: { waiting: 3, active: 2 },
  report: report(),
  reportAgeMs: 400,
  ...fields,
});

export const node = (name: string, fields: Partial<FleetNode> = {}): FleetNode => ({
  node: name,
  host: "beta",
  pid: 99,
  version: "0.1.0",
  task: "Resize",
  moduleHash: "abc",
  startedAt: "2026-11-29T09:00:00.000Z",
  backbone: "mp",
  slots: 16,
  run: "r1",
  inFlight: 10,
  running: [],
  settled: 1234,
  itemsPerSecond: 2,
  rssBytes: 200 * 1024 * 1024,
  leaving: false,
  ageMs: 300,
  ...fields,
});
