import { existsSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { statIfThere } from "../../base/disk.js";
import { KagurazakaError } from "../../base/errors.js";
import type { Features } from "../features/feature.js";
import { formatNames, formatOfContents, formatOfName } from "../formats/registry.js";
import { headOf } from "../formats/text/text-reader.js";
import { chooseConfig } from "../hub/configs.js";
import { isGlob } from "../hub/folder.js";
import { openFile } from "../stores/index.js";
import { type Listing, listSource, type SourceFile } from "./list-source.js";
import { nameApart } from "./shard-names.js";
import type { SourceShard } from "./source.js";
import { groupBySplit, splitNamed } from "./splits.js";

export interface SourceRequest {
  /** The format of all files. @defaultValue by extension, else by content */
  readonly format?: string | undefined;
  /** Options of the format: `{ delimiter: ";" }`. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  readonly split?: string | undefined;
  /** Which configuration of a dataset whose card names several. @defaultValue the one that the card says is the default */
  readonly config?: string | undefined;
  /** A branch, a tag or a commit of a dataset of the hub. @defaultValue what the name says behind `@`, else `main` */
  readonly revision?: string | undefined;
  /** Ask the hub which commit a branch is now, also where the cache knows one. @defaultValue false */
  readonly refresh?: boolean | undefined;
  /** A folder whose files are none of the source: where the results go. */
  readonly except?: string | undefined;
  /** What the columns are. @defaultValue what the files say, or their first rows */
  readonly features?: Features | undefined;
}

interface Resolved {
  readonly name: string;
  readonly shards: readonly SourceShard[];
  readonly notes: readonly string[];
}

type SplitFile = SourceFile & { readonly split: string };
type SpecFile = SplitFile & { readonly spec: string };

export async function resolveSource(specs: readonly string[], request: SourceRequest): Promise<Resolved> {
  const notes: string[] = [];
  const files: SpecFile[] = [];
  for (const spec of specs) {
    const all = await listSource(spec, { revision: request.revision, refresh: request.refresh });
    const listing = request.except === undefined ? all : without(all, request.except, spec);
    notes.push(...listing.notes);
    const found = listing.isDataset ? filesOfDataset(spec, listing, request, notes) : allTrain(listing.files);
    for (const file of found) files.push({ ...file, spec });
  }
  const name = nameOf(specs[0]!);
  const shards: (SourceShard & SpecFile)[] = [];
  for (const file of chosenSplit(files, request.split, name))
    shards.push({ ...file, ...(await formatOf(file, request.format, notes)) });
  return { name, shards: nameApart(shards).map(({ spec, ...shard }) => shard), notes };
}

/** @throws KagurazakaError `source` where nothing is left: results beside the input would be read with it the next time */
function without(listing: Listing, folder: string, spec: string): Listing {
  const root = `${realPath(folder)}/`;
  const isBelow = new Map<string, boolean>();
  const files = listing.files.filter(({ path }) => {
    if (path.includes("://")) return true;
    const parent = dirname(path);
    const known = isBelow.get(parent) ?? `${realPath(parent)}/`.startsWith(root);
    isBelow.set(parent, known);
    return !known;
  });
  if (files.length > 0 || listing.files.length === 0) return { ...listing, files };
  throw new KagurazakaError("source", `${spec} lies in ${folder}, where the results go`, {
    where: spec,
    hint: "Choose another --out.",
  });
}

const allTrain = (files: readonly SourceFile[]): SplitFile[] => files.map((file) => ({ ...file, split: "train" }));

const chosenSplit = (files: readonly SpecFile[], split: string | undefined, name: string): readonly SpecFile[] =>
  split === undefined ? files : splitNamed(groupBySplit(files), split, name);

/** By the card, else by the names of files: the rules of Hugging Face. What they leave out is said. */
function filesOfDataset(spec: string, listing: Listing, request: SourceRequest, notes: string[]): SplitFile[] {
  const byName = new Map(listing.files.map((file) => [file.name, file]));
  const { splits, isByNames } = chooseConfig([...byName.keys()], listing.card, request.config, spec);
  const named = [...splits].flatMap(([split, names]) => names.map((name) => ({ ...byName.get(name)!, split })));
  const chosen = ofOneFormat(named, request.format);
  if (chosen.length === 0)
    throw new KagurazakaError("source", `${spec} has no file of records`, {
      where: spec,
      hint: "Names that begin with a dot or an underscore do not count, nor does README.md.",
    });
  if (isByNames) noteLeftOut(listing.files, chosen, notes);
  return chosen;
}

/** A folder may have other files beside its data: the most common format is that of the data, as in Hugging Face's loader. */
function ofOneFormat(files: SplitFile[], asked: string | undefined): SplitFile[] {
  const counts = new Map<string, number>();
  for (const { name } of files) {
    const { format } = formatOfName(name);
    if (format !== undefined) counts.set(format, (counts.get(format) ?? 0) + 1);
  }
  const [common] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
  const format = asked === undefined ? common : counts.has(asked) ? asked : undefined;
  return format === undefined ? files : files.filter(({ name }) => formatOfName(name).format === format);
}

const MAX_NAMED = 3;

/** Files that look like records and are not read. */
function noteLeftOut(files: readonly SourceFile[], chosen: readonly SplitFile[], notes: string[]): void {
  const read = new Set(chosen.map(({ name }) => name));
  const hidden = /(?:^|\/)[._]/;
  const out = files
    .map(({ name }) => name)
    .filter((name) => !read.has(name) && !hidden.test(name) && formatOfName(name).format !== undefined);
  if (out.length === 0) return;
  const more = out.length > MAX_NAMED ? ` and ${out.length - MAX_NAMED} more` : "";
  notes.push(`not read, because no split or another format is theirs: ${out.slice(0, MAX_NAMED).join(", ")}${more}`);
}

async function formatOf(file: SplitFile, asked: string | undefined, notes: string[]) {
  const named = formatOfName(file.name);
  const format = asked ?? named.format;
  if (format !== undefined) return { format, packing: named.packing };
  await using opened = await openFile((await file.fetch?.()) ?? file.path);
  const found = await formatOfContents(await headOf(opened, named.packing));
  if (found === undefined) {
    const hint = `Say it with --input-format (of records: --format): ${formatNames().join(", ")}.`;
    throw new KagurazakaError("source", `the format of ${file.path} is not known`, { where: file.path, hint });
  }
  notes.push(`${file.name} is read as ${found}, by its content`);
  return { format: found, packing: named.packing };
}

/** `data` of `data/*.jsonl`, `a` of `x/a.jsonl.gz`, `name` of `org/name@main`. */
function nameOf(spec: string): string {
  const path = statIfThere(spec) ? spec : spec.replace(/@[^@/]*$/, "");
  const parts = join(process.cwd(), path).split("/").filter(Boolean);
  const magic = parts.findIndex(isGlob);
  const last = (magic < 0 ? parts : parts.slice(0, magic)).at(-1) ?? "";
  return /^[^.]+/.exec(last)?.[0] ?? "data";
}

const realPath = (path: string): string => (existsSync(path) ? realpathSync(path) : resolve(path));
