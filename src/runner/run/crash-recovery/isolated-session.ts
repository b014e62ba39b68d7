import type { DisposalStack } from "../../../base/disposal-stack.js";
import { toErrorRecord } from "../../../base/errors.js";
import type { WorkerBackbone, WorkerSession, WorkersRequest } from "../../../contracts/backbone.js";
import { Suspects } from "./suspects.js";

/**
 * Where workers come from. After a run whose process crashed, the items that were in flight go first, each worker in a
 * process of its own (where the backbone has such), and the run goes on as it was asked to when all of them are through.
 */
export interface IsolatedSession {
  /** Starts workers: isolated ones while suspects are still to come, then those that were asked for. */
  readonly session: WorkerSession;
  /** A crash of one worker can end this whole process. */
  readonly canCrashCoordinator: boolean;
  /** Suspects are still to come. */
  readonly isIsolated: boolean;
  /** What to tell people about it. */
  readonly warning: string | undefined;
  /** Resolves when suspects are no more waited for, and `session` is the one that was asked for. Without suspects: never. */
  readonly whenOver: Promise<IsolationEnd>;
  settled(shard: number, key: string): void;
}

interface IsolationEnd {
  /** All suspects were tried; else some did not come by. */
  readonly allTried: boolean;
  /** Why the isolated workers have to do to the end. */
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
  const isCareful = isolated !== undefined && keys.size > 0;
  let isClosed = false;
  const open = async (chosen: typeof options): Promise<WorkerSession> => {
    const session = await backbone.openWorkers({ ...rest, options: chosen });
    if (isClosed) await session[Symbol.asyncDispose]();
    return stack.use(session);
  };
  let session = await open(isCareful ? isolated : options);
  stack.defer(() => {
    isClosed = true;
  });
  let suspects: Suspects | undefined;
  const whenOver = new Promise<IsolationEnd>((resolve) => {
    if (!isCareful) return;
    suspects = new Suspects(keys, (allTried) => {
      suspects = undefined;
      if (isClosed) return;
      open(options).then(
        (asked) => {
          session = asked;
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
    warning: isCareful
      ? `the last run's process crashed. The ${keys.size} ${items} first, each worker in a process of its own, so that a crash costs one item`
      : undefined,
    whenOver,
    settled: (shard, key) => suspects?.settled(nameOf(shard, key)),
  };
}

/** The same key may stand in two shards. */
const nameOf = (shard: number, key: string): string => `${shard}:${key}`;
