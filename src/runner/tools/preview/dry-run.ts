import { join } from "node:path";
import { inShard, type PreparedRun } from "../../prepare/prepared-run.js";
import { openHistory } from "../../record/history.js";
import { limitOf, openPlanner } from "../../run/open-plan.js";

/** What a run would do. */
export interface DryRun {
  /** The warnings of a run, at its start and while it lists. */
  readonly warnings: readonly string[];
  readonly total: number;
  readonly run: number;
  /** Reason → items. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Items that cannot run, by error code. */
  readonly refused: Readonly<Record<string, number>>;
  /** The first five that would run: key → where each output would go. */
  readonly examples: readonly { readonly key: string; readonly outputs: readonly string[] }[];
}

const EXAMPLES = 5;

/**
 * Plans every item; writes nothing.
 * @param onWarning called at once with warnings of the listing, such as that it waits for input at a terminal
 */
export async function dryRun(prepared: PreparedRun, onWarning?: (message: string) => void): Promise<DryRun> {
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
