import { KagurazakaError } from "../../base/errors.js";
import { HIDDEN, maskLines } from "../../base/mask.js";
import { isSecretName } from "../secrets.js";
import { snakeName } from "../text/names.js";
import { exactInteger } from "../text/quantities.js";
import { type Branch, createBranch, isBranch, Leaf, refuseForbiddenKey, type Tree, type ValueOrigin } from "../tree.js";
import { mergeModes } from "./merge.js";

/** One `dotted.key=value` of --mixin. */
export interface Assignment {
  readonly path: readonly string[];
  readonly value: Tree;
}

const MAX_DEPTH = 100;

/** Values are YAML scalars or flow; `yaml` is loaded for flow and quotes only. */
export async function parseAssignment(word: string, flag = "--mixin"): Promise<Assignment> {
  const equals = word.indexOf("=");
  const key = word.slice(0, equals);
  const origin: ValueOrigin = { kind: "flag", text: `${flag} ${key}` };
  const usage = (message: string, hint?: string) =>
    new KagurazakaError("usage", message, { where: flag, ...(hint === undefined ? {} : { hint }) });
  if (equals < 1) throw usage(`"${word}" is not key=value`, "--mixin hard_shard_mode.input_path=data");
  const path = key.split(".");
  if (path.length > MAX_DEPTH) throw usage(`a key of --mixin has ${path.length} names; at most ${MAX_DEPTH} are read`);
  for (const step of path) {
    refuseForbiddenKey(step, origin.text);
    if (step === "") throw usage(`"${key}" has an empty name between its dots`);
  }
  return { path, value: await parseValue(word.slice(equals + 1), origin) };
}

async function parseValue(text: string, origin: ValueOrigin): Promise<Tree> {
  const bare = text.trim();
  // `{key}.txt` is a pattern for names; a mapping of a key without a value would mean nothing.
  if (!/^["'[{]/.test(bare) || /^\{\w+\}/.test(bare)) return parseScalar(text, origin);
  const { parseYaml } = await import("../yaml-file.js");
  try {
    return await parseYaml(bare, origin);
  } catch (error) {
    if (!KagurazakaError.is(error) || error.code !== "config-file") throw error;
    const where = origin.text;
    if (isSecretName(where)) throw new KagurazakaError("bad-value", `${where}=${HIDDEN} is not YAML`, { where });
    const shown = maskLines(bare.split("\n")).join("\n");
    throw new KagurazakaError("bad-value", `${where}=${shown} is not YAML: ${error.message}`, { where });
  }
}

/** YAML's core schema for one plain scalar. Unlike in a file, nothing is a comment, an anchor or a tag, and an empty text is a text. */
function parseScalar(text: string, origin: ValueOrigin): Leaf {
  const bare = text.trim();
  if (/^(null|Null|NULL|~)$/.test(bare)) return new Leaf(null, origin);
  if (/^(true|True|TRUE|false|False|FALSE)$/.test(bare)) return new Leaf(bare.toLowerCase() === "true", origin);
  if (/^([-+]?\d+|0o[0-7]+|0x[\da-fA-F]+)$/.test(bare) || /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(bare)) {
    const value = exactInteger(Number(bare), bare);
    return String(value) === bare ? new Leaf(value, origin) : new Leaf(value, origin, bare);
  }
  return new Leaf(text, origin);
}

/**
 * All assignments as one layer. Later ones win per key; the two outer segments are declared names, so `a_b` and `aB` are
 * one there, and writing one field in both spellings is a mistake.
 */
export function combineAssignments(assignments: readonly Assignment[]): Branch {
  const layer = createBranch({ kind: "flag", text: "--mixin" });
  const spelled = new Map<string, string>();
  // Made here, and not a value that was parsed once and is used elsewhere; with the declared names in them.
  const made = new Map<Branch, Map<string, string>>([[layer, new Map()]]);
  for (const { path, value } of assignments) {
    const folded = path.map((step, index) => (index < 2 ? snakeName(step) : step)).join(".");
    const [before, now] = [spelled.get(folded), path.join(".")];
    if (before !== undefined && before !== now) {
      const message = `"${before}" and "${now}" are two spellings of one field; use one`;
      throw new KagurazakaError("mixin", message, { where: "--mixin" });
    }
    spelled.set(folded, now);
    let here = layer;
    for (const [index, written] of path.entries()) {
      const names = made.get(here)!;
      const name = index < 2 ? snakeName(written) : written;
      const step = names.get(name) ?? written;
      names.set(name, step);
      const below = here[step];
      if (index === path.length - 1) {
        here[step] = isBranch(below) && isBranch(value) ? mergeModes(below, value) : value;
      } else if (isBranch(below) && made.has(below)) {
        here = below;
      } else {
        const origin: ValueOrigin = { kind: "flag", text: `--mixin ${path.slice(0, index + 1).join(".")}` };
        const next = createBranch(origin, isBranch(below) ? Object.entries(below) : []);
        made.set(next, new Map(Object.keys(next).map((key) => [index < 1 ? snakeName(key) : key, key])));
        here = here[step] = next;
      }
    }
  }
  return layer;
}
