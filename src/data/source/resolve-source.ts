import { statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import type { Features } from "../features/feature.js";
import { formatNames, formatOfContents, formatOfName } from "../formats/registry.js";
import { headOf } from "../formats/text/text-reader.js";
import { globFiles } from "../glob.js";
import { openFile, schemeOf } from "../stores/index.js";
import { joinRelative, walkFiles } from "../walk.js";
import type { SourceShard } from "./source.js";

export interface SourceRequest {
  /** The format of all files. @defaultValue by extension, else by content */
  readonly format?: string | undefined;
  /** Options of the format: `{ delimiter: ";" }`. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  readonly split?: string | undefined;
  readonly config?: string | undefined;
  readonly revision?: string | undefined;
  /** What the columns are. @defaultValue what the files say, or their first rows */
  readonly features?: Features | undefined;
}

interface Resolved {
  readonly name: string;
  readonly shards: readonly SourceShard[];
  readonly notes: readonly string[];
}

interface FoundFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly version: string | undefined;
  readonly split: string;
}

export async function resolveSource(specs: readonly string[], request: SourceRequest): Promise<Resolved> {
  const files: FoundFile[] = [];
  for (const spec of specs) files.push(...(await filesOf(spec)));
  const notes: string[] = [];
  const shards: SourceShard[] = [];
  for (const file of files) shards.push({ ...file, ...(await formatOf(file, request.format, notes)) });
  return { name: nameOf(specs[0]!), shards, notes };
}

/** `data` of `data/*.jsonl`, `a` of `x/a.jsonl.gz`. */
function nameOf(spec: string): string {
  const parts = resolve(spec).split("/");
  const magic = parts.findIndex((part) => MAGIC.test(part));
  const last = (magic < 0 ? parts : parts.slice(0, magic)).at(-1) ?? "";
  return /^[^.]+/.exec(last)?.[0] ?? "data";
}

async function formatOf(file: FoundFile, asked: string | undefined, notes: string[]) {
  const named = formatOfName(file.name);
  const format = asked ?? named.format;
  if (format !== undefined) return { format, packing: named.packing };
  await using opened = await openFile(file.path);
  const found = await formatOfContents(await headOf(opened, named.packing));
  if (found === undefined) {
    const hint = `Say it with --input-format (of records: --format): ${formatNames().join(", ")}.`;
    throw new KagurazakaError("source", `the format of ${file.path} is not known`, { where: file.path, hint });
  }
  notes.push(`${file.name} is read as ${found}, by its content`);
  return { format: found, packing: named.packing };
}

const MAGIC = /[*?[{]/;

async function filesOf(spec: string): Promise<FoundFile[]> {
  if (schemeOf(spec) !== undefined) return [await fileOfUrl(spec)];
  const stat = statSync(spec, { throwIfNoEntry: false });
  if (stat?.isFile()) return [fileAt(dirname(spec), basename(spec))];
  if (stat?.isDirectory()) return found(spec, filesBelow(spec));
  const magic = spec.search(MAGIC);
  if (magic < 0) throw new KagurazakaError("source", `there is no file or folder ${spec}`, { where: spec });
  const root = spec.slice(0, spec.lastIndexOf("/", magic) + 1) || ".";
  const files: FoundFile[] = [];
  for await (const { relDir, names } of globFiles({ root, pattern: relative(root, spec) }))
    for (const name of names) files.push(fileAt(root, joinRelative(relDir, name)));
  return found(spec, files);
}

/** A single file: a URL cannot be listed. */
async function fileOfUrl(url: string): Promise<FoundFile> {
  await using file = await openFile(url);
  const name = decodeURIComponent(new URL(url).pathname.split("/").at(-1) || "data");
  return { name, path: url, size: file.size, version: undefined, split: "train" };
}

function found(spec: string, files: FoundFile[]): FoundFile[] {
  if (files.length > 0) return files;
  throw new KagurazakaError("source", `${spec} has no file of records`, {
    where: spec,
    hint: "Names that begin with a dot or an underscore do not count.",
  });
}

/** Names that begin with a dot or an underscore are no data: `_manifest.json`, `_rejected/`. */
function filesBelow(root: string): FoundFile[] {
  const files: FoundFile[] = [];
  for (const { relDir, names } of walkFiles({ root, match: (name) => !/^[._]|^README/.test(name) })) {
    if (relDir.split("/").some((part) => /^[._]./.test(part))) continue;
    for (const name of names) files.push(fileAt(root, joinRelative(relDir, name)));
  }
  return mostCommon(files);
}

/** A folder may have other files beside its data: the most common format is that of the data, as in Hugging Face's loader. */
function mostCommon(files: FoundFile[]): FoundFile[] {
  const counts = new Map<string, number>();
  for (const { name } of files) {
    const { format } = formatOfName(name);
    if (format !== undefined) counts.set(format, (counts.get(format) ?? 0) + 1);
  }
  const [format] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
  return format === undefined ? files : files.filter(({ name }) => formatOfName(name).format === format);
}

function fileAt(root: string, name: string): FoundFile {
  const path = join(root, name);
  const { size, mtimeMs } = statSync(path);
  return { name, path, size, version: String(mtimeMs), split: "train" };
}
