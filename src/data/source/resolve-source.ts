import { statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { KagurazakaError } from "../../base/errors.js";
import type { Features } from "../features/feature.js";
import { formatNames, formatOfContents, formatOfName } from "../formats/registry.js";
import { headOf } from "../formats/text/text-reader.js";
import { globFiles } from "../glob.js";
import { openFile } from "../stores/index.js";
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
  for (const file of files) {
    const found = await formatOf(file, request.format, notes);
    shards.push({ ...file, ...found });
  }
  return { name: nameOf(specs[0]!), shards, notes };
}

/** `data` of `data/*.jsonl`, `a` of `x/a.jsonl.gz`. */
function nameOf(spec: string): string {
  const parts = resolve(spec).split("/");
  const magic = parts.findIndex((part) => /[*?[{]/.test(part));
  const last = (magic < 0 ? parts : parts.slice(0, magic)).at(-1) ?? "";
  return /^[^.]+/.exec(last)?.[0] ?? "data";
}

async function formatOf(file: FoundFile, asked: string | undefined, notes: string[]) {
  const named = formatOfName(file.name);
  const format = asked ?? named.format;
  if (format !== undefined) return { format, packing: named.packing };
  await using opened = await openFile(file.path);
  const found = await formatOfContents(await headOf(opened, named.packing));
  if (found === undefined)
    throw new KagurazakaError("source", `the format of ${file.name} is not known`, {
      where: file.path,
      hint: `Say it with --input-format: ${formatNames().join(", ")}.`,
    });
  notes.push(`${file.name} is read as ${found}, by its content`);
  return { format: found, packing: named.packing };
}

async function filesOf(spec: string): Promise<FoundFile[]> {
  const stat = statSync(spec, { throwIfNoEntry: false });
  if (stat?.isFile()) return [fileAt(dirname(spec), basename(spec))];
  const files: FoundFile[] = [];
  if (stat?.isDirectory()) {
    for (const { relDir, names } of walkFiles({ root: spec, match: (name) => !/^[._]|^README/.test(name) }))
      for (const name of names) files.push(fileAt(spec, joinRelative(relDir, name)));
    return files;
  }
  const magic = spec.search(/[*?[{]/);
  if (magic < 0) throw new KagurazakaError("source", `there is no file or folder ${spec}`, { where: spec });
  const root = spec.slice(0, spec.lastIndexOf("/", magic) + 1) || ".";
  for await (const { relDir, names } of globFiles({ root, pattern: relative(root, spec) }))
    for (const name of names) files.push(fileAt(root, joinRelative(relDir, name)));
  return files;
}

function fileAt(root: string, name: string): FoundFile {
  const path = join(root, name);
  const { size, mtimeMs } = statSync(path);
  return { name, path, size, version: String(mtimeMs), split: "train" };
}
