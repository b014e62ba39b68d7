import { basename, dirname, extname, join } from "node:path";
import { PermanentError, type TaskContext } from "kagurazaka";

/** An item as `process` gets it: an input file and outputs, or a record, or both. */
export type ExecItem = Readonly<Record<string, unknown>>;

/** GNU parallel's replacement strings, made from the value of `{}`. */
const signs: Readonly<Record<string, (whole: string) => string>> = {
  "": (whole) => whole,
  ".": (whole) => join(dirname(whole), basename(whole, extname(whole))),
  "/": (whole) => basename(whole),
  "//": (whole) => dirname(whole),
  "/.": (whole) => basename(whole, extname(whole)),
};
export const isSign = (name: string): boolean => Object.hasOwn(signs, name);

const own: Readonly<Record<string, (item: ExecItem, ctx: TaskContext) => string | undefined>> = {
  key: (_, ctx) => ctx.key,
  attempt: (_, ctx) => String(ctx.attempt),
  tmp: (_, ctx) => ctx.tmpDir,
  stem: (item) => fileNameOf(item, (name) => basename(name, extname(name))),
  ext: (item) => fileNameOf(item, extname),
};
export const ownNames: readonly string[] = Object.keys(own);
export const fileOnlyNames: readonly string[] = ["stem", "ext"];
/** The fields of a file: `{input.path}`. */
export const filePlaces = ["path", "rel_dir", "file_name"] as const;
export const outputPlaces = [...filePlaces, "final_path"] as const;

/**
 * The text a placeholder stands for. A field of a record wins over a name of ours: a column called `key` is that column.
 * @throws PermanentError naming the fields there are: another try would find no more
 */
export function findValue(name: string, item: ExecItem, ctx: TaskContext): string {
  if (isSign(name)) return signs[name]!(wholeOf(item));
  const found = Object.hasOwn(item, name) ? item[name] : (ownValue(name, item, ctx) ?? followed(item, name));
  if (typeof found === "string") return found;
  if (["number", "bigint", "boolean"].includes(typeof found)) return String(found);
  const fields = Object.keys(item).map((field) => `{${field}${isFile(item[field]) ? ".path" : ""}}`);
  const what = found === undefined ? "nothing" : found === null ? "null" : "no text but a list or an object";
  throw new PermanentError(`{${name}} is ${what} in this item, which has ${fields.join(", ") || "no fields"}`);
}

/**
 * The value of a record's field whatever its name, for braces that may be text. Undefined: there is no such field.
 * @throws PermanentError where a field is called nearly so: a typing mistake
 */
export function findField(name: string, item: ExecItem, ctx: TaskContext): string | undefined {
  if (Object.hasOwn(item, name)) return findValue(name, item, ctx);
  const near = Object.keys(item).find((field) => plain(field) === plain(name));
  if (near === undefined) return undefined;
  throw new PermanentError(
    `{${name}} is no field of this item. Did you mean {${near}}? The text itself is {{${name}}}.`,
  );
}

/** Without what people get wrong: case, blanks, underscores, hyphens. */
const plain = (name: string): string => name.toLowerCase().replace(/[\s_-]+/g, "");

const ownValue = (name: string, item: ExecItem, ctx: TaskContext): string | undefined =>
  Object.hasOwn(own, name) ? own[name]!(item, ctx) : undefined;

/** The value of `{}`: the path of a file, or the text of a line. */
function wholeOf(item: ExecItem): string {
  if (isFile(item.input)) return item.input.path;
  if (typeof item.line === "string") return item.line;
  const fields = Object.keys(item).map((field) => `{${field}}`);
  throw new PermanentError(
    `{} is a file's path or a line's text, and this item is neither; it has ${fields.join(", ")}`,
  );
}

export function isFile(value: unknown): value is { readonly path: string; readonly fileName: string } {
  return typeof value === "object" && value !== null && typeof (value as { path?: unknown }).path === "string";
}

function fileNameOf({ input }: ExecItem, part: (fileName: string) => string): string | undefined {
  return isFile(input) ? part(input.fileName) : undefined;
}

/** `output.final_path`: fields of fields, in either spelling. */
function followed(item: ExecItem, name: string): unknown {
  let here: unknown = item;
  for (const step of name.split(".")) {
    if (typeof here !== "object" || here === null) return undefined;
    const camel = step.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const key = [step, camel].find((one) => Object.hasOwn(here as object, one));
    if (key === undefined) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here;
}
