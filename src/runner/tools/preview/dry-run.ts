import { join } from "node:path";
import type { DryRun } from "../../../contracts/outcome.js";
import { inShard, type PreparedRun } from "../../prepare/prepared-run.js";
import { openHistory } from "../../record/history.js";
import { limitOf, openPlanner } from "../../run/open-plan.js";

const EXAMPLES = 5;

interface Listening {
  /** Called at once with warnings of the listing, such as that it waits for input at a terminal. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Ends the listing; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Plans every item; writes nothing. */
export async function dryRun(prepared: PreparedRun, { onWarning, signal }: Listening = {}): Promise<DryRun> {
  const limit = limitOf(prepared.config.run);
  const warnings: string[] = [];
  const skipped: Record<string, number> = {};
  const refused: Record<string, number> = {};
  const examples: { key: string; outputs: string[] }[] = [];
  const counts = { total: 0, run: 0 };
  for (const [shard, { outputRoot }] of prepared.shards.entries()) {
    const history = await openHistory(prepared, shard);
    await using planner = await openPlanner(prepared, history, limit);
    warnings.push(...history.warnings.map((warning) => inShard(prepared, shard, warning)));
    const lists = planner.planned({
      onListed: () => void counts.total++,
      onSkipped: (_key, reason) => increment(skipped, reason),
      onRefused({ error }) {
        increment(refused, error.code ?? error.name);
        // Nothing else would name it: its files are not even counted.
        if (error.code === "unreadable" && refused.unreadable! <= EXAMPLES)
          warnings.push(inShard(prepared, shard, error.message));
      },
      onWarning(message) {
        warnings.push(inShard(prepared, shard, message));
        onWarning?.(inShard(prepared, shard, message));
      },
    });
    for await (const items of lists) {
      signal?.throwIfAborted();
      counts.run += items.length;
      for (const { key, outputs } of items.slice(0, EXAMPLES - examples.length))
        examples.push({ key, outputs: outputs.map(({ relPath }) => join(outputRoot ?? "", relPath)) });
    }
  }
  return { warnings, ...counts, skipped, refused, examples };
}

function increment(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
