import { KagurazakaError } from "../base/errors.js";
import type { Origin } from "../contracts/run-config.js";

/** Where a value stands. `file` is absolute and only there for values of a file: `CONFIG_DIR` means it. */
export interface ValueOrigin extends Origin {
  readonly file?: string;
  /** Where the key of a mapping stands, when that is elsewhere than its value. */
  readonly atKey?: string;
}

/** A bigint is an integer that a number cannot hold. */
export type Scalar = null | boolean | number | bigint | string;

/** One scalar. `text` is how it was written where that differs from the value: `007`, `1.10`. */
export class Leaf {
  constructor(
    readonly value: Scalar,
    readonly origin: ValueOrigin,
    readonly text?: string,
    /** The `${…}` it came from, so that messages never show what an environment variable held. */
    readonly expression?: string,
  ) {}
}

export class List {
  constructor(
    readonly items: readonly Tree[],
    readonly origin: ValueOrigin,
  ) {}
}

export const originKey: unique symbol = Symbol("origin");
/** Keys at the top of a file that aliases under other keys refer to. */
export const referredKey: unique symbol = Symbol("referred");

/** A mapping: a null-prototype object, so that `toString` is a key like any other and nothing can be inherited. */
export interface Branch {
  [key: string]: Tree;
  [originKey]: ValueOrigin;
  [referredKey]?: ReadonlySet<string>;
}

/** Configuration as it was written: every scalar, list and mapping knows its origin. Never changed once made. */
export type Tree = Leaf | List | Branch;

export function createBranch(origin: ValueOrigin, entries: Iterable<readonly [string, Tree]> = []): Branch {
  const branch = Object.create(null) as Branch;
  branch[originKey] = origin;
  for (const [key, value] of entries) branch[key] = value;
  return branch;
}

export const isBranch = (tree: Tree | undefined): tree is Branch =>
  tree !== undefined && !(tree instanceof Leaf) && !(tree instanceof List);

export const originOf = (tree: Tree): ValueOrigin => (isBranch(tree) ? tree[originKey] : tree.origin);

/** Where a message about the *key* of this value points. */
export const keyOriginOf = (tree: Tree): string => originOf(tree).atKey ?? originOf(tree).text;

export const isNull = (tree: Tree | undefined): boolean => tree instanceof Leaf && tree.value === null;

const forbidden: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"]);

/** Refused wherever a key enters, before anything is merged. */
export function refuseForbiddenKey(key: string, where: string): void {
  if (!forbidden.has(key)) return;
  throw new KagurazakaError("forbidden-key", `the key "${key}" is not allowed in any configuration`, { where });
}

const MAX_DEPTH = 100;

/** A value written in code, as a tree. `undefined` counts as absent. */
export function treeFromCode(value: unknown, origin: ValueOrigin, path: readonly string[] = []): Tree {
  const refuse = (what: string): never => {
    throw new KagurazakaError("bad-value", `${path.join(".") || "the value"} ${what}`, { where: origin.text });
  };
  if (path.length > MAX_DEPTH) return refuse(`is nested deeper than ${MAX_DEPTH} levels, or contains itself`);
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number") {
    return new Leaf(value, origin);
  }
  if (Array.isArray(value)) {
    const items = value.map((item, index) => treeFromCode(item, origin, [...path, String(index)]));
    return new List(items, origin);
  }
  if (typeof value !== "object" || value === undefined)
    return refuse(`is a ${typeof value}; only JSON-like values are configuration`);
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== null && Object.getPrototypeOf(proto) !== null)
    return refuse("is an instance of a class; only plain objects are configuration");
  const branch = createBranch(origin);
  for (const [key, child] of Object.entries(value)) {
    refuseForbiddenKey(key, origin.text);
    if (child !== undefined) branch[key] = treeFromCode(child, origin, [...path, key]);
  }
  return branch;
}

/** The bare value: objects have no prototype. `asText` gives scalars as they were written. */
export function toPlain(tree: Tree, asText = false): unknown {
  if (tree instanceof Leaf) return asText && tree.text !== undefined && tree.value !== null ? tree.text : tree.value;
  if (tree instanceof List) return tree.items.map((item) => toPlain(item, asText));
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, child] of Object.entries(tree)) object[key] = toPlain(child, asText);
  return object;
}
