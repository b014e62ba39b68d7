import { KagurazakaError } from "../../../base/errors.js";
import { yieldsOf } from "../../../contracts/modes.js";
import { writeJsonl } from "../../../data/jsonl-writer.js";
import type { PreparedRun } from "../../prepare/prepared-run.js";
import { openHistory } from "../../record/history.js";
import { openPlanner } from "../../run/open-plan.js";

/** Writes the items that the task lists, one a line, as `InputFromFileTripletJsonl` and `InputFromWhateverJsonl` read them. */
export async function exportInputs(prepared: PreparedRun, path: string): Promise<{ written: number; refused: number }> {
  const input = prepared.program.modes?.inputMode;
  if (input && yieldsOf(input) === "group") {
    const message = `the items of ${input.definition.name} cannot be exported: each is a group of files`;
    throw new KagurazakaError("usage", message, { where: "export-inputs" });
  }
  const counts = { written: 0, refused: 0 };
  const { roots } = prepared.program;
  async function* lines(): AsyncGenerator<readonly unknown[]> {
    const listener = { onListed: () => {}, onRefused: () => void counts.refused++ };
    for (const shard of prepared.shards.keys()) {
      await using planner = await openPlanner(prepared, await openHistory(prepared, shard));
      for await (const candidates of planner.candidates(listener)) {
        counts.written += candidates.length;
        yield candidates.map(({ item }) => portable(item, roots));
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
