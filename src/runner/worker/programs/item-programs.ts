import { killGroup } from "../../../base/process-group.js";
import type { Captured, ProgramEnd, ProgramOptions } from "../../../contracts/task.js";
import type { SpawnerPool, StartedProgram } from "./pool.js";

const KEPT_BYTES = 65_536;
const KILL_AFTER_MS = 1000;
const NOTHING: Captured = { text: "", leftOut: 0 };

/** The programs of one attempt: stopped with it, and killed when it has ended. */
export class ItemPrograms {
  readonly #seq: number;
  readonly #pool: SpawnerPool;
  readonly #running = new Map<StartedProgram, Stopping>();
  /** Process groups that have outlived their program. */
  #left: number[] | undefined;
  #stopped: boolean;
  #over = false;

  constructor(seq: number, pool: SpawnerPool, stopped = false) {
    this.#seq = seq;
    this.#pool = pool;
    this.#stopped = stopped;
  }

  async run(argv: readonly string[], options: ProgramOptions = {}): Promise<ProgramEnd> {
    const { cwd, env = {}, stdin, stdout = "capture", stderr = "capture", keepBytes = KEPT_BYTES } = options;
    const program = this.#pool.start(this.#seq, {
      argv,
      cwd,
      env,
      stdin: stdin === "none" ? undefined : stdin,
      stdout: stdout === "none" ? undefined : stdout,
      stderr: stderr === "none" ? undefined : stderr,
      keepBytes,
    });
    const stopping: Stopping = { killAfterMs: options.killAfterMs ?? KILL_AFTER_MS, timer: undefined };
    this.#running.set(program, stopping);
    if (this.#stopped) stopOne(program, stopping);
    try {
      const end = await program.ended;
      if (end.groupLeft !== undefined) this.#keep(end.groupLeft);
      return { code: end.code, signal: end.signal, stdout: end.stdout ?? NOTHING, stderr: end.stderr ?? NOTHING };
    } finally {
      this.#running.delete(program);
      clearTimeout(stopping.timer);
    }
  }

  #keep(group: number): void {
    if (this.#over) return killGroup(group);
    this.#left ??= [];
    this.#left.push(group);
    this.#pool.makeKnown(this.#seq, group);
  }

  /** Stops the programs: SIGTERM first, SIGKILL later. */
  stop(): void {
    this.#stopped = true;
    for (const [program, stopping] of this.#running) stopOne(program, stopping);
  }

  /** The attempt is over: kills all process groups that are left. */
  end(): void {
    this.#over = true;
    for (const program of this.#running.keys()) program.kill("SIGKILL");
    if (this.#left) for (const group of this.#left) killGroup(group);
  }
}

interface Stopping {
  readonly killAfterMs: number;
  timer: NodeJS.Timeout | undefined;
}

function stopOne(program: StartedProgram, stopping: Stopping): void {
  program.kill("SIGTERM");
  stopping.timer = setTimeout(() => program.kill("SIGKILL"), stopping.killAfterMs);
}
