import { dirname } from "node:path";
import { KagurazakaError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import { maskValue } from "./secrets.js";
import { asLiteral, hasReference, type Part, parseExpression, parseReference } from "./text/expression.js";
import { snakeName } from "./text/names.js";
import { type Branch, createBranch, isBranch, Leaf, List, originOf, type Tree, type ValueOrigin } from "./tree.js";

export const PLACEHOLDER = "???";

interface InterpolationScope {
  /** The whole merged tree: `task`, `backbone`, `mixin` and what else the file defines. */
  readonly root: Branch;
  /** Absolute path of the task file, for `SCRIPT_PATH` and `SCRIPT_DIR`. */
  readonly scriptPath: string | undefined;
  /** Absolute path of --cfg, for `CONFIG_*` in values that stand in no file. */
  readonly configPath: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Leaves what differs by machine as it is written: `${oc.env:…}`, `${SCRIPT_DIR}`. The result is resolved there. */
  readonly keepsMachine?: boolean;
}

export interface Interpolator {
  /**
   * The tree with every `${…}` replaced; a value that is exactly one reference keeps the referent's type.
   * @param path where the tree stands below the root
   * @throws KagurazakaError "interpolation", or "placeholder" when what is referred to is `???`
   */
  resolve(tree: Tree, path: readonly string[]): Tree;
}

const MAX_VALUES = 100_000;
const MAX_TEXT = 1_000_000;
const injected = ["CONFIG_DIR", "CONFIG_PATH", "SCRIPT_DIR", "SCRIPT_PATH"];

/** OmegaConf's interpolation: `${a.b}`, `${.sibling}`, `${oc.env:NAME,default}`, nested, `\${` for plain text. */
export function createInterpolator(scope: InterpolationScope): Interpolator {
  const running: string[] = [];
  let values = 0;

  interface Site {
    readonly path: readonly string[];
    readonly origin: ValueOrigin;
    readonly text: string;
  }

  const fail = ({ path, origin }: Omit<Site, "text">, message: string): KagurazakaError =>
    new KagurazakaError("interpolation", `${dotted(path)}: ${message}`, { where: origin.text });

  const shown = ({ path, text }: Site): string => String(maskValue(dotted(path), text));

  function resolve(tree: Tree, path: readonly string[]): Tree {
    const origin = originOf(tree);
    if (++values > MAX_VALUES)
      throw fail({ path, origin }, `more than ${MAX_VALUES} values once references are followed`);
    if (tree instanceof List) {
      const items = tree.items.map((item, index) => resolve(item, [...path, String(index)]));
      return new List(items, origin);
    }
    if (isBranch(tree)) {
      const children = Object.entries(tree).map(([key, child]) => [key, resolve(child, [...path, key])] as const);
      return createBranch(origin, children);
    }
    if (typeof tree.value !== "string" || !hasReference(tree.value)) return tree;
    if (tree.expression === undefined) return expand(tree, tree.value, path);
    return tree;
  }

  function expand(leaf: Leaf, text: string, path: readonly string[]): Tree {
    const site: Site = { path, origin: leaf.origin, text };
    const name = dotted(path);
    if (running.includes(name))
      throw fail(site, `refers to itself: ${[...running.slice(running.indexOf(name)), name].join(" → ")}`);
    running.push(name);
    try {
      return moved(evaluate(partsOf(site), site), leaf, text);
    } finally {
      running.pop();
    }
  }

  function partsOf(site: Site): readonly Part[] {
    try {
      return parseExpression(site.text);
    } catch (error) {
      throw fail(site, `"${shown(site)}" ${(error as Error).message}`);
    }
  }

  function evaluate(parts: readonly Part[], site: Site): Tree {
    const only = parts.length === 1 ? parts[0]! : undefined;
    if (typeof only === "object") return reference(only.inside, site);
    return new Leaf(text(parts, site), site.origin);
  }

  function text(parts: readonly Part[], site: Site): string {
    let whole = "";
    for (const part of parts) {
      whole += typeof part === "string" ? literal(part) : asText(reference(part.inside, site), site);
      if (whole.length > MAX_TEXT) throw fail(site, `longer than ${MAX_TEXT} characters once references are followed`);
    }
    return whole;
  }

  const literal = (part: string): string => (scope.keepsMachine ? asLiteral(part) : part);

  function asText(tree: Tree, site: Site): string {
    if (tree instanceof Leaf) return tree.text ?? String(tree.value);
    throw fail(site, `"${shown(site)}" puts a ${tree instanceof List ? "list" : "mapping"} inside a text`);
  }

  function reference(inside: readonly Part[], site: Site): Tree {
    const { resolver, args } = parseReference(inside);
    if (resolver === undefined) return lookUp(text(args[0]!, site).trim(), site);
    if (resolver !== "oc.env") throw fail(site, `there is no resolver "${resolver}"; oc.env is the only one`);
    const name = text(args[0]!, site).trim();
    if (scope.keepsMachine) {
      const fallback = args[1] === undefined ? "" : `,${text(args[1], site)}`;
      return new Leaf(`\${oc.env:${name}${fallback}}`, site.origin);
    }
    const value = Object.hasOwn(scope.env, name) ? scope.env[name] : undefined;
    if (value !== undefined) return new Leaf(value, site.origin);
    if (args[1] === undefined)
      throw fail(site, `the environment variable ${name} is not set (a default: \${oc.env:${name},value})`);
    const fallback = evaluate(args[1], site);
    if (!(fallback instanceof Leaf) || typeof fallback.value !== "string" || fallback.origin !== site.origin)
      return fallback;
    const bare = fallback.value.trim();
    return new Leaf(bare === "null" ? null : bare.replace(/^(["'])(.*)\1$/s, "$2"), site.origin);
  }

  function lookUp(written: string, site: Site): Tree {
    if (injected.includes(written)) return new Leaf(injectedValue(written, site), site.origin);
    const dots = /^\.*/.exec(written)![0].length;
    const steps = written
      .slice(dots)
      .replace(/\[([^\]]*)\]/g, ".$1")
      .split(".")
      .filter((step, index, all) => step !== "" || all.length > 1 || index > 0);
    if (steps.length === 0 || steps.includes("")) throw fail(site, `"\${${written}}" is not a path`);
    if (dots > 0) {
      if (dots > site.path.length) throw fail(site, `"\${${written}}" goes up past the root`);
      return walk([...site.path.slice(0, -dots), ...steps]) ?? unknown(written, site);
    }
    return walk(steps) ?? walk(["mixin", ...steps]) ?? unknown(written, site);
  }

  function walk(steps: readonly string[]): Tree | undefined {
    let here: Tree = scope.root;
    const path: string[] = [];
    for (const step of steps) {
      // A step through a reference: what it refers to is resolved first.
      if (here instanceof Leaf) here = resolve(here, path);
      const key = childKey(here, step, path);
      if (key === undefined) return undefined;
      path.push(key);
      here = here instanceof List ? here.items[Number(key)]! : (here as Branch)[key]!;
    }
    if (here instanceof Leaf && here.value === PLACEHOLDER) throw unfilled(path, here.origin);
    return resolve(here, path);
  }

  function unknown(written: string, site: Site): never {
    const known = [...paths(scope.root), ...paths(scope.root.mixin), ...injected];
    throw fail(site, `nothing is called "${written}" in "${shown(site)}".${didYouMean(written, known)}`);
  }

  function injectedValue(name: string, site: Site): string {
    if (scope.keepsMachine && name.startsWith("SCRIPT")) return `\${${name}}`;
    const path = name.startsWith("SCRIPT") ? scope.scriptPath : (site.origin.file ?? scope.configPath);
    if (path === undefined) throw fail(site, `${name} has no meaning here: the value stands in no file`);
    return name.endsWith("DIR") ? dirname(path) : path;
  }

  return { resolve };
}

export function unfilled(path: readonly string[], { text: where }: ValueOrigin): KagurazakaError {
  const hint = fillHint(path);
  return new KagurazakaError("placeholder", `${dotted(path)} is marked ??? and was not filled in`, { where, hint });
}

/** The flag that gives a value to a path of the merged tree. Lists are replaced whole, so the flag names the list. */
export function fillHint(path: readonly string[]): string {
  const index = path.findIndex((step) => /^\d+$/.test(step));
  const named = dotted(index < 0 ? path : path.slice(0, index)).replace(/^[^.]*\./, "");
  const value = index < 0 ? "…" : "[…]";
  const short = path[0] === "mixin" ? shortPaths[named] : undefined;
  if (short !== undefined) return `--${short} DIR, which is short for --mixin ${named}=DIR`;
  if (path[0] === "mixin") return `--mixin ${named}=${value}`;
  if (path[0] === "task" || path[0] === "backbone") return `--${named} ${value}`;
  return "write its value there";
}

const shortPaths: Readonly<Record<string, string>> = {
  "hard_shard_mode.input_path": "in",
  "hard_shard_mode.output_path": "out",
};

/** Declared names are shown as YAML writes them; keys of users' own maps as they are. */
const dotted = (path: readonly string[]): string =>
  path.map((step, index) => (path[0] === "mixin" && index <= 2 ? snakeName(step) : step)).join(".");

function childKey(tree: Tree, step: string, path: readonly string[]): string | undefined {
  if (tree instanceof List) return /^\d+$/.test(step) && Number(step) < tree.items.length ? step : undefined;
  if (!isBranch(tree)) return undefined;
  if (Object.hasOwn(tree, step)) return step;
  // Only where names are declared: never in users' own maps.
  const section = path[0] ?? "";
  const depth = section === "mixin" ? 2 : ["task", "backbone"].includes(section) ? 1 : 0;
  const declared = path.length > 0 && path.length <= depth;
  return declared ? Object.keys(tree).find((key) => snakeName(key) === snakeName(step)) : undefined;
}

const MAX_CANDIDATES = 2_000;

function paths(tree: Tree | undefined, prefix = "", found: string[] = []): string[] {
  if (!isBranch(tree)) return found;
  for (const [key, child] of Object.entries(tree)) {
    if (found.length >= MAX_CANDIDATES) break;
    const path = `${prefix}${snakeName(key)}`;
    found.push(path);
    paths(child, `${path}.`, found);
  }
  return found;
}

/** The referent's value with the referrer's origin; its text is the expression wherever a message might show it. */
function moved(tree: Tree, leaf: Leaf, expression: string): Tree {
  if (tree instanceof Leaf) return new Leaf(tree.value, leaf.origin, tree.text, expression);
  if (tree instanceof List) return new List(tree.items, leaf.origin);
  return createBranch(leaf.origin, Object.entries(tree));
}
