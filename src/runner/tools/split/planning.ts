import { existsSync, lstatSync, rmSync, statSync } from "node:fs";
import { KagurazakaError } from "../../../base/errors.js";
import { joinRelative } from "../../../data/files/walk.js";
import { type Assignment, createAssignment } from "./assignment.js";
import type { Listing } from "./listing.js";
import { isNotUtf8, NOT_UTF8 } from "./placing-failed.js";
import {
  FILES_PER_LINE,
  joinPlan,
  type PlannedDirectory,
  planPath,
  readPlan,
  stateDir,
  sweepPlans,
  writePlan,
} from "./plan.js";
import { entryOf, refuseOtherCount, type SplitRecord } from "./record.js";
import { symbolicLink } from "./refusals.js";
import { digitsOf, type SplitSettings } from "./settings.js";
import type { SplitCounters } from "./split-counters.js";

/** One split, as far as it is known before its files are looked at. */
export interface Job {
  readonly settings: SplitSettings;
  readonly record: SplitRecord | undefined;
  readonly counters: SplitCounters;
  readonly listing: Listing;
  readonly onProgress: (doing: "planning" | "placing", files: number) => void;
}

/** Whether a plan is kept. Moving has one too, for it is all that remains of the input; and so has what was once moved. */
const isPlanned = ({ settings: { rule, by, base, name } }: Job): boolean =>
  rule.kind !== "hash" || by === "move" || existsSync(planPath(base, name));

/** Writes the plan, where there is one; returns the number of shards. */
export async function decideShards(job: Job): Promise<number> {
  const { settings, record } = job;
  const path = planPath(settings.base, settings.name);
  sweepPlans(stateDir(settings.base));
  // No file was placed by a plan without a record.
  if (!entryOf(record, settings.name)) rmSync(path, { force: true });
  const assignment = createAssignment(settings.rule);
  if (isPlanned(job)) await writePlan(path, planFiles(job, path, assignment));
  return assignment.shards;
}

/** The files of the plan at `path` and, at their places, those that came to the input since. */
export async function* planFiles(job: Job, path: string, assignment: Assignment): AsyncGenerator<PlannedDirectory> {
  let files = 0;
  const old = (): AsyncIterable<PlannedDirectory> => readPlan(path);
  const sizeOf = (relDir: string, name: string): number | undefined => sizeInInput(job, joinRelative(relDir, name));
  for await (const directory of joinPlan({ old, walk: job.listing(), assignment, sizeOf })) {
    files += directory.files.length;
    job.onProgress("planning", files);
    yield directory;
  }
  // Before the plan takes effect.
  refuseMoreDigits(job, assignment.shards);
}

function sizeInInput({ settings: { input, by }, counters }: Job, key: string): number | undefined {
  const path = `${input}/${key}`;
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() && by === "move") throw symbolicLink(key);
    if (stat) return stat.isSymbolicLink() ? statSync(path).size : stat.size;
    if (isNotUtf8(key)) counters.fail(key, NOT_UTF8);
    else counters.gone++;
  } catch (error) {
    if (KagurazakaError.is(error)) throw error;
    counters.fail(key, (error as Error).message);
  }
  return undefined;
}

/** All files to place: those of the plan, or those of the walk where each key gives its shard. */
export async function* filesToPlace(job: Job): AsyncGenerator<PlannedDirectory> {
  const { settings, listing } = job;
  if (isPlanned(job)) return yield* readPlan(planPath(settings.base, settings.name));
  const assignment = createAssignment(settings.rule);
  for (const { relDir, names } of listing()) {
    for (let from = 0; from < names.length; from += FILES_PER_LINE) {
      const files = names
        .slice(from, from + FILES_PER_LINE)
        .map((name) => ({ name, shard: assignment.assign(joinRelative(relDir, name), 0), bytes: 0 }));
      yield { relDir, files };
    }
  }
}

/** Files that came later may need more shards; `10` cannot join `0` to `9`, which would have to be `00` to `09`. */
function refuseMoreDigits({ settings, record }: Job, shards: number): void {
  refuseOtherCount(settings, shards, record);
  const before = entryOf(record, settings.name);
  if (!before || digitsOf(before.shards) === digitsOf(shards)) return;
  const message = `with the new files there would be ${shards} shards, and the existing ones are numbered for ${before.shards}`;
  const hint = "Put the new files into a directory of their own and split that --into another one.";
  throw new KagurazakaError("usage", message, { where: settings.base, hint });
}
