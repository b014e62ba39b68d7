import type { DisposalStack } from "../../../base/disposal-stack.js";
import { toErrorRecord } from "../../../base/errors.js";
import type { BackboneRequest, BackboneSession } from "../../../contracts/backbone.js";
import type { PreparedRun } from "../../prepare/prepared-run.js";
import type { HeldShard } from "../shard.js";
import { Suspects } from "./suspects.js";

/** The module every worker runs. */
const WORKER_ENTRY = new URL("../../worker/main.js", import.meta.url).href;

/**
 * Where workers come from. After a run that died whole, whatever was under way goes first in workers whose death takes nobody
 * along (where the backbone has such), and the run goes on as it was asked to when all of that is through.
 */
export interface IsolatedSession {
  /** Starts the workers of now. */
  readonly session: BackboneSession;
  /** The death of one worker may take all of this process along. */
  readonly mayFallWhole: boolean;
  /** Suspects are still to come. */
  readonly isCareful: boolean;
  /** What to tell people about it. */
  readonly warning: string | undefined;
  /** Resolves when suspects are no more waited for, and `session` is the one that was asked for. Without suspects: never. */
  readonly whenOver: Promise<CarefulEnd>;
  settled(shard: number, key: string): void;
}

export interface CarefulEnd {
  /** All suspects were tried; else some did not come by. */
  readonly allTried: boolean;
  /** Why the workers of now have to do to the end. */
  readonly failure?: string;
}

export interface IsolatedSessionRequest extends Pick<BackboneRequest, "run" | "guard"> {
  readonly prepared: PreparedRun;
  readonly held: readonly HeldShard[];
  readonly scope: DisposalStack;
}

export async function openIsolatedSession({
  prepared,
  held,
  scope,
  run,
  guard,
}: IsolatedSessionRequest): Promise<IsolatedSession> {
  const { backbone, workers, config } = prepared;
  const { options } = config.backbone;
  const cautious = backbone.isolated?.(options);
  const keys = new Set(held.flatMap(({ number, suspects }) => [...suspects].map((key) => nameOf(number, key))));
  const careful = cautious !== undefined && keys.size > 0;
  let closed = false;
  const open = async (chosen: typeof options): Promise<BackboneSession> => {
    const session = await backbone.open({ options: chosen, workers, entry: WORKER_ENTRY, run, guard });
    if (closed) await session[Symbol.asyncDispose]();
    return scope.use(session);
  };
  let session = await open(careful ? cautious : options);
  scope.defer(() => {
    closed = true;
  });
  let suspects: Suspects | undefined;
  const whenOver = new Promise<CarefulEnd>((resolve) => {
    if (!careful) return;
    suspects = new Suspects(keys, (allTried) => {
      suspects = undefined;
      if (closed) return;
      open(options).then(
        (asked) => {
          session = asked;
          resolve({ allTried });
        },
        (error) => resolve({ allTried, failure: toErrorRecord(error).message }),
      );
    });
  });
  return {
    get session() {
      return session;
    },
    get isCareful() {
      return suspects !== undefined;
    },
    mayFallWhole: cautious !== undefined,
    warning: careful
      ? `the last run died whole: ${keys.size} items that were at workers go first, in workers that can die alone`
      : undefined,
    whenOver,
    settled: (shard, key) => suspects?.settled(nameOf(shard, key)),
  };
}

/** The same key may stand in two shards. */
const nameOf = (shard: number, key: string): string => `${shard}:${key}`;
