import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { KagurazakaError } from "../../base/errors.js";
import { sha256Hex } from "../../base/hash.js";
import { replaceFile } from "../../base/whole-file.js";
import type { Features } from "../features/feature.js";
import { fromHuggingFace } from "../features/hugging-face.js";
import type { Slice } from "../source/slices.js";
import type { SourceShard } from "../source/source.js";
import { nameOfUrl } from "../stores/request.js";
import { PLAN_FILE } from "./layout.js";

/** What all parts of a folder have in common. Written before the first item, so that every worker has the same features. */
export interface PartsPlan {
  /** Of the slices, and of what their parts are named and packed like. */
  readonly fingerprint: string;
  readonly slices: number;
  /** How the slices were cut, as a person says it: `64 MiB`. */
  readonly cut: string;
  readonly format: string;
  readonly compression: string;
  /** Of the rows that are read: functions over batches get columns of these. */
  readonly input: Features | undefined;
  /** Of the parts; undefined for formats without a schema. */
  readonly output: Features | undefined;
  /** Splits, with their numbers of parts. */
  readonly splits: Readonly<Record<string, number>>;
  /** Shard → what changes when its file does. Plans of before have none. */
  readonly versions?: Readonly<Record<string, string>> | undefined;
}

export function fingerprintOf(slices: readonly Slice[], extension: string): string {
  return sha256Hex(`${extension}\n${slices.map(({ shard, from, to }) => `${from} ${to} ${shard}`).join("\n")}`).slice(
    0,
    32,
  );
}

export function versionsOf(shards: readonly SourceShard[]): Record<string, string> {
  return Object.fromEntries(
    shards.flatMap(({ name, version }): [string, string][] => (version === undefined ? [] : [[name, version]])),
  );
}

/** Parts of a file as it was, beside those of the file as it is, would be a mixture of the two. @throws KagurazakaError `other-slices` */
export function checkVersions(folder: string, { versions }: PartsPlan, shards: readonly SourceShard[]): void {
  if (versions === undefined) return;
  for (const { name, path, version } of shards) {
    const before = Object.hasOwn(versions, name) ? versions[name] : undefined;
    if (before === undefined || version === undefined || before === version) continue;
    const at = nameOfUrl(path);
    const time = /^(\d+):\d+$/.exec(before)?.[1];
    const copied =
      time === undefined
        ? ""
        : ` Where it was only copied, give it its time back: touch -d @${Number(time) / 1000} ${at}`;
    throw new KagurazakaError("other-slices", `${at} is another file than the one that ${folder} holds parts of`, {
      where: at,
      hint: `Choose another --out, or remove that folder and begin again.${copied}`,
    });
  }
}

export function writePlan(folder: string, plan: PartsPlan): void {
  const path = join(folder, PLAN_FILE);
  replaceFile(path, `${JSON.stringify({ v: 1, ...plan }, null, 1)}\n`, { temporary: `${path}.${process.pid}.tmp` });
}

/** Undefined where the folder has no plan. @throws KagurazakaError `other-slices` for a file that is none */
export function readPlan(folder: string): PartsPlan | undefined {
  const path = join(folder, PLAN_FILE);
  if (!existsSync(path)) return undefined;
  try {
    const plan = JSON.parse(readFileSync(path, "utf8")) as PartsPlan & { readonly v: number };
    if (plan.v !== 1 || typeof plan.fingerprint !== "string") throw new Error("another version has written it");
    const features = (json: unknown) => (json === undefined ? undefined : fromHuggingFace(json));
    return { ...plan, input: features(plan.input), output: features(plan.output) };
  } catch (cause) {
    throw new KagurazakaError("other-slices", `${path} cannot be read: ${(cause as Error).message}`, {
      where: path,
      hint: "Choose another --out, or remove that folder.",
      cause,
    });
  }
}

/** How long a network file system may take to show what another machine has written. */
const VISIBLE_WITHIN_MS = 5000;

/** For a worker: the plan of the run that sent it the item. */
export async function awaitPlan(folder: string): Promise<PartsPlan> {
  for (const deadline = performance.now() + VISIBLE_WITHIN_MS; ; await setTimeout(100)) {
    const plan = readPlan(folder);
    if (plan) return plan;
    if (performance.now() > deadline)
      throw new KagurazakaError("environment", `${join(folder, PLAN_FILE)}, which the run has written, is not there`);
  }
}
