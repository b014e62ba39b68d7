import { availableParallelism } from "node:os";
import type { WorkerSetup } from "../../../contracts/wire.js";
import { Spawner } from "./spawner.js";
import type { SpawnerEnd, SpawnerJob } from "./wire.js";

/** A program is reported to the coordinator after this time; most end before, which saves messages. */
const KNOWN_AFTER_MS = 50;
/** Sequence number for processes of the worker itself. */
const OF_THE_WORKER = 0;

/** A running program. */
export interface StartedProgram {
  readonly ended: Promise<SpawnerEnd>;
  kill(signal: NodeJS.Signals): void;
}

interface PoolPorts {
  readonly setup: Pick<WorkerSetup, "run" | "owner" | "shape">;
  processStarted?(seq: number, leaderPid: number): void;
}

/** The spawners of a worker: at most one per core, each started on first use. */
export class SpawnerPool {
  readonly #ports: PoolPorts;
  readonly #most: number;
  readonly #spawners = new Set<Spawner>();
  #ids = 0;
  #clock: NodeJS.Timeout | undefined;

  constructor(ports: PoolPorts) {
    this.#ports = ports;
    this.#most = Math.min(ports.setup.shape.slots, availableParallelism());
  }

  start(seq: number, call: Omit<SpawnerJob, "id" | "slot">): StartedProgram {
    const id = ++this.#ids;
    const spawner = this.#leastBusy();
    this.#clock ??= setInterval(() => this.#tick(), KNOWN_AFTER_MS).unref();
    return { ended: spawner.start(seq, { ...call, id }), kill: (signal) => spawner.kill(id, signal) };
  }

  /** Reports long-lived programs to the guardian, which kills them if both this process and the spawner are killed. */
  makeKnown(seq: number, pid: number): void {
    this.#ports.processStarted?.(seq, pid);
  }

  close(): void {
    clearInterval(this.#clock);
    for (const spawner of this.#spawners) spawner.close();
  }

  #leastBusy(): Spawner {
    let best: Spawner | undefined;
    for (const spawner of this.#spawners) if (best === undefined || spawner.load < best.load) best = spawner;
    if (best !== undefined && (best.load === 0 || this.#spawners.size >= this.#most)) return best;
    const fresh: Spawner = new Spawner(this.#ports.setup, () => this.#spawners.delete(fresh));
    this.#spawners.add(fresh);
    if (fresh.pid !== undefined) this.#ports.processStarted?.(OF_THE_WORKER, fresh.pid);
    return fresh;
  }

  #tick(): void {
    for (const spawner of this.#spawners) spawner.tick((seq, pid) => this.makeKnown(seq, pid));
  }
}
