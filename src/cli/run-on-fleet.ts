import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { KagurazakaError } from "../base/errors.js";
import { isFleetBackbone } from "../contracts/backbone.js";
import type { FleetControl, FleetRun } from "../contracts/fleet-control.js";
import type { PreparedRun } from "../runner/prepare/prepared-run.js";
import { readRootId } from "../runner/run/staging.js";
import type { RunConsole } from "./console.js";
import { waitForEnd } from "./fleet-runs.js";
import { formatRun } from "./fleet-tables.js";

/** The fleet as those see it who watch it; undefined where the run is on no fleet, or on one that cannot be watched. */
export async function openControlOf({ backbone, config }: PreparedRun): Promise<FleetControl | undefined> {
  return isFleetBackbone(backbone) ? backbone.openControl?.(config.backbone.options) : undefined;
}

/** The run that a living coordinator does over one of these output roots. @param waitMs for how long to look for it */
export async function findRunning(
  control: FleetControl,
  { shards, program }: PreparedRun,
  waitMs = 0,
): Promise<FleetRun | undefined> {
  const isOn = (run: FleetRun, own: readonly string[]): boolean => {
    const { state, task, rootIds } = run;
    const isAlive = (state === "running" || state === "draining") && !hasEndedHere(run);
    return isAlive && task === program.ref.id && rootIds.some((id) => own.includes(id));
  };
  for (const deadline = performance.now() + waitMs; ; await sleep(200)) {
    const own = shards.flatMap((paths) => readRootId(paths) ?? []);
    const found = own.length === 0 ? undefined : (await control.runs()).find((run) => isOn(run, own));
    if (found || performance.now() >= deadline) return found;
  }
}

/** The coordinator was a process of this machine, and is no more. What only looks so is found out by the lease of the root. */
function hasEndedHere({ coordinator: { host, pid } }: FleetRun): boolean {
  if (host !== hostname() || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Shows a run that another process coordinates, to its end. Undefined where that process dies: then this one may take over. */
export async function attach(
  control: FleetControl,
  { run, coordinator }: FleetRun,
  screen: RunConsole,
): Promise<FleetRun | undefined> {
  screen.note(
    `run ${run} works on this output root already, coordinated on ${coordinator.host} by process ${coordinator.pid}, with the options it was started with. This is a view of it: Ctrl-C ends the view alone, \`kagurazaka cancel ${run}\` ends the run`,
  );
  const orphaned = new Error("orphaned");
  let now: FleetRun | undefined;
  let wasGone = false;
  try {
    const ended = waitForEnd(control, run, (seen) => {
      // It may have said how the run ended after this was read.
      const isGone = seen.state !== "ended" && hasEndedHere(seen);
      if (seen.state === "orphaned" || (isGone && wasGone)) throw orphaned;
      wasGone = isGone;
      if (now === undefined && seen.report) screen.begin(() => snapshotOf(now!));
      now = seen.report ? seen : now;
    });
    const end = await ended;
    screen.end();
    screen.text(formatRun(end, screen.palette).trimEnd());
    return end;
  } catch (error) {
    if (error !== orphaned) throw error;
    screen.end();
    screen.note(`the coordinator of run ${run} is gone; this process takes over`);
    return undefined;
  }
}

function snapshotOf({ report }: FleetRun) {
  const { counts, listed, retries, elapsedMs, inFlight, waiting, oldest } = report!;
  return { counts, listed, retries, elapsedMs, inFlight, waiting, oldest: oldest[0], scopes: [] };
}

/** Words of this process's command line, as far as they start another kagurazaka. */
const tool = (): string[] => [...process.execArgv, process.argv[1]!];

/** A node beside the coordinator, which ends with it. */
export class WorkerBeside implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #whenGone: Promise<void>;

  constructor(task: readonly string[], { config }: PreparedRun, screen: RunConsole) {
    const { redis, redisPrefix } = config.backbone.options as { redis?: string; redisPrefix?: string };
    // Not among the words, which all users of the machine can read: the URL may hold a password.
    const env = { ...process.env, ...(redis && { KAGURAZAKA_REDIS: redis }), KAGURAZAKA_BESIDE: "1" };
    const words = ["worker", ...task, "--once", ...(redisPrefix ? ["--redis_prefix", redisPrefix] : [])];
    this.#child = spawn(process.execPath, [...tool(), ...words], { env, stdio: ["pipe", "ignore", "pipe"] });
    this.#whenGone = new Promise((resolve) => this.#child.once("close", () => resolve()));
    this.#child.once("error", (error) => screen.warn(`no worker could be started: ${error.message}`));
    this.#child.stdin!.on("error", () => {});
    createInterface({ input: this.#child.stderr! }).on("line", (line) => screen.text(`worker | ${line}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end();
    const isGone = await Promise.race([this.#whenGone.then(() => true), sleep(5000, false, { ref: false })]);
    if (!isGone) this.#child.kill("SIGKILL");
  }
}

/** How often a command says that a run of its own is still being started. */
const SAY_EVERY_MS = 10_000;

/** Starts the same command as a process of its own, and waits until its run is known to the fleet. @returns the run's id */
export async function detach(argv: readonly string[], prepared: PreparedRun, screen: RunConsole): Promise<string> {
  await using control = await openControlOf(prepared);
  if (!control) throw notOnFleet("--detach", prepared);
  const running = await findRunning(control, prepared);
  if (running) {
    screen.note(`run ${running.run} works on this output root already`);
    return running.run;
  }
  const before = new Set((await control.runs()).map(({ run }) => run));
  const log = join(mkdtempSync(join(tmpdir(), "kagurazaka-detached-")), "output.log");
  const fd = openSync(log, "a", 0o600);
  const child = spawn(process.execPath, [...tool(), ...argv], { detached: true, stdio: ["ignore", fd, fd] });
  let exitCode: number | null | undefined;
  child.once("exit", (code) => {
    exitCode = code;
  });
  // It may have to wait for nodes of an earlier coordinator.
  for (let saidMs = performance.now(); exitCode === undefined; await sleep(100)) {
    const isOwn = ({ run, coordinator }: FleetRun): boolean =>
      !before.has(run) && coordinator.pid === child.pid && coordinator.host === hostname();
    const own = (await control.runs()).find(isOwn);
    if (own) {
      child.unref();
      screen.note(`run ${own.run} goes on by itself; what it says is in ${log}`);
      return own.run;
    }
    if (performance.now() - saidMs < SAY_EVERY_MS) continue;
    saidMs = performance.now();
    screen.note(`the run has not begun yet; what it says is in ${log}`);
  }
  throw new KagurazakaError("environment", `the run could not be started: it ended with exit code ${exitCode}`, {
    hint: `It said (${log}):\n${readFileSync(log, "utf8").slice(-2000).trimEnd()}`,
  });
}

export const notOnFleet = (flag: string, { backbone }: PreparedRun): KagurazakaError =>
  new KagurazakaError("usage", `${flag} is for runs on a fleet, and ${backbone.name} is none`, {
    where: flag,
    hint: "Give --backbone bullmq as well.",
  });
