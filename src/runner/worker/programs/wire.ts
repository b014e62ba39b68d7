/** What goes between a worker and a spawner: one line of JSON each, and most jobs cost one line either way. */

/** First of all lines: what all programs share. */
export interface SpawnerHello {
  readonly env: Readonly<Record<string, string>>;
  /** Where its nameless files are made. */
  readonly tmpDir: string;
}

export interface SpawnerJob {
  readonly id: number;
  /** Where on the board its pid goes. */
  readonly slot: number;
  readonly argv: readonly string[];
  readonly cwd?: string | undefined;
  /** Besides the common ones. */
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

/** A bare number is the id of a job that ended with code 0, said nothing and left nothing behind. */
export type FromSpawner = number | SpawnerEnd | SpawnerRefusal;

export interface SpawnerEnd {
  readonly id: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout?: CapturedText | undefined;
  readonly stderr?: CapturedText | undefined;
  /** The program has ended, its process group has not. */
  readonly groupLeft?: number | undefined;
}

/** The program, or a file it was to have, could not be opened. */
interface SpawnerRefusal {
  readonly id: number;
  readonly error: Readonly<Record<string, string | number | undefined>> & { readonly message: string };
}

export interface CapturedText {
  readonly text: string;
  readonly leftOut: number;
}
