import { KagurazakaError } from "../../../base/errors.js";
import { yieldsOf } from "../../../contracts/modes.js";
import { writeJsonl } from "../../../data/lists/jsonl-writer.js";
import { inShard, type PreparedRun } from "../../prepare/prepared-run.js";
import { openHistory } from "../../record/history.js";
import { limitOf, openPlanner } from "../../run/open-plan.js";

const EXAMPLES = 5;

/** Writes the items that the flags select, finished or not, one a line, as `InputFromFileTripletJsonl` and `InputFromWhateverJsonl` read them. */
export async function exportInputs(
  prepared: PreparedRun,
  path: string,
  onWarning: (message: string) => void,
): Promise<{ written: number; refused: number }> {
  const input = prepared.program.modes?.inputMode;
  if (input && yieldsOf(input) === "group") {
    const message = `the items of ${input.definition.name} cannot be exported: each is a group of files`;
    throw new KagurazakaError("usage", message, { where: "export-inputs" });
  }
  const counts = { written: 0, refused: 0 };
  const { config, program } = prepared;
  const { roots } = program;
  async function* lines(): AsyncGenerator<readonly unknown[]> {
    const limit = limitOf(config.run);
    for (const shard of prepared.shards.keys()) {
      const warn = (message: string): void => onWarning(inShard(prepared, shard, message));
      const history = await openHistory(prepared, shard);
      await using planner = await openPlanner(prepared, history, limit);
      const listed = planner.selected({
        onListed: () => {},
        onRefused({ key, error }) {
          if (counts.refused++ < EXAMPLES) warn(`${JSON.stringify(key)} is left out: ${error.message}`);
        },
        onWarning: warn,
      });
      for await (const candidates of listed) {
        const some = config.run.skipFailed
          ? candidates.filter(({ key }) => !history.index.failed.has(key))
          : candidates;
        counts.written += some.length;
        yield some.map(({ item }) => portable(item, roots));
      }
    }
  }
  await writeJsonl(path, lines());
  return counts;
}

/** Gives files their whole path, because a list is read without the root that it was made from. */
function portable(item: Record<string, unknown>, roots: PreparedRun["program"]["roots"]): unknown {
  const file = item.input as { root?: number; rel_dir: string; file_name: string; path?: string } | undefined;
  const root = typeof file?.root === "number" ? roots[file.root] : undefined;
  if (!file || !root) return item;
  const { rel_dir, file_name } = file;
  const within = rel_dir === "." ? file_name : `${rel_dir}/${file_name}`;
  return { ...item, input: { path: file.path ?? `${root.inputPath}/${within}`, rel_dir, file_name } };
}
