/** Names of keys. All begin with the prefix in braces, so that a cluster keeps them in one slot. BullMQ's are below `queue`. */
export const keysOf = (prefix: string) => ({
  /** Set: runs that nodes may work for, or whose outcomes are not recorded yet. */
  open: `${prefix}:open`,
  /** Sorted set: all runs that are remembered, by their start in milliseconds. */
  runs: `${prefix}:runs`,
  /** Stream: a run has changed its state. */
  events: `${prefix}:events`,
  /** Sorted set: nodes, by the time they were seen last. */
  nodes: `${prefix}:nodes`,
  /** Counter: each coordinator that takes a lease gets the next number. */
  fence: `${prefix}:fence`,
  queuePrefix: `${prefix}:queue`,
  node: (name: string) => `${prefix}:node:${name}`,
  lease: (rootId: string) => `${prefix}:lease:${rootId}`,
  run: (run: string) => `${prefix}:run:${run}`,
  /** Hash: the chunks of a run, by their number, until all their outcomes are recorded. */
  chunks: (run: string) => `${prefix}:run:${run}:chunks`,
  /** Stream: outcomes, and what nodes give back, until they are recorded. */
  outcomes: (run: string) => `${prefix}:run:${run}:outcomes`,
  /** Stream: what items print and log, heartbeats. Bounded: what is not read in time is lost. */
  messages: (run: string) => `${prefix}:run:${run}:messages`,
});

export type Keys = ReturnType<typeof keysOf>;

/** A lock of BullMQ is extended in time by a living node. Together: a killed node's chunks are given away within 11 s. */
export const LOCK_MS = 5000;
export const STALLED_CHECK_MS = 2500;
/** A lease of a coordinator ends so long after its last heartbeat. */
export const LEASE_MS = 15_000;
/** A node that has not been heard of for so long is gone. */
export const NODE_MS = 15_000;
export const HEARTBEAT_MS = 1000;
/** Runs and what they left are forgotten after a week without a sign of life. */
export const KEEP_MS = 7 * 24 * 3600 * 1000;
export const MAX_EVENTS = 1000;
export const MAX_MESSAGES = 2000;

/** The coordinator of a run has not been heard of for longer than its lease lives. @param beatAt as it is in Redis */
export const isSilent = (beatAt: string | null | undefined, nowMs: number): boolean =>
  !(nowMs - Number(beatAt ?? Number.NaN) < LEASE_MS);

/** The form of a run's name. */
export const RUN_NAME = /^[\w.-]{1,200}$/;

/** BullMQ takes no number as an id. */
export const jobIdOf = (chunk: number): string => `c${chunk}`;

/** Undefined where it is the id of none of our jobs. */
export function chunkOf(jobId: string | undefined): number | undefined {
  const number = /^c(\d{1,15})$/.exec(jobId ?? "")?.[1];
  return number === undefined ? undefined : Number(number);
}
