import type { DisposalStack } from "../../../base/disposal-stack.js";
import { toErrorRecord } from "../../../base/errors.js";
import type { WorkerBackbone, WorkerSession, WorkersRequest } from "../../../contracts/backbone.js";
import { Suspects } from "./suspects.js";

/**
 * The session that starts the run's workers. After a crash of a run's process, the suspects go first, with each worker in a
 * process of its own (where the backbone offers that); once they have settled, the requested workers take over.
 */
export interface IsolatedSession {
  /** Starts isolated workers as long as suspects are pending, then requested ones. */
  readonly session: WorkerSession;
  /** A crash of one worker can end this whole process. */
  readonly canCrashCoordinator: boolean;
  /** Suspects are pending. */
  readonly isIsolated: boolean;
  /** For the user, where there are suspects. */
  readonly warning: string | undefined;
  /** Resolves when no suspect is pending and `session` is the requested one. Without suspects: never. */
  readonly whenOver: Promise<IsolationEnd>;
  settled(shard: number, key: string): void;
  /** Of all sessions, once they are closed. */
  blocked(): number;
}

interface IsolationEnd {
  /** All suspects were tried; `false`: some were not among the first items of the plan. */
  readonly allTried: boolean;
  /** Why the run stays with isolated workers: the requested ones could not be opened. */
  readonly failure?: string;
}

interface IsolatedSessionRequest extends WorkersRequest {
  readonly backbone: WorkerBackbone;
  /** By hard shard: keys of items that were in flight when a run's process crashed. */
  readonly suspects: readonly { readonly number: number; readonly suspects: ReadonlySet<string> }[];
  readonly stack: DisposalStack;
}

export async function openIsolatedSession(request: IsolatedSessionRequest): Promise<IsolatedSession> {
  const { backbone, suspects: ofShards, stack, options, ...rest } = request;
  const isolated = backbone.isolated?.(options);
  const keys = new Set(ofShards.flatMap(({ number, suspects }) => [...suspects].map((key) => nameOf(number, key))));
  const hasSuspects = isolated !== undefined && keys.size > 0;
  let isClosed = false;
  const sessions: WorkerSession[] = [];
  const open = async (chosen: typeof options): Promise<WorkerSession> => {
    const session = await backbone.openWorkers({ ...rest, options: chosen });
    if (isClosed) await session[Symbol.asyncDispose]();
    sessions.push(session);
    return stack.use(session);
  };
  let session = await open(hasSuspects ? isolated : options);
  stack.defer(() => {
    isClosed = true;
  });
  let suspects: Suspects | undefined;
  const whenOver = new Promise<IsolationEnd>((resolve) => {
    if (!hasSuspects) return;
    suspects = new Suspects(keys, (allTried) => {
      suspects = undefined;
      if (isClosed) return;
      open(options).then(
        (requested) => {
          session = requested;
          resolve({ allTried });
        },
        (error) => resolve({ allTried, failure: toErrorRecord(error).message }),
      );
    });
  });
  const items = keys.size === 1 ? "item that was running goes" : "items that were running go";
  return {
    get session() {
      return session;
    },
    get isIsolated() {
      return suspects !== undefined;
    },
    canCrashCoordinator: isolated !== undefined,
    warning: hasSuspects
      ? `the last run's process crashed. The ${keys.size} ${items} first, each worker in a process of its own, so that a crash costs one item`
      : undefined,
    whenOver,
    blocked: () => sessions.reduce((sum, one) => sum + (one.blocked?.() ?? 0), 0),
    settled: (shard, key) => suspects?.settled(nameOf(shard, key)),
  };
}

/** Two shards may have an item of the same key. */
const nameOf = (shard: number, key: string): string => `${shard}:${key}`;
