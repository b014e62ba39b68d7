/** Messages between a worker and a spawner: one line of JSON each. Most jobs cost one line in each direction. */

/** The first line: what all programs share. */
export interface SpawnerHello {
  readonly env: Readonly<Record<string, string>>;
  /** The directory of its unnamed files. */
  readonly tmpDir: string;
}

export interface SpawnerJob {
  readonly id: number;
  /** The index of its pid on the board. */
  readonly slot: number;
  readonly argv: readonly string[];
  readonly cwd?: string | undefined;
  /** Variables added to the shared ones. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: { readonly path: string } | { readonly text: string } | undefined;
  readonly stdout?: "capture" | { readonly path: string } | undefined;
  readonly stderr?: "capture" | undefined;
  readonly keepBytes: number;
}

/** Sends a signal to the process group of a job that runs. */
export interface SpawnerKill {
  readonly id: number;
  readonly kill: NodeJS.Signals;
}

export type ToSpawner = SpawnerHello | SpawnerJob | SpawnerKill;

/** A bare number is the id of a job that ended with code 0, printed nothing and left no process behind. */
export type FromSpawner = number | SpawnerEnd | SpawnerRefusal;

export interface SpawnerEnd {
  readonly id: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout?: CapturedText | undefined;
  readonly stderr?: CapturedText | undefined;
  /** The program has ended, but processes of its group still run. */
  readonly groupLeft?: number | undefined;
}

/** The program, or its stdin file, could not be opened. */
interface SpawnerRefusal {
  readonly id: number;
  readonly error: Readonly<Record<string, string | number | undefined>> & { readonly message: string };
}

export interface CapturedText {
  readonly text: string;
  readonly leftOut: number;
}
