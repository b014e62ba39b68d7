import { KagurazakaError } from "../../base/errors.js";
import { snakeName } from "../text/names.js";
import { type Branch, createBranch, isBranch, Leaf, refuseForbiddenKey, type Tree, type ValueOrigin } from "../tree.js";

/** One `dotted.key=value` of --mixin. */
export interface Assignment {
  readonly path: readonly string[];
  readonly value: Tree;
}

/** Values are YAML scalars or flow; `yaml` is loaded for flow and quotes only. */
export async function parseAssignment(word: string, flag = "--mixin"): Promise<Assignment> {
  const equals = word.indexOf("=");
  const key = word.slice(0, equals);
  const place: ValueOrigin = { kind: "flag", text: `${flag} ${key}` };
  if (equals < 1)
    throw new KagurazakaError("usage", `"${word}" is not key=value`, {
      where: flag,
      hint: "--mixin hard_shard_mode.input_path=data",
    });
  const path = key.split(".");
  for (const step of path) {
    refuseForbiddenKey(step, place.text);
    if (step === "") throw new KagurazakaError("usage", `"${key}" has an empty name between its dots`, { where: flag });
  }
  return { path, value: await parseValue(word.slice(equals + 1), place) };
}

async function parseValue(text: string, place: ValueOrigin): Promise<Tree> {
  const bare = text.trim();
  // `{key}.txt` is a pattern for names; a mapping of a key without a value would mean nothing.
  if (!/^["'[{]/.test(bare) || /^\{\w+\}/.test(bare)) return parseScalar(text, place);
  const { parseYaml } = await import("../yaml-file.js");
  try {
    return await parseYaml(bare, place);
  } catch (error) {
    if (!KagurazakaError.is(error) || error.code !== "config-file") throw error;
    throw new KagurazakaError("bad-value", `${place.text}=${bare} is not YAML: ${error.message}`, {
      where: place.text,
    });
  }
}

/** YAML's core schema for one plain scalar. Unlike in a file, nothing is a comment, an anchor or a tag, and an empty text is a text. */
function parseScalar(text: string, place: ValueOrigin): Leaf {
  const bare = text.trim();
  if (/^(null|Null|NULL|~)$/.test(bare)) return new Leaf(null, place);
  if (/^(true|True|TRUE|false|False|FALSE)$/.test(bare)) return new Leaf(bare.toLowerCase() === "true", place);
  if (/^([-+]?\d+|0o[0-7]+|0x[\da-fA-F]+)$/.test(bare) || /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(bare)) {
    const value = Number(bare);
    return String(value) === bare ? new Leaf(value, place) : new Leaf(value, place, bare);
  }
  return new Leaf(text, place);
}

/**
 * All assignments as one layer. Later ones win per key; the two outer segments are declared names, so `a_b` and `aB` are
 * one there, and writing one field in both spellings is a mistake.
 */
export function combineAssignments(
  assignments: readonly Assignment[],
  merge: (lower: Branch, upper: Branch) => Branch,
): Branch {
  const layer = createBranch({ kind: "flag", text: "--mixin" });
  const spelled = new Map<string, string>();
  for (const { path, value } of assignments) {
    const folded = path.map((step, index) => (index < 2 ? snakeName(step) : step)).join(".");
    const before = spelled.get(folded);
    if (before !== undefined && before !== path.join(".")) {
      throw new KagurazakaError(
        "mixin",
        `"${before}" and "${path.join(".")}" are two spellings of one field; use one`,
        { where: "--mixin" },
      );
    }
    spelled.set(folded, path.join("."));
    assign(layer, path, value, merge);
  }
  return layer;
}

function assign(
  layer: Branch,
  path: readonly string[],
  value: Tree,
  merge: (lower: Branch, upper: Branch) => Branch,
): void {
  let here = layer;
  for (const [index, written] of path.entries()) {
    const known = index < 2 ? Object.keys(here).find((key) => snakeName(key) === snakeName(written)) : undefined;
    const step = known ?? written;
    const below = here[step];
    if (index === path.length - 1) {
      here[step] = isBranch(below) && isBranch(value) ? merge(below, value) : value;
      return;
    }
    // A copy: the tree below may belong to a value that was parsed once and used elsewhere.
    const place: ValueOrigin = { kind: "flag", text: `--mixin ${path.slice(0, index + 1).join(".")}` };
    const next = isBranch(below) ? createBranch(place, Object.entries(below)) : createBranch(place);
    here[step] = next;
    here = next;
  }
}
